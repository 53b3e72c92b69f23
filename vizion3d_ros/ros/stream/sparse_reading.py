# SPDX-License-Identifier: Apache-2.0
"""What a message of sparse depth says of an image: depths at its pixels, and doubts about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor_msgs.msg import Image, PointCloud2

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.settings.mono_settings import SparseDepthSettings
from vizion3d_ros.geometry.metric_scale.sparse_depth import from_depth_image, project
from vizion3d_ros.incoming.messages import Stamped
from vizion3d_ros.ros.messages.measurements import float_map, points_of

if TYPE_CHECKING:
    from vizion3d_ros.contracts.camera import Intrinsics
    from vizion3d_ros.contracts.metric_scale import SparseDepth

NO_TRANSFORM = SparseDepthSettings().transform


@dataclass(frozen=True, slots=True)
class SparseReading:
    """
    A message as it was read.

    depth: None if the message holds none; fault: then why. doubt: why it may be of another place.
    """

    depth: SparseDepth | None = None
    fault: str = ''
    doubt: str = ''


def read_sparse(
    message: PointCloud2 | Image, image: Stamped, camera: Intrinsics, transform: list[float]
) -> SparseReading:
    """
    Read sparse depth that belongs to an image of this camera.

    transform: pose of the points' frame in the optical frame, as the setting. A message that
    cannot be used costs the metres, not the frame.
    """
    doubt = _doubt(message, image, transform)
    try:
        if isinstance(message, Image):
            depth = from_depth_image(float_map(message), camera)
        else:
            depth = project(points_of(message), transform, camera)
    except InputError as error:
        return SparseReading(fault=f'sparse depth cannot be used: {error}', doubt=doubt)
    return SparseReading(depth, doubt=doubt)


def _doubt(sparse: PointCloud2 | Image, image: Stamped, transform: list[float]) -> str:
    """Say that sparse depth of another frame is taken for that of the image, if so."""
    theirs, ours = sparse.header.frame_id, image.header.frame_id
    if theirs == ours:
        return ''
    if isinstance(sparse, Image):
        return (
            f'sparse_depth/image is of frame {theirs!r} and the image of {ours!r}: is it '
            'registered to the image, pixel by pixel?'
        )
    if transform != NO_TRANSFORM:
        return ''
    return (
        f'the points are in frame {theirs!r} and the image in {ours!r}, but '
        'sparse_depth.transform says that these are one: set it to the pose of the former in the '
        'latter'
    )
