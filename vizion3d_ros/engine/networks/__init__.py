# SPDX-License-Identifier: Apache-2.0
"""Neural networks, one package each."""
