# SPDX-License-Identifier: Apache-2.0
"""The nodes, put together from the other rooms."""
