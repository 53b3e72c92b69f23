# SPDX-License-Identifier: Apache-2.0
"""How a cloud, and the masks or the image of its moment, become a command."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sensor_msgs.msg import Image, PointCloud2
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray

from vizion3d_ros.contracts.annotation.instances import Segmentation
from vizion3d_ros.contracts.commands import AnnotationCommand, Output
from vizion3d_ros.contracts.results import AnnotationResult
from vizion3d_ros.contracts.settings.annotation_node_settings import AnnotationNodeSettings
from vizion3d_ros.geometry.annotation.projection import out_of_view
from vizion3d_ros.incoming.camera_info import CameraCache
from vizion3d_ros.incoming.images import image_to_array
from vizion3d_ros.incoming.sync import stamp_to_ns
from vizion3d_ros.ros.messages.instances import UNKNOWN, measured_points, objects_of
from vizion3d_ros.ros.messages.objects import AnnotatedFrame, annotated_frame
from vizion3d_ros.ros.messages.rare_encodings import in_known_encoding
from vizion3d_ros.ros.stream.processor import DecodedFrame, FrameProcessor
from vizion3d_ros.ros.stream.topics import OutputPublishers

KEPT = 10


@dataclass(frozen=True, slots=True)
class AnnotationFrame:
    """
    A depth image or cloud as it waits for the worker.

    picture: the label image of its moment, or the image to find objects in; detections: what the
    numbers of the former are, None if nobody said.
    """

    image: Image | PointCloud2
    picture: Image
    detections: Detection2DArray | None = None


class KeptDetections:
    """The newest messages of a detector, to be found by the stamp of their label image."""

    def __init__(self) -> None:
        self._kept: deque[Detection2DArray] = deque(maxlen=KEPT)

    def add(self, message: Detection2DArray) -> None:
        """Take a message."""
        self._kept.append(message)

    def of(self, labels: Image) -> Detection2DArray | None:
        """Find the one of this label image, None if it is not there."""
        stamp_ns = stamp_to_ns(labels)
        return next((each for each in self._kept if stamp_to_ns(each) == stamp_ns), None)

    def reset(self) -> None:
        """Drop all."""
        self._kept.clear()


class AnnotationProcessor(FrameProcessor[AnnotationFrame, AnnotationNodeSettings]):
    """
    Decodes clouds and masks, and puts boxes around what the pipeline found.

    doubt: what is odd about the masks of the last frame, '' if nothing is; found: how many
    objects it had. For any thread.
    """

    MAKES = 'objects'

    def __init__(
        self,
        pipeline: Any,
        camera: CameraCache,
        outputs: OutputPublishers,
        settings: Callable[[], AnnotationNodeSettings],
    ) -> None:
        """settings() gives the ones to use for the frame in hand."""
        super().__init__(pipeline, outputs, settings)
        self._camera = camera
        self.doubt = ''
        self.found = 0

    def decode(
        self, frame: AnnotationFrame, settings: AnnotationNodeSettings, needs: frozenset[Output]
    ) -> DecodedFrame | None:
        """Turn the messages into arrays."""
        known = self._camera.known
        camera = known.intrinsics if known else None
        if known is None or camera is None:
            return None
        points = measured_points(frame.image, camera)
        within = (points[:, 2] >= settings.min_depth) & (points[:, 2] <= settings.max_depth)
        objects = image = None
        if settings.backend == 'masks':
            objects = objects_of(frame.picture, frame.detections, camera)
            self.doubt = _doubt(objects, frame.detections)
        else:
            picture = in_known_encoding(frame.picture)
            image, self.doubt = image_to_array(picture, settings.mono16_bits), ''
        if len(points) and not within.any():
            self.doubt = _out_of_range(points, settings)
        command = AnnotationCommand(
            points=points if within.all() else points[within],
            camera=camera,
            image=image,
            objects=objects,
            settings=settings,
        )
        return DecodedFrame(frame.picture, command, {'camera': known.info})

    def look(self, decoded: DecodedFrame, settings: AnnotationNodeSettings) -> None:
        """Look at the words of images alone: those of masks are numbers."""
        if settings.backend == 'segmenter':
            self.bits.look(decoded.image, settings.mono16_bits, time.monotonic())

    def answer(
        self,
        frame: AnnotationFrame,
        decoded: DecodedFrame,
        settings: AnnotationNodeSettings,
        result: AnnotationResult,
    ) -> AnnotatedFrame:
        """Put boxes around the objects; stamp and frame are those of the cloud."""
        header = Header(
            stamp=frame.image.header.stamp,
            frame_id=settings.frame_id_override or frame.image.header.frame_id,
        )
        oriented = settings.box == 'oriented'
        points = decoded.command.points
        answer = annotated_frame(result, header, points, oriented, settings.min_points)
        self.found = len(answer.objects)
        if not self.found and not self.doubt:
            self.doubt = _out_of_view(frame, decoded)
        return answer


def _out_of_range(points: NDArray[np.float32], settings: AnnotationNodeSettings) -> str:
    low, high = points[:, 2].min(), points[:, 2].max()
    return (
        f'no point is from min_depth {settings.min_depth:g} to max_depth {settings.max_depth:g} m '
        f'ahead: their z, expected in metres in the optical frame, goes from {low:g} to {high:g}'
    )


def _out_of_view(frame: AnnotationFrame, decoded: DecodedFrame) -> str:
    command: AnnotationCommand = decoded.command
    text = out_of_view(torch.from_numpy(command.points), command.camera)
    if not text:
        return ''
    info = decoded.infos['camera']
    return (
        f'{text}: expected points in the frame of depth/camera_info ({info.header.frame_id!r}, x '
        f'right, y down, z forward), got {frame.image.header.frame_id!r}: transform the cloud'
    )


def _doubt(objects: Segmentation, detections: Detection2DArray | None) -> str:
    """Say which masks have no class, and which detections no mask; '' if there are none."""
    unknown = [each.number for each in objects.instances if each.label == UNKNOWN]
    told = len(detections.detections) if detections else 0
    lost = told - len(objects.instances)
    if unknown and detections is not None:
        return (
            f'instances/image has {len(unknown)} numbers, such as {unknown[0]}, that no detection '
            'tells of: have the detector set id to the number in the mask, or send detections in '
            'the order of the numbers, from 1 on'
        )
    if lost > 0:
        return (
            f'{lost} of {told} detections have no pixel in instances/image, so no points: is the '
            'mask empty, or covered by others?'
        )
    return ''
