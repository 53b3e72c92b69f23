# SPDX-License-Identifier: Apache-2.0
"""How one image, with whatever sparse depth came at about the same time, becomes a command."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor_msgs.msg import Image, PointCloud2

from vizion3d_ros.contracts.commands import MetricScale, MonoCommand, Output
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.settings.mono_settings import MonoSettings, SparseDepthSettings
from vizion3d_ros.geometry.metric_scale.sparse_depth import SparseDepth, from_depth_image, project
from vizion3d_ros.geometry.metric_scale.tracker import ScaleTracker
from vizion3d_ros.geometry.rectify import rectify
from vizion3d_ros.pipeline import MonoPipeline
from vizion3d_ros.ros.stream.camera_info import CameraCache
from vizion3d_ros.ros.stream.measurements_in import float_map, points_of
from vizion3d_ros.ros.stream.messages_in import image_to_array
from vizion3d_ros.ros.stream.processor import FrameProcessor, Job
from vizion3d_ros.ros.stream.sync import stamp_to_ns
from vizion3d_ros.ros.stream.topics import OutputPublishers

if TYPE_CHECKING:
    from std_msgs.msg import Header
    from torch import Tensor

    from vizion3d_ros.contracts.camera import Intrinsics
    from vizion3d_ros.contracts.results import MonoResult

NO_TRANSFORM = SparseDepthSettings().transform
HOW_TO_GET_METRES = (
    'use a metric checkpoint (depth-anything-v2-metric-hypersim-*, -vkitti-*), '
    'or publish lidar or SLAM depth on sparse_depth/points or sparse_depth/image'
)
RELATIVE = (
    'relative checkpoint: its answer is inverse depth up to scale and shift, which goes to '
    f'relative_depth/*; for metres on depth/* and points2 {HOW_TO_GET_METRES}'
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MonoFrame:
    """An image as it waits for the worker, and the sparse depth of about its time."""

    image: Image
    sparse: PointCloud2 | Image | None = None


class MonoProcessor(FrameProcessor[MonoFrame, MonoSettings]):
    """Decodes images; keeps the scale that sparse depth gives a relative answer."""

    def __init__(
        self,
        pipeline: MonoPipeline,
        camera: CameraCache,
        outputs: OutputPublishers,
        settings: Callable[[], MonoSettings],
    ) -> None:
        """settings() gives the ones to use for the image in hand."""
        super().__init__(pipeline, outputs, settings)
        self.tracker = ScaleTracker(settings().sparse_depth)
        self.relative: bool | None = None  # until the first answer
        self.sparse_fault = ''
        self.sparse_frames = ''
        self._camera = camera
        self._network = settings().depth_anything_v2
        self._checkpoint = ''
        self._scaled = False

    def decode(
        self, frame: MonoFrame, settings: MonoSettings, needs: frozenset[Output]
    ) -> Job | None:
        """Turn the messages into arrays, the image rectified if that is asked for."""
        self.tracker.settings = settings.sparse_depth
        if settings.depth_anything_v2 != self._network:  # whose scale is another
            self._network = settings.depth_anything_v2
            self.tracker.reset()
        return self._job(frame, settings, needs, self.tracker)

    def decode_once(self, frame: MonoFrame, settings: MonoSettings) -> Job | None:
        """As decode, but the fit is of this frame alone and the one in force stays as it is."""
        return self._job(frame, settings, frozenset(Output), ScaleTracker(settings.sparse_depth))

    def _job(
        self,
        frame: MonoFrame,
        settings: MonoSettings,
        needs: frozenset[Output],
        tracker: ScaleTracker,
    ) -> Job | None:
        known = self._camera.known
        camera = known.intrinsics if known else None
        image = image_to_array(frame.image, settings.mono16_bits)
        if settings.rectify:
            if known is None or camera is None:
                return None
            image = rectify(image, known.content)
        command = MonoCommand(
            image=image,
            camera=camera,
            settings=settings,
            outputs=needs,
            scale_of=self._scale_of(frame, camera, tracker) if needs else None,
        )
        return Job(command, {'camera': known.info} if known and camera else {})

    def note(self, result: MonoResult, header: Header) -> None:
        """Say once for each checkpoint what kind of answer it gives, and when metres come."""
        relative = result.relative is not None
        known = self.relative and result.checkpoint == self._checkpoint
        if relative and result.depth_m is None and not known:
            logger.warning(RELATIVE)
        self.relative, self._checkpoint = relative, result.checkpoint
        fit, scale = self.tracker.state.fit, self.tracker.state.scale
        if fit is not None and scale is not None and not self._scaled:
            text = f'metres from sparse depth: {fit.inliers} of {fit.points} points agree'
            if self._throttle.allows(text):
                logger.info(text)
        self._scaled = scale is not None
        super().note(result, header)

    def _scale_of(
        self, frame: MonoFrame, camera: Intrinsics | None, tracker: ScaleTracker
    ) -> Callable[[Tensor], MetricScale | None]:
        sparse = self._sparse(frame, camera, tracker.settings.transform)
        stamp_ns = stamp_to_ns(frame.image)
        return lambda relative: tracker.update(relative, sparse, stamp_ns)

    def _sparse(
        self, frame: MonoFrame, camera: Intrinsics | None, transform: list[float]
    ) -> SparseDepth | None:
        if frame.sparse is None or camera is None:
            return None
        self.sparse_fault = ''
        self.sparse_frames = _doubts(frame.sparse, frame.image, transform)
        try:
            return sparse_depth(frame.sparse, camera, transform)
        except InputError as error:  # costs the metres, not the frame
            self.sparse_fault = f'sparse depth cannot be used: {error}'
            return None


def _doubts(sparse: PointCloud2 | Image, image: Image, transform: list[float]) -> str:
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


def sparse_depth(
    message: PointCloud2 | Image, camera: Intrinsics, transform: list[float]
) -> SparseDepth:
    """
    Bring sparse depth into the image; transform: pose of the points' frame, as the setting.

    Raises InputError for a message that holds no depth.
    """
    if isinstance(message, Image):
        return from_depth_image(float_map(message), camera)
    return project(points_of(message), transform, camera)
