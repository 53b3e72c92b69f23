# SPDX-License-Identifier: Apache-2.0
"""`~/annotate`: the points of the objects in one request."""

from __future__ import annotations

from array import array
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import Header

from vizion3d_interfaces.srv import RunObjectMaskAnnotation3D
from vizion3d_ros.contracts.annotation.cloud import ColoredPoints
from vizion3d_ros.contracts.annotation.request import (
    InstanceMask,
    ObjectMaskAnnotation3DCommand,
    ObjectMaskAnnotation3DConfig,
)
from vizion3d_ros.contracts.camera import Intrinsics
from vizion3d_ros.contracts.commands import AnnotationCommand
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.results import AnnotationResult
from vizion3d_ros.contracts.settings.annotation_node_settings import AnnotationNodeSettings
from vizion3d_ros.files.ply import encode_vertices
from vizion3d_ros.files.ply_reader import decode_ply
from vizion3d_ros.requests.annotation.answer import answer_annotation
from vizion3d_ros.requests.annotation.views import MaskAnnotation3D
from vizion3d_ros.requests.known_camera import CAMERA_FIELDS, camera_of
from vizion3d_ros.requests.permissions import permitted_network
from vizion3d_ros.requests.pictures import picture_limits
from vizion3d_ros.requests.pipelines import ServicePipelines
from vizion3d_ros.ros.messages.instances import finite_points, measured_points, objects_of
from vizion3d_ros.ros.messages.objects import (
    annotated_frame,
    detections_message,
    labeled_points_message,
)
from vizion3d_ros.ros.messages.payloads import points_message
from vizion3d_ros.ros.serving.depth_services import DepthService
from vizion3d_ros.ros.serving.service_requests import given, image_source

if TYPE_CHECKING:
    from vizion3d_ros.contracts.settings.node_settings import RequestSettings

ZERO_IS_UNSET = ('fx', 'fy', 'cx', 'cy', 'conf_threshold', 'iou_threshold')
TO_OPENGL = np.array([1, -1, -1], np.float32)


class AnnotationService(
    DepthService[ServicePipelines[AnnotationCommand, AnnotationResult], AnnotationNodeSettings]
):
    """Objects of the cloud or depth image in a request."""

    NAME = 'annotate'
    TYPE = RunObjectMaskAnnotation3D

    def __call__(
        self, request: RunObjectMaskAnnotation3D.Request
    ) -> RunObjectMaskAnnotation3D.Response:
        """Answer one request. Raises a DepthError or ValidationError that names the field."""
        settings = self._settings()
        command = self._command(request, settings)
        run = partial(self._pipelines.run, own_checkpoint=settings.checkpoint)
        limits = picture_limits(settings.requests)
        answered = answer_annotation(command, run, settings, limits)
        header = self._header(_header_of(request), settings)
        frame = annotated_frame(
            _numbered(answered.result),
            header,
            answered.command.points,
            settings.box == 'oriented',
            1,
        )
        response = RunObjectMaskAnnotation3D.Response(
            success=True, backend_used=answered.answer.backend_used
        )
        response.detections = detections_message(frame)
        if request.return_annotated_cloud:
            answer = answered.answer
            response.labeled_points = labeled_points_message(frame)
            if answer.rgb is not None:
                response.annotated_cloud_ply = array('B', encode_vertices(answer.xyz, answer.rgb))
        if request.return_object_clouds:
            response.object_clouds = [
                _object_cloud(header, each)
                for each in answered.answer.annotations
                if len(each.indices)
            ]
        return response

    def _command(
        self, request: RunObjectMaskAnnotation3D.Request, settings: AnnotationNodeSettings
    ) -> ObjectMaskAnnotation3DCommand:
        limits = settings.requests
        config = ObjectMaskAnnotation3DConfig(
            **given(request.advanced_config, ZERO_IS_UNSET), surface=settings.surface
        )
        sized = next(
            (each for each in (request.instances, request.depth_image) if each.width), None
        )
        camera = None if sized is None else self._camera(config, sized.width, sized.height)
        if camera is not None:
            used = {name: getattr(camera, name) for name in CAMERA_FIELDS}
            config = config.model_copy(update=used)
        return ObjectMaskAnnotation3DCommand(
            point_cloud=_cloud(request, camera),
            image_input=_image(request, limits, settings.mono16_bits),
            model_backend=permitted_network(
                request.model_backend, settings.model_backend, limits.allowed_models
            ),
            return_object_clouds=request.return_object_clouds,
            return_annotated_cloud=request.return_annotated_cloud,
            advanced_config=config,
            masks=_masks(request, camera) if camera and request.instances.width else None,
        )

    def _camera(self, config: ObjectMaskAnnotation3DConfig, width: int, height: int) -> Intrinsics:
        """As the request says; where it does not, that of the node, or the defaults."""
        known: Intrinsics | None = self._known()
        if known is None or (known.width, known.height) != (width, height):
            return camera_of(config, width, height)
        stated = {name: getattr(config, name) for name in CAMERA_FIELDS}
        return known.model_copy(update={n: value for n, value in stated.items() if value})


def _cloud(request: RunObjectMaskAnnotation3D.Request, camera: Intrinsics | None) -> ColoredPoints:
    ways = {
        'point_cloud': request.point_cloud.width,
        'point_cloud_ply': len(request.point_cloud_ply),
        'depth_image': request.depth_image.width,
    }
    names = [way for way, size in ways.items() if size]
    if len(names) != 1:
        got = ' and '.join(names) or 'none'
        raise InputError(f'points: expected exactly one of {", ".join(ways)}, got {got}')
    if names[0] == 'point_cloud_ply':
        return decode_ply(bytes(request.point_cloud_ply), 'point_cloud_ply')
    try:
        if camera is None or names[0] == 'point_cloud':
            points = finite_points(request.point_cloud)
        else:
            points = measured_points(request.depth_image, camera)
    except InputError as error:
        raise InputError(f'{names[0]}: {error}') from error
    return ColoredPoints(points * TO_OPENGL)


def _numbered(result: AnnotationResult) -> AnnotationResult:
    """Number the objects by their place in the answer, as the masks of a request have no other."""
    instances = tuple(replace(each, number=0) for each in result.instances)
    return replace(result, instances=instances)


def _object_cloud(header: Header, item: MaskAnnotation3D) -> PointCloud2:
    """The points of one object with their colours, optical frame."""
    rgb = np.zeros((len(item.coords), 3), np.uint8) if item.rgb is None else item.rgb
    packed = rgb.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    xyz = item.coords * TO_OPENGL
    return points_message(header, np.column_stack([xyz, packed.astype('<u4').view(np.float32)]))


def _masks(
    request: RunObjectMaskAnnotation3D.Request, camera: Intrinsics
) -> tuple[InstanceMask, ...]:
    objects = objects_of(request.instances, request.detections, camera)
    return tuple(
        InstanceMask(
            mask=each.full_mask(objects.height, objects.width),
            label=each.label,
            class_id=each.class_id,
            confidence=min(max(each.confidence, 0.0), 1.0),
        )
        for each in objects.instances
    )


def _image(
    request: RunObjectMaskAnnotation3D.Request,
    limits: RequestSettings,
    mono16_bits: int,
) -> Any:
    ways = (request.image_bytes, request.image_path, request.image.width)
    if not any(way if isinstance(way, int) else len(way) for way in ways):
        return None
    return image_source(request, 'image', limits, mono16_bits)


def _header_of(request: RunObjectMaskAnnotation3D.Request) -> Header:
    """Header of the message that brought the points; an empty one for a file."""
    given_as = (request.point_cloud, request.depth_image)
    return next((each.header for each in given_as if each.width), Header())
