# SPDX-License-Identifier: Apache-2.0
"""Metres for a relative answer: sparse depth, samples, one robust fit, a track of fits in time."""
