# SPDX-License-Identifier: Apache-2.0
"""The mono node: hands the newest image, and sparse depth of about its time, to the worker."""

from __future__ import annotations

import logging
import time
from typing import NoReturn, cast

from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from vizion3d_ros.contracts import topic_names
from vizion3d_ros.contracts.settings.mono_settings import MonoSettings
from vizion3d_ros.incoming.camera_info import CameraCache
from vizion3d_ros.incoming.input_stats import InputStats
from vizion3d_ros.incoming.sync import stamp_to_ns
from vizion3d_ros.pipeline import MonoPipeline
from vizion3d_ros.ros.health.diagnostics import Task
from vizion3d_ros.ros.health.mono_status import MonoStatus
from vizion3d_ros.ros.health.picture_status import pictures_task
from vizion3d_ros.ros.health.status import Components, output_task
from vizion3d_ros.ros.messages.compressed import AnyImage
from vizion3d_ros.ros.nodes.depth_node import DepthNode
from vizion3d_ros.ros.nodes.one_camera import OneCamera
from vizion3d_ros.ros.nodes.running import run_depth_node
from vizion3d_ros.ros.serving.depth_services import MonoService
from vizion3d_ros.ros.stream.mono_frames import RELATIVE, MonoFrame, MonoProcessor
from vizion3d_ros.ros.stream.sparse_input import SparseInput
from vizion3d_ros.ros.stream.topics import MONO_INPUTS, MONO_OUTPUTS, OutputPublishers

ABOUT = 'Depth from the images of one camera, in metres where network or sparse depth gives them.'
logger = logging.getLogger(__name__)


class MonoNode(OneCamera, DepthNode[MonoSettings]):
    """Turns `image_rect` into relative depth, or metric depth where its scale is known."""

    IMAGES = (topic_names.IMAGE,)
    INPUTS = MONO_INPUTS
    OUTPUTS = MONO_OUTPUTS
    SERVICE = MonoService

    def __init__(self) -> None:
        """Declare parameters and, with autostart, become active."""
        super().__init__('mono_node', MonoSettings)
        self._camera = CameraCache()
        self._images = InputStats()
        self._sparse = SparseInput()
        self.begin(
            {
                topic_names.IMAGE: self._on_image,
                topic_names.INFO: self._on_info,
                topic_names.SPARSE_POINTS: self._on_sparse,
                topic_names.SPARSE_IMAGE: self._on_sparse,
            }
        )

    def make_pipeline(self, settings: MonoSettings) -> MonoPipeline:
        """Choose the device."""
        return MonoPipeline(settings.device)

    def make_processor(self, pipeline: MonoPipeline, outputs: OutputPublishers) -> MonoProcessor:
        """Decode with the newest calibration and settings."""
        return MonoProcessor(pipeline, self._camera, outputs, lambda: self.usable_settings)

    def reset(self) -> None:
        """Drop sparse depth that waits for an image."""
        self._sparse.reset()
        self._images.restart()

    def forget(self) -> None:
        """Drop sparse depth that waits for an image, and count from now on."""
        self._sparse.restart()
        self._images = InputStats()

    def on_parameters(self, settings: MonoSettings) -> None:
        """Nothing here outlives a frame."""

    def tasks(self, components: Components) -> dict[str, Task]:
        """Report images, calibration, scale and output."""
        settings = self.settings
        wanted = components.outputs.wanted(settings.lazy)
        status = MonoStatus(self.inputs, self._images, self._sparse, self._camera, settings)
        processor = cast(MonoProcessor, components.processor)
        return {
            'input': status.images_in(self.quiet_since),
            'calibration': status.calibration(wanted),
            'pictures': pictures_task(processor.doctor),
            'scale': status.scale(processor, wanted),
            'output': output_task(components, self.inputs, settings, settings.timeout),
        }

    def is_logged(self, name: str, text: str) -> bool:
        """Leave out what the processor has said once."""
        return super().is_logged(name, text) or text == RELATIVE

    def _on_info(self, info: CameraInfo) -> None:
        self._camera.add(info)

    def _on_sparse(self, message: PointCloud2 | Image) -> None:
        self._sparse.add(message, self._images.newest_ns)

    def _on_image(self, image: AnyImage) -> None:
        self.quiet_since = time.monotonic()
        stamp_ns = stamp_to_ns(image)
        newest_ns = self._images.newest_ns or 0
        if self._images.goes_back(stamp_ns):
            if not self._images.jumps:  # then the report says so
                back_s = (newest_ns - stamp_ns) / 1e9
                logger.info('time went back by %.3f s: all starts anew', back_s)
            self.reset_frames()
        self._images.add(stamp_ns)
        max_offset = self.settings.sparse_depth.max_offset
        self.hand_over(MonoFrame(image, self._sparse.near(stamp_ns, max_offset)))


def main(args: list[str] | None = None) -> NoReturn:
    """Run the node until it is told to stop."""
    run_depth_node(MonoNode, ABOUT, args)


if __name__ == '__main__':
    main()
