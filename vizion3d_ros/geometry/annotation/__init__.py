# SPDX-License-Identifier: Apache-2.0
"""
Which points of a cloud are which object of an image.

    points ─ projection ─ depth buffer ─┬─ visibility ──────────┬─ labels
                                        └─ surfaces ─┬─ scene ──┘
    masks ───────────────────── edge ─ pieces ───────┘

Work per point is done by torch on the device of the cloud, work per pixel of a mask by OpenCV.
"""
