# SPDX-License-Identifier: Apache-2.0
"""The costly steps of S2M2 in the form that runs; docs/networks/s2m2.md defines them."""
