# SPDX-License-Identifier: Apache-2.0
"""Disparity, depth and points: pure functions on torch tensors of any device."""
