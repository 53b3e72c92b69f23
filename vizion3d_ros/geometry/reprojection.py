# SPDX-License-Identifier: Apache-2.0
"""
Disparity to depth to coloured points, on torch tensors of any device.

Points are packed on the device into the bytes of a PointCloud2. A point is four float32: x, y, z
in metres (REP-103 optical frame) and rgb, whose bits are 0x00RRGGBB (PCL). Sixteen bytes, no
padding.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import threshold

from vizion3d_ros.contracts.camera import Intrinsics
from vizion3d_ros.contracts.settings.node_settings import PointsSettings


def correct_disparity(raw: Tensor, doffs: float, min_disparity: float) -> Tensor:
    """
    Add doffs to x_left - x_right; what falls below min_disparity becomes NaN.

    raw: float32 (H, W) pixels, NaN = no match. Validity is judged after the correction because
    verged rigs have negative raw disparities. min_disparity > 0 keeps depth finite.
    """
    just_below = float(np.nextafter(np.float32(min_disparity), np.float32(-np.inf)))
    # One pass: threshold keeps what is above and lets NaN through.
    return threshold(raw + doffs, just_below, torch.nan, inplace=True)


def depth_from_disparity(disparity: Tensor, focal_baseline: float) -> Tensor:
    """
    Z = fx * baseline / disparity: float32 (H, W) metres along the optical axis.

    disparity: corrected, pixels, > 0 or NaN. focal_baseline: pixels * metres.
    """
    # A tensor divides in one pass, a Python number takes a reciprocal first.
    return torch.tensor(focal_baseline, dtype=disparity.dtype) / disparity


def make_cloud(
    depth_m: Tensor,
    image: Tensor,
    camera: Intrinsics,
    settings: PointsSettings,
    *,
    confidence: Tensor | None = None,
    visibility: Tensor | None = None,
) -> Tensor:
    """
    Points of one depth image: float32 (H', W', 4) organised or (N, 4) valid points only.

    depth_m, confidence, visibility: float32 (H, W); image: uint8 (H, W) grey or (H, W, 3) RGB,
    one device. Pixels without depth, too far, too uncertain or hidden from a camera have NaN
    x, y, z, or are left out.
    """
    step = settings.decimation
    thinned = depth_m[::step, ::step]
    if settings.max_range > 0:
        thinned = thinned.masked_fill(thinned >= settings.max_range, torch.nan)
    scores = ((confidence, settings.min_confidence), (visibility, settings.min_visibility))
    for score, least in scores:
        if score is not None and least > 0:
            thinned = thinned.masked_fill(score[::step, ::step] < least, torch.nan)
    points = unproject(thinned, camera, step)
    paint(points, image[::step, ::step])
    return points if settings.organized else _measured(points)


def unproject(depth_m: Tensor, camera: Intrinsics, step: int = 1) -> Tensor:
    """
    Rays times depth: float32 (H, W, 4) with x, y, z filled in, column 3 left as it came.

    depth_m: float32 (H, W) metres, every step-th pixel of the camera's image; NaN depth gives a
    NaN point. Points are metres in the optical frame.
    """
    height, width = depth_m.shape
    columns = torch.arange(width, dtype=torch.float32, device=depth_m.device) * step
    rows = torch.arange(height, dtype=torch.float32, device=depth_m.device) * step
    points = torch.empty((height, width, 4), dtype=torch.float32, device=depth_m.device)
    torch.mul(depth_m, (columns - camera.cx) / camera.fx, out=points[..., 0])
    torch.mul(depth_m, ((rows - camera.cy) / camera.fy)[:, None], out=points[..., 1])
    points[..., 2] = depth_m
    return points


def paint(points: Tensor, image: Tensor) -> None:
    """
    Write colours into column 3 of points, float32 (H, W, 4), as bits 0x00RRGGBB.

    image: uint8 (H, W) grey or (H, W, 3) RGB.
    """
    red, green, blue = image.unbind(-1) if image.ndim == 3 else (image, image, image)
    # Byte by byte to where 0x00RRGGBB lies in little-endian memory: no 32-bit temporaries.
    memory = points.view(torch.uint8)[..., 12:]
    for index, channel in enumerate((blue, green, red)):
        memory[..., index] = channel
    memory[..., 3] = 0


def _measured(points: Tensor) -> Tensor:
    # Three times as fast as indexing with the mask.
    finite = torch.isfinite(points[..., 2]).flatten().nonzero()[:, 0]
    return points.flatten(0, 1).index_select(0, finite)
