# SPDX-License-Identifier: Apache-2.0
"""
A vizion3d annotation request to a command of the pipeline, and its result to the answer.

    request ─ prepare_annotation ─ AnnotationCommand ─ pipeline ─ AnnotationResult ─ answer
    └──────────────────────────────── answer_annotation ───────────────────────────────┘
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from pydantic import ValidationError

from vizion3d_ros.contracts.annotation.instances import Instance, Segmentation, from_mask
from vizion3d_ros.contracts.annotation.request import (
    InstanceMask,
    ObjectMaskAnnotation3DCommand,
    ObjectMaskAnnotation3DConfig,
)
from vizion3d_ros.contracts.calibration.camera_faults import middle_of_another_size
from vizion3d_ros.contracts.camera import Intrinsics
from vizion3d_ros.contracts.commands import AnnotationCommand
from vizion3d_ros.contracts.errors import InputError, explain
from vizion3d_ros.contracts.results import AnnotationResult
from vizion3d_ros.contracts.settings.annotation_settings import AnnotationSettings
from vizion3d_ros.engine.device import enough_memory
from vizion3d_ros.files.picture import GENEROUS, PictureLimits
from vizion3d_ros.geometry.annotation.front_view import draw, viewing_camera
from vizion3d_ros.geometry.annotation.projection import out_of_view
from vizion3d_ros.requests import OF_REQUEST
from vizion3d_ros.requests.annotation.cloud import Given, given_cloud
from vizion3d_ros.requests.annotation.views import (
    MaskAnnotation3D,
    ObjectMaskAnnotation3DResult,
    painted,
)
from vizion3d_ros.requests.known_camera import CAMERA_FIELDS, camera_of
from vizion3d_ros.requests.maps import to_array
from vizion3d_ros.requests.pictures import read_image
from vizion3d_ros.requests.threads import one_thread

DEFAULTS = AnnotationSettings()


@dataclass(frozen=True, slots=True)
class AnnotationRun:
    """A request that has come all the way, as StereoRun says."""

    command: AnnotationCommand
    result: AnnotationResult
    answer: ObjectMaskAnnotation3DResult
    seconds: float


@enough_memory(*OF_REQUEST)
def answer_annotation(
    request: ObjectMaskAnnotation3DCommand,
    run: Callable[[AnnotationCommand], AnnotationResult],
    base: AnnotationSettings = DEFAULTS,
    limits: PictureLimits = GENEROUS,
) -> AnnotationRun:
    """
    Answer one request; every door calls this, from any thread, as it does answer_stereo.

    Raises InputError, which names the field, for a cloud, image or masks that cannot be used, and
    BackendError if there is no segmenter, its checkpoint cannot be had or it fails.
    """
    started = time.perf_counter()
    given = given_cloud(request.point_cloud)
    command = prepare_annotation(request, given, base, limits)
    with one_thread():
        result = run(command)
    if not bool((result.labels > 0).any()):
        _check_view(command)
    answer = _answer(request, given, command, result)
    return AnnotationRun(command, result, answer, time.perf_counter() - started)


def _check_view(command: AnnotationCommand) -> None:
    points = torch.from_numpy(command.points.reshape(-1, 3))
    text = out_of_view(points, command.camera)
    if text:
        raise InputError(
            f'point_cloud: {text}: expected metres with x right, y up, z backward, and the camera '
            'that sees them so; multiply y and z by -1 if z is forward'
        )


def prepare_annotation(
    request: ObjectMaskAnnotation3DCommand,
    given: Given,
    base: AnnotationSettings = DEFAULTS,
    limits: PictureLimits = GENEROUS,
) -> AnnotationCommand:
    """
    Read the image, or draw it, and say what the pipeline is to do.

    base: for what the request leaves open. Raises InputError, which names the field.
    """
    config, points = request.advanced_config, given.optical
    image = None
    if request.image_input is not None:
        image = read_image(request.image_input, 'image_input', limits)
        camera = camera_of(config, image.shape[1], image.shape[0])
    elif request.masks:
        height, width = request.masks[0].mask.shape
        camera = camera_of(config, width, height)
        _check_size_of_masks(config, camera)
    else:
        camera = viewing_camera(points, {name: getattr(config, name) for name in CAMERA_FIELDS})
        _check_canvas(camera, limits)
        image = draw(points, given.rgb, camera)
    try:
        return AnnotationCommand(
            points=points,
            camera=camera,
            image=image,
            objects=None if request.masks is None else _own(request.masks, camera),
            settings=_settings(request, base),
        )
    except ValidationError as error:
        raise InputError(explain(error)) from error


def _check_size_of_masks(config: ObjectMaskAnnotation3DConfig, camera: Intrinsics) -> None:
    if config.cx is None or config.cy is None:
        return
    other = middle_of_another_size(config.cx, config.cy, camera.width, camera.height)
    if other:
        raise InputError(
            f'masks: expected the size of the image that fx, fy, cx and cy are of, got '
            f'{camera.width}x{camera.height} with the principal point ({config.cx:g}, '
            f'{config.cy:g}), {other}: scale the masks, or the four numbers'
        )


def _check_canvas(camera: Intrinsics, limits: PictureLimits) -> None:
    if camera.width * camera.height > limits.max_pixels:
        raise InputError(
            f'advanced_config: this camera sees the cloud as {camera.width}x{camera.height}, '
            f'expected at most {limits.max_pixels} pixels: give smaller cx and cy, or an image'
        )


def _own(masks: tuple[InstanceMask, ...], camera: Intrinsics) -> Segmentation:
    nothing = np.zeros((0, 0), bool)
    instances = tuple(
        from_mask(
            each.mask,
            Instance(
                nothing,
                label=each.label,
                class_id=each.class_id,
                confidence=each.confidence,
                number=number,
            ),
        )
        for number, each in enumerate(masks, start=1)
    )
    height, width = masks[0].mask.shape if masks else (camera.height, camera.width)
    return Segmentation(height, width, instances)


def _settings(
    request: ObjectMaskAnnotation3DCommand, base: AnnotationSettings
) -> AnnotationSettings:
    config, model = request.advanced_config, request.model_backend
    changes: dict[str, object] = {
        name: getattr(config, name) for name in ('conf_threshold', 'iou_threshold', 'surface')
    }
    if model and model != base.model_backend:
        changes |= {'model_backend': model, 'sha256': ''}
    return base.model_copy(update=changes)


def _answer(
    request: ObjectMaskAnnotation3DCommand,
    given: Given,
    command: AnnotationCommand,
    result: AnnotationResult,
) -> ObjectMaskAnnotation3DResult:
    labels = to_array(result.labels)
    order = np.argsort(labels, kind='stable')  # rising within each object
    ends = np.searchsorted(labels[order], np.arange(len(result.instances) + 2))
    # A copy: what is read later is of the cloud as it is now.
    kept = request.return_object_clouds or request.return_annotated_cloud
    source = type(given.source)(given.source) if kept and given.source is not None else None
    camera = command.camera
    annotations = []
    for number, instance in enumerate(result.instances, start=1):
        indices = order[ends[number] : ends[number + 1]]
        annotations.append(
            MaskAnnotation3D(
                label=instance.label,
                class_id=instance.class_id,
                confidence=instance.confidence,
                bbox_2d=instance.bbox_2d,
                mask_2d=instance.full_mask(camera.height, camera.width),
                indices=indices,
                coords=given.xyz[indices],
                rgb=given.rgb[indices] if request.return_object_clouds else None,
                source=source if request.return_object_clouds else None,
            )
        )
    return ObjectMaskAnnotation3DResult(
        annotations=annotations,
        backend_used=result.checkpoint or result.backend_used,
        labels=labels,
        xyz=given.xyz,
        rgb=painted(given.rgb, labels) if request.return_annotated_cloud else None,
        source=source,
    )
