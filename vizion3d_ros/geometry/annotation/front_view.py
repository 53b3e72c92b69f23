# SPDX-License-Identifier: Apache-2.0
"""What a camera would see of a cloud, drawn from the colours of its points."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.contracts.camera import Intrinsics

ASSUMED_WIDTH_PX = 1024.0  # of a cloud whose camera is unknown
MOST_GROWTH = 2.0  # points farther out than that are not drawn
NO_CLOUD_PX = (640, 480)
FOCAL_PER_WIDTH = 0.85

Points = NDArray[np.float32]
Known = dict[str, float | None]


def viewing_camera(points: Points, known: Known) -> Intrinsics:
    """
    Choose the camera that a cloud is drawn with; its canvas holds what is in view.

    points: float32 (N, 3), metres, optical frame. known: fx, fy, cx, cy in pixels; None: such that
    the cloud is 1024 pixels wide and begins at pixel 0.
    """
    ahead = points[np.isfinite(points).all(1) & (points[:, 2] > 0)]
    found = {name: value for name, value in known.items() if value is not None}
    values = {**_guessed(ahead), **found}
    if 'fx' in found and 'fy' not in found:
        values['fy'] = values['fx']
    if len(ahead) and ('cx' not in found or 'cy' not in found):
        slopes = (ahead[:, :2] / ahead[:, 2:]).min(0)
        values |= {
            name: -float(slope) * values[focal]
            for name, focal, slope in zip(('cx', 'cy'), ('fx', 'fy'), slopes)
            if name not in found
        }
    sides = _canvas(ahead, values)
    return Intrinsics(width=sides[0], height=sides[1], **values)


def _guessed(ahead: Points) -> dict[str, float]:
    width, height = NO_CLOUD_PX
    span = float(np.ptp(ahead[:, 0] / ahead[:, 2])) if len(ahead) else 0.0
    focal = ASSUMED_WIDTH_PX / span if span > 0 else FOCAL_PER_WIDTH * width
    return {'fx': focal, 'fy': focal, 'cx': width / 2, 'cy': height / 2}


def _canvas(ahead: Points, values: dict[str, float]) -> tuple[int, int]:
    """Width and height: centred on the optical axis, and larger if points lie farther out."""
    sides = []
    for column, axis in enumerate('xy'):
        centre = values[f'c{axis}']
        centred = max(math.ceil(2 * centre) + 1, 1)
        farthest = 0.0
        if len(ahead):
            slopes = ahead[:, column] / ahead[:, 2]
            farthest = float(slopes.max()) * values[f'f{axis}'] + centre
        most = MOST_GROWTH * max(centred, ASSUMED_WIDTH_PX)
        sides.append(max(centred, math.ceil(min(farthest, most)) + 1))
    return sides[0], sides[1]


def draw(points: Points, rgb: NDArray[np.uint8], camera: Intrinsics) -> NDArray[np.uint8]:
    """
    Draw coloured points into a black image, the nearest of each pixel on top: uint8 (H, W, 3) RGB.

    points: float32 (N, 3), metres, optical frame; rgb: uint8 (N, 3).
    """
    image = np.zeros((camera.height * camera.width, 3), np.uint8)
    finite = np.flatnonzero(np.isfinite(points).all(1) & (points[:, 2] > 0))
    ahead = points[finite]
    u = np.rint(ahead[:, 0] / ahead[:, 2] * camera.fx + camera.cx)
    v = np.rint(ahead[:, 1] / ahead[:, 2] * camera.fy + camera.cy)
    inside = (u >= 0) & (u < camera.width) & (v >= 0) & (v < camera.height)
    place = (v[inside] * camera.width + u[inside]).astype(np.int64)
    order = np.argsort(-ahead[inside, 2], kind='stable')
    image[place[order]] = rgb[finite[inside]][order]  # the last one stays
    return image.reshape(camera.height, camera.width, 3)
