# SPDX-License-Identifier: Apache-2.0
"""
Disparity to depth to coloured points, on torch tensors of any device.

Points are packed on the device into the bytes of a PointCloud2. A point is four float32: x, y, z
in metres (REP-103 optical frame) and rgb, whose bits are 0x00RRGGBB (PCL). Sixteen bytes, no
padding; where PCL's own layout is asked for, the message gets it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import threshold

from vizion3d_ros.contracts.camera import Intrinsics
from vizion3d_ros.contracts.settings.node_settings import PointsSettings
from vizion3d_ros.geometry.voxels import average_voxels

if TYPE_CHECKING:
    from numpy.typing import NDArray

WITHOUT_ALPHA = 0xFFFFFF


def correct_disparity(raw: Tensor, doffs: float, min_disparity: float) -> Tensor:
    """
    Add doffs to x_left - x_right; what falls below min_disparity becomes NaN.

    raw: float32 (H, W) pixels, NaN = no match. Validity is judged after the correction because
    verged rigs have negative raw disparities. min_disparity > 0 keeps depth finite.
    """
    return at_least(raw + doffs if doffs else raw, min_disparity)


def at_least(values: Tensor, least: float) -> Tensor:
    """Values below least become NaN; float32 of any shape."""
    just_below = float(np.nextafter(np.float32(least), np.float32(-np.inf)))
    # One pass: threshold keeps what is above and lets NaN through.
    return threshold(values, just_below, torch.nan)


def scored_at_least(values: Tensor, score: Tensor, least: float) -> Tensor:
    """Values whose score is below least become NaN; float32, both of one shape."""
    # NaN times 0 is NaN: two passes of arithmetic, where filling by a mask takes three times as
    # long on a CPU.
    return values.add(at_least(score, least), alpha=0)


def depth_from_disparity(disparity: Tensor, focal_baseline: float) -> Tensor:
    """
    Z = fx * baseline / disparity: float32 (H, W) metres along the optical axis.

    disparity: corrected, pixels, > 0 or NaN. focal_baseline: pixels * metres.
    """
    # A tensor divides in one pass, a Python number takes a reciprocal first.
    return torch.tensor(focal_baseline, dtype=disparity.dtype) / disparity


def make_cloud(
    depth_m: Tensor,
    image: NDArray[np.uint8],
    camera: Intrinsics,
    settings: PointsSettings,
    *,
    confidence: Tensor | None = None,
    visibility: Tensor | None = None,
    deviation: Tensor | None = None,
) -> Tensor:
    """
    Points of one depth image: float32 (H', W', 4) organised or (N, 4) valid points only.

    With settings.uncertainty they have a fifth column, deviation or NaN without one.

    With settings.voxel_size the valid ones become one of each cube, see average_voxels.

    depth_m, confidence, visibility, deviation: float32 (H, W), one device; image: uint8 (H, W)
    grey or (H, W, 3) RGB. Pixels without depth, too far, too uncertain or hidden from a camera
    have NaN x, y, z, or are left out.
    """
    step = settings.decimation
    thinned = depth_m[::step, ::step]
    if settings.max_range > 0:
        thinned = -threshold(-thinned, -settings.max_range, torch.nan)
    scores = ((confidence, settings.min_confidence), (visibility, settings.min_visibility))
    for score, least in scores:
        if score is not None and least > 0:
            thinned = scored_at_least(thinned, score[::step, ::step], least)
    colors = pack_colors(image[::step, ::step]).to(thinned.device)
    planes = [*unproject(thinned, camera, step), colors.view(torch.float32)]
    if settings.uncertainty:
        known = torch.full_like(depth_m, torch.nan) if deviation is None else deviation
        planes.append(known[::step, ::step].add(thinned, alpha=0))  # NaN where nothing is
    points = _interleaved(planes)
    if settings.voxel_size > 0:
        return average_voxels(_measured(points), settings.voxel_size)
    return points if settings.organized else _measured(points)


def unproject(depth_m: Tensor, camera: Intrinsics, step: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    """
    Rays times depth: x, y and z in metres, float32 (H, W) each, in the optical frame.

    depth_m: float32 (H, W) metres, every step-th pixel of the camera's image; NaN depth gives a
    NaN point.
    """
    height, width = depth_m.shape
    columns = torch.arange(width, dtype=torch.float32, device=depth_m.device) * step
    rows = torch.arange(height, dtype=torch.float32, device=depth_m.device) * step
    x = depth_m * ((columns - camera.cx) / camera.fx)
    y = depth_m * ((rows - camera.cy) / camera.fy)[:, None]
    return x, y, depth_m


def pack_colors(image: NDArray[np.uint8]) -> Tensor:
    """
    Colours as points have them: int32 (H, W) on the CPU, bits 0x00RRGGBB.

    image: uint8 (H, W) grey or (H, W, 3) RGB.
    """
    # Bytes in little-endian memory are blue, green, red and what OpenCV takes for alpha.
    code = cv2.COLOR_RGB2BGRA if image.ndim == 3 else cv2.COLOR_GRAY2BGRA
    packed = torch.from_numpy(cv2.cvtColor(image, code)).view(torch.int32)[..., 0]
    return packed.bitwise_and_(WITHOUT_ALPHA)


def _interleaved(planes: list[Tensor]) -> Tensor:
    """Planes (H, W) to (H, W, planes)."""
    if planes[0].is_cuda:
        return torch.stack(planes, dim=-1)
    # Five times as fast as stack on a CPU, whose loop there goes by single numbers.
    merged = cv2.merge([plane.numpy() for plane in planes])
    return torch.from_numpy(merged).reshape(*planes[0].shape, len(planes))


def _measured(points: Tensor) -> Tensor:
    # Three times as fast as indexing with the mask.
    finite = torch.isfinite(points[..., 2]).flatten().nonzero()[:, 0]
    return points.flatten(0, 1).index_select(0, finite)
