# SPDX-License-Identifier: Apache-2.0
"""A scene with exact ground truth, rendered: what a rig sees, and a lidar beside it."""
