# SPDX-License-Identifier: Apache-2.0
"""Points to pixels, and how far the nearest one of each pixel is."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import max_pool2d

from vizion3d_ros.contracts.camera import Intrinsics

CELL_SIDES = (1, 2, 3, 4, 6, 8)  # pixels
LEAST_FILLED = 0.8
SPACING_PX = 9  # holes up to this width are between points, not behind things
SAME_DEPTH = 0.02  # of the depth: points of one pixel that do not hide each other


@dataclass(frozen=True, slots=True)
class Projected:
    """
    Where points are seen.

    place: int64 (N,), row * width + column; height * width for those that are not in the image.
    depth_m: float32 (N,), along the optical axis.
    """

    place: Tensor
    depth_m: Tensor


def project(points: Tensor, camera: Intrinsics) -> Projected:
    """
    Find the pixel of each point, rounded to the nearest.

    points: float32 (N, 3), metres, optical frame. What is not finite, not in front of the camera
    or outside of the image has no pixel.
    """
    x, y, depth_m = points.unbind(1)
    inverse = 1 / depth_m
    u = (x * inverse).mul_(camera.fx).add_(camera.cx).round_()
    v = (y * inverse).mul_(camera.fy).add_(camera.cy).round_()
    inside = (u >= 0) & (u < camera.width) & (v >= 0) & (v < camera.height)
    inside &= (depth_m > 0) & (depth_m < torch.inf)  # NaN is none of it
    place = v * camera.width + u  # exact below 2^24 pixels
    if camera.width * camera.height >= 1 << 24:
        place = v.double() * camera.width + u.double()
    outside = float(camera.width * camera.height)
    return Projected(torch.where(inside, place, outside).to(torch.int64), depth_m)


def out_of_view(points: Tensor, camera: Intrinsics) -> str:
    """
    Say why no point is in the image; '' if some are, or none is finite.

    points: float32 (N, 3), metres, optical frame.
    """
    finite = points[points.isfinite().all(1)]
    ahead = int((finite[:, 2] > 0).sum())
    if not len(finite) or int(
        (project(finite, camera).place < camera.width * camera.height).sum()
    ):
        return ''
    if not ahead:
        return f'none of {len(finite)} points is in front of the camera'
    return (
        f'{ahead} of {len(finite)} points are in front of the camera, but none is in its image '
        f'of {camera.width}x{camera.height} pixels with fx = {camera.fx:g}, fy = {camera.fy:g}, '
        f'cx = {camera.cx:g}, cy = {camera.cy:g}'
    )


@dataclass(frozen=True, slots=True)
class DepthBuffer:
    """
    The nearest depth seen in each square cell of `side` pixels.

    depth_m: float32 (rows, columns), inf = nothing.
    """

    depth_m: Tensor
    side: int


def depth_buffer(projected: Projected, camera: Intrinsics) -> DepthBuffer:
    """Draw the points, in cells as large as the gaps between them, so that what is near hides."""
    size = camera.height * camera.width
    flat = projected.depth_m.new_full((size + 1,), torch.inf)
    flat.scatter_reduce_(0, projected.place, projected.depth_m, 'amin')
    nearest = flat[:-1].view(camera.height, camera.width)
    for side in CELL_SIDES:
        cells = nearest if side == 1 else _in_cells(nearest, side)
        if _is_filled(cells):
            break
    return DepthBuffer(cells, side)


def is_visible(projected: Projected, buffer: DepthBuffer, camera: Intrinsics) -> Tensor:
    """Tell which points the camera sees, bool (N,): no other one of their cell hides them."""
    inside = projected.place < camera.height * camera.width
    if int(inside.sum()) == int((buffer.depth_m < torch.inf).sum()):
        return inside  # each point has a cell of its own
    limit = buffer.depth_m * (1 + SAME_DEPTH) + _steps(buffer.depth_m)
    if buffer.side > 1:
        limit = limit.repeat_interleave(buffer.side, 0).repeat_interleave(buffer.side, 1)
        limit = limit[: camera.height, : camera.width]
    nowhere = limit.new_full((1,), -1.0)
    return projected.depth_m <= torch.cat([limit.flatten(), nowhere])[projected.place]


def _in_cells(nearest: Tensor, side: int) -> Tensor:
    return -max_pool2d(-nearest[None, None], side, ceil_mode=True)[0, 0]


def _is_filled(cells: Tensor) -> bool:
    there: NDArray[np.uint8] = (cells < torch.inf).cpu().numpy().view(np.uint8)
    kernel = np.ones((SPACING_PX, SPACING_PX), np.uint8)
    closed = cv2.morphologyEx(there, cv2.MORPH_CLOSE, kernel, borderType=cv2.BORDER_REPLICATE)
    return cv2.countNonZero(there) >= LEAST_FILLED * cv2.countNonZero(closed)


def _steps(depth_m: Tensor) -> Tensor:
    """How much the depth changes from cell to cell on the surface of each, not over its edge."""
    allowed = torch.zeros_like(depth_m)
    for axis in (0, 1):
        if depth_m.shape[axis] < 3:
            continue
        step = depth_m.diff(dim=axis).abs_().nan_to_num_(nan=torch.inf)
        count = step.shape[axis]
        least = torch.minimum(step.narrow(axis, 0, count - 1), step.narrow(axis, 1, count - 1))
        allowed.narrow(axis, 1, count - 1).add_(least.nan_to_num_(posinf=0.0))
    return allowed
