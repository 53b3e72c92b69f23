# SPDX-License-Identifier: Apache-2.0
"""
Messages of cameras become pairs, pixels and calibrations; from topics or from a bag, without ROS.

    images ─ sync (synchronizer) ─ StereoFrame ─┬─ StereoCommand
    camera_info ─ CameraInfoCache ──────────────┘

A message is anything with the fields that its ROS type has.
"""
