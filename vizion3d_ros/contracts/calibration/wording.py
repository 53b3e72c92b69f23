# SPDX-License-Identifier: Apache-2.0
"""What a person can change, by the names that the one who asked gave it."""

from __future__ import annotations

from dataclasses import dataclass

from vizion3d_ros.contracts.camera import MM_PER_METRE


@dataclass(frozen=True, slots=True)
class Wording:
    """
    How sentences about a pair call what is to be changed.

    exchange, other_image, rectify, search: cures, after a colon. near, far: names of the limits
    of depth, in `unit`, of which a metre has `per_metre`.
    """

    exchange: str
    other_image: str
    rectify: str
    search: str
    near: str
    far: str
    unit: str
    per_metre: float

    def length(self, metres: float, digits: int = 2) -> str:
        """A depth with so many digits, no power of ten, and its unit."""
        return f'{float(f"{metres * self.per_metre:.{digits}g}"):.12g} {self.unit}'


NODE = Wording(
    exchange='exchange the remappings of left/image_rect and right/image_rect, or the cameras',
    other_image=(
        'give the image of the other camera, by the remapping of left/image_rect or '
        'right/image_rect'
    ),
    rectify='recalibrate the rig, or set rectify if these are raw images',
    search=(
        'check the search range (min_depth, max_depth, sgbm.disparity_range) and the thresholds '
        'of sgbm'
    ),
    near='min_depth',
    far='max_depth',
    unit='m',
    per_metre=1.0,
)

REQUEST = Wording(
    exchange='exchange left_image and right_image',
    other_image='give the image of the other camera',
    rectify='recalibrate the rig, or rectify the images first',
    search='check the search range (min_depth_mm, max_depth_mm)',
    near='min_depth_mm',
    far='max_depth_mm',
    unit='mm',
    per_metre=MM_PER_METRE,
)
