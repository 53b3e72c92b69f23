# SPDX-License-Identifier: Apache-2.0
"""The mono node: hands the newest image, and sparse depth of about its time, to the worker."""

from __future__ import annotations

import logging
import sys
import time

from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from vizion3d_ros.contracts.mono_settings import MonoSettings
from vizion3d_ros.pipeline import MonoPipeline
from vizion3d_ros.ros.camera_info import CameraCache
from vizion3d_ros.ros.depth_node import DepthNode, run_depth_node
from vizion3d_ros.ros.mono_frames import MonoFrame, MonoProcessor
from vizion3d_ros.ros.mono_status import MonoStatus, SparseStats
from vizion3d_ros.ros.status import Parts, Task, output_task
from vizion3d_ros.ros.sync import JUMP_BACK_NS, InputStats, stamp_to_ns
from vizion3d_ros.ros.topics import MONO_INPUTS, MONO_OUTPUTS, OutputPublishers

logger = logging.getLogger(__name__)


class MonoNode(DepthNode[MonoSettings]):
    """Turns `image_rect` into relative depth, or metric depth where its scale is known."""

    IMAGES = ('image_rect',)
    INPUTS = MONO_INPUTS
    OUTPUTS = MONO_OUTPUTS

    def __init__(self) -> None:
        """Declare parameters and, with autostart, become active."""
        super().__init__('mono_node', MonoSettings)
        self._camera = CameraCache()
        self._images = InputStats()
        self._sparse: PointCloud2 | Image | None = None
        self._sparse_stats = SparseStats()
        self.begin(
            {
                'image_rect': self._on_image,
                'camera_info': self._on_info,
                'sparse_depth/points': self._on_sparse,
                'sparse_depth/image': self._on_sparse,
            }
        )

    def load(self, settings: MonoSettings) -> MonoPipeline:
        """Load the network."""
        pipeline = MonoPipeline(settings.device)
        pipeline.warm_up(settings)
        return pipeline

    def make_processor(self, pipeline: MonoPipeline, outputs: OutputPublishers) -> MonoProcessor:
        """Decode with the newest calibration and settings."""
        return MonoProcessor(pipeline, self._camera, outputs, lambda: self.settings)

    def forget(self) -> None:
        """Drop sparse depth that waits for an image."""
        self._sparse = None
        self._images.newest_ns = None
        self._images.steps_ns.clear()

    def follow(self, settings: MonoSettings) -> None:
        """Nothing here outlives a frame."""

    def tasks(self, parts: Parts) -> dict[str, Task]:
        """Report images, calibration, scale and output."""
        settings = self.settings
        wanted = parts.outputs.wanted(settings.lazy, cloud_rate=0)
        status = MonoStatus(self.inputs, self._images, self._sparse_stats, self._camera, settings)
        return {
            'input': status.images_in(self.quiet_since),
            'calibration': status.calibration(wanted),
            'scale': status.scale(parts.processor, wanted),
            'output': output_task(parts, self.inputs, settings.timeout),
        }

    def _on_info(self, info: CameraInfo) -> None:
        self._camera.add(info)

    def _on_sparse(self, message: PointCloud2 | Image) -> None:
        self._sparse_stats.received += 1
        self._sparse = message

    def _on_image(self, image: Image) -> None:
        self.quiet_since = time.monotonic()
        stamp_ns = stamp_to_ns(image)
        newest_ns = self._images.newest_ns
        if newest_ns is not None and stamp_ns < newest_ns - JUMP_BACK_NS:
            logger.info('time went back by %.3f s: all starts anew', (newest_ns - stamp_ns) / 1e9)
            self.forget()
        self._images.add(stamp_ns)
        self.hand_over(MonoFrame(image, self._sparse_for(stamp_ns)))

    def _sparse_for(self, stamp_ns: int) -> PointCloud2 | Image | None:
        """Sparse depth of about the time of an image, as far as it has come."""
        if self._sparse is None:
            return None
        stats = self._sparse_stats
        stats.offset = (stamp_ns - stamp_to_ns(self._sparse)) / 1e9
        if abs(stats.offset) > self.settings.sparse_depth.max_offset:
            return None
        stats.used += 1
        return self._sparse


def main(args: list[str] | None = None) -> int:
    """Run the node until it is told to stop."""
    return run_depth_node(MonoNode, args)


if __name__ == '__main__':
    sys.exit(main())
