# SPDX-License-Identifier: Apache-2.0
"""How one image, with whatever sparse depth came at about the same time, becomes a command."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor_msgs.msg import Image, PointCloud2

from vizion3d_ros.contracts.commands import MonoCommand, Output
from vizion3d_ros.contracts.settings.mono_settings import MonoSettings
from vizion3d_ros.diagnosis.mono_doctor import MonoDoctor
from vizion3d_ros.geometry.metric_scale.tracker import NO_SCALE_YET, ScaleTracker
from vizion3d_ros.geometry.rectify import rectify
from vizion3d_ros.pipeline import MonoPipeline
from vizion3d_ros.requests.pictures import picture_limits
from vizion3d_ros.ros.messages.compressed import AnyImage, as_image
from vizion3d_ros.ros.messages.incoming import image_to_array
from vizion3d_ros.ros.messages.outgoing import FrameAnswer
from vizion3d_ros.ros.stream.camera_info import CameraCache
from vizion3d_ros.ros.stream.processor import DecodedFrame, FrameProcessor
from vizion3d_ros.ros.stream.sparse_reading import SparseReading, read_sparse
from vizion3d_ros.ros.stream.sync import stamp_to_ns
from vizion3d_ros.ros.stream.topics import OutputPublishers

if TYPE_CHECKING:
    from vizion3d_ros.contracts.metric_scale import ScaleUsed
    from vizion3d_ros.contracts.results import MonoResult

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

    image: AnyImage
    sparse: PointCloud2 | Image | None = None


class MonoProcessor(FrameProcessor[MonoFrame, MonoSettings]):
    """
    Decodes images; keeps the scale that sparse depth gives a relative answer.

    What the last results said, for any thread: relative: what kind of answer it was, None before
    the first. scale, sparse: of the last one that was to be metric, and with sparse depth.
    """

    def __init__(
        self,
        pipeline: MonoPipeline,
        camera: CameraCache,
        outputs: OutputPublishers,
        settings: Callable[[], MonoSettings],
    ) -> None:
        """settings() gives the ones to use for the image in hand."""
        super().__init__(pipeline, outputs, settings)
        self.relative: bool | None = None
        self.scale = NO_SCALE_YET
        self.sparse = SparseReading()
        self.doctor = MonoDoctor()
        self._camera = camera
        self._tracker = ScaleTracker()
        self._checkpoint = ''

    def restart(self) -> None:
        """Begin without a scale as well."""
        super().restart()
        self._tracker, self.scale = ScaleTracker(), NO_SCALE_YET

    def decode(
        self, frame: MonoFrame, settings: MonoSettings, needs: frozenset[Output]
    ) -> DecodedFrame | None:
        """Turn the messages into arrays, the image rectified if that is asked for."""
        known = self._camera.known
        camera = known.intrinsics if known else None
        message = as_image(frame.image, picture_limits(settings.requests))
        image = image_to_array(message, settings.mono16_bits)
        if settings.rectify:
            if known is None or camera is None:
                return None
            image = rectify(image, known.content)
        sparse = None
        if frame.sparse is not None and camera is not None and needs:
            transform = settings.sparse_depth.transform
            sparse = read_sparse(frame.sparse, message, camera, transform)
        command = MonoCommand(
            image=image,
            camera=camera,
            settings=settings,
            outputs=needs,
            sparse_depth=sparse.depth if sparse else None,
            stamp_ns=stamp_to_ns(frame.image),
        )
        infos = {'camera': known.info} if known and camera else {}
        return DecodedFrame(message, command, infos, sparse)

    def examine(self, command: MonoCommand, result: MonoResult) -> None:
        """Let the doctor look at the image."""
        self.doctor.look(command.image, time.monotonic())

    def run(self, command: MonoCommand) -> MonoResult:
        """Compute a frame of the stream, its scale in keeping with those before it."""
        return self.pipeline.run(command, self._tracker.update)

    def record(self, decoded: DecodedFrame, answer: FrameAnswer[MonoResult]) -> None:
        """Say once for each checkpoint what kind of answer it gives, and when metres come."""
        result = answer.result
        relative = result.relative is not None
        known = self.relative and result.checkpoint == self._checkpoint
        if relative and result.depth_m is None and not known:
            logger.warning(RELATIVE)
        self.relative, self._checkpoint = relative, result.checkpoint
        self.sparse = decoded.sparse or self.sparse
        if result.scale is not None:
            self._record_scale(result.scale)
        elif not relative:
            self.scale = NO_SCALE_YET
        super().record(decoded, answer)

    def _record_scale(self, used: ScaleUsed) -> None:
        if used.fit and used.scale and not self.scale.scale:
            text = (
                f'metres from sparse depth: {used.fit.inliers} of {used.fit.points} points agree'
            )
            if self._throttle.allows(text):
                logger.info(text)
        self.scale = used
