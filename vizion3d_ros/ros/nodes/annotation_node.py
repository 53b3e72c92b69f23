# SPDX-License-Identifier: Apache-2.0
"""
The annotation node: which points are which object, by the masks of a detector.

    depth/image | points2 ─────────────────┬─ StereoSync ─ AnnotationFrame ─ worker ─ outputs
    instances/image | left/image_rect ─────┘        │
    instances/detections ─ KeptDetections ──────────┘
    depth/camera_info ─ CameraCache
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NoReturn, cast

from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from vision_msgs.msg import Detection2DArray

from vizion3d_ros.contracts import topic_names
from vizion3d_ros.contracts.settings.annotation_node_settings import AnnotationNodeSettings
from vizion3d_ros.contracts.settings.annotation_settings import AnnotationSettings
from vizion3d_ros.incoming.camera_info import CameraCache
from vizion3d_ros.incoming.sync import PairWords, StereoSync
from vizion3d_ros.pipeline import AnnotationPipeline
from vizion3d_ros.ros.health.annotation_status import AnnotationStatus
from vizion3d_ros.ros.health.diagnostics import Task
from vizion3d_ros.ros.health.status import Components, output_task
from vizion3d_ros.ros.nodes.depth_node import DepthNode
from vizion3d_ros.ros.nodes.one_camera import OneCamera
from vizion3d_ros.ros.nodes.running import run_depth_node
from vizion3d_ros.ros.serving.annotation_service import AnnotationService
from vizion3d_ros.ros.stream.annotation_frames import (
    AnnotationFrame,
    AnnotationProcessor,
    KeptDetections,
)
from vizion3d_ros.ros.stream.filters import FilteredPairs
from vizion3d_ros.ros.stream.topics import (
    ANNOTATION_CLOUDS,
    ANNOTATION_OBJECTS,
    ANNOTATION_OUTPUTS,
    OutputPublishers,
)

ABOUT = (
    'Boxes in space and labelled points, of the masks of a detector and a depth image or cloud.'
)
WORDS = {'masks': 'instances', 'segmenter': 'left'}
CURE = 'have both carry the stamp of the image that they were made of'


class MaskPipeline(AnnotationPipeline):
    """Loads a segmenter only for a node that is to have one."""

    def warm_up(self, settings: AnnotationSettings) -> None:
        """Load what the settings name."""
        if cast(AnnotationNodeSettings, settings).backend == 'segmenter':
            super().warm_up(settings)


class AnnotationNode(OneCamera, DepthNode[AnnotationNodeSettings]):
    """Turns masks and depth into `detections_3d`, `labeled_points` and `markers`."""

    OUTPUTS = ANNOTATION_OUTPUTS
    SERVICE = AnnotationService
    SNAPSHOTS = False

    def __init__(self) -> None:
        """Declare parameters and, with autostart, become active."""
        super().__init__('annotation_node', AnnotationNodeSettings)
        settings = self.settings
        clouds, pictures = ANNOTATION_CLOUDS[settings.cloud], ANNOTATION_OBJECTS[settings.backend]
        self._cloud, self._picture = next(iter(clouds)), list(pictures)[-1]
        self.IMAGES = (self._cloud, self._picture)
        self.INPUTS = {topic_names.DEPTH_INFO: CameraInfo, **pictures, **clouds}
        self._camera = CameraCache()
        words = PairWords(
            'depth', WORDS[settings.backend], 'pair of depth and masks', CURE, CURE, one_rate=False
        )
        self._sync = StereoSync(
            settings.sync, self._on_pair, self.reset_frames, FilteredPairs, words
        )
        self._detections = KeptDetections()
        self._waiting: AnnotationFrame | None = None
        callbacks: dict[str, Callable[[Any], None]] = {
            topic_names.DEPTH_INFO: self._on_info,
            topic_names.DETECTIONS: self._on_detections,
            self._cloud: self._sync.add_left,
            self._picture: self._sync.add_right,
        }
        self.begin({name: callbacks[name] for name in self.INPUTS})

    def make_pipeline(self, settings: AnnotationNodeSettings) -> MaskPipeline:
        """Choose the device."""
        return MaskPipeline(settings.device)

    def make_processor(
        self, pipeline: MaskPipeline, outputs: OutputPublishers
    ) -> AnnotationProcessor:
        """Decode with the newest calibration and settings."""
        return AnnotationProcessor(pipeline, self._camera, outputs, lambda: self.usable_settings)

    def reset(self) -> None:
        """Drop what waits for its partner."""
        self._sync.reset()
        self._detections.reset()
        self._waiting = None

    def forget(self) -> None:
        """Drop what waits for its partner, and count from now on."""
        self.reset()
        self._sync.restart()

    def on_parameters(self, settings: AnnotationNodeSettings) -> None:
        """Pair by changed parameters."""
        self._sync.configure(settings.sync)

    def tasks(self, components: Components) -> dict[str, Task]:
        """Report pairing, calibration, masks and output."""
        settings = self.settings
        status = AnnotationStatus(
            self.inputs, self._sync, self._camera, self._cloud, self._picture
        )
        return {
            'sync': status.pairing(self.quiet_since),
            'calibration': status.calibration(),
            'masks': status.masks(cast(AnnotationProcessor, components.processor)),
            'output': output_task(components, self.inputs, settings, settings.sync.timeout),
        }

    def _on_info(self, info: CameraInfo) -> None:
        self._camera.add(info)
        self._release_waiting()

    def _on_detections(self, message: Detection2DArray) -> None:
        self._detections.add(message)
        self._release_waiting()

    def _on_pair(self, cloud: Image | PointCloud2, picture: Image) -> None:
        self.quiet_since = time.monotonic()
        self._release_waiting(late=True)
        self._waiting = AnnotationFrame(cloud, picture)
        self._release_waiting()

    def _release_waiting(self, late: bool = False) -> None:
        """Hand the newest pair over once camera and classes are there; late: camera alone."""
        waiting = self._waiting
        if waiting is None or self._camera.known is None:
            return
        detections = self._detections.of(waiting.picture)
        awaited = topic_names.DETECTIONS in self.INPUTS and self.count_publishers(
            self.inputs.topic(topic_names.DETECTIONS)
        )
        if awaited and detections is None and not late:
            return
        if self.hand_over(AnnotationFrame(waiting.image, waiting.picture, detections)):
            self._waiting = None


def main(args: list[str] | None = None) -> NoReturn:
    """Run the node until it is told to stop."""
    run_depth_node(AnnotationNode, ABOUT, args)


if __name__ == '__main__':
    main()
