# SPDX-License-Identifier: Apache-2.0
"""
Which points of a cloud are which object of an image.

    points ─ projection ─ depth buffer ─ visibility ─┬─ labels
    masks ── edge ─ pieces ─ surface ────────────────┘

Work per point is done by torch on the device of the cloud, work per pixel of a mask by OpenCV.
"""
