# SPDX-License-Identifier: Apache-2.0
"""Nodes to try a depth node with: a synthetic rig, recorded pairs, and a recorder that scores."""
