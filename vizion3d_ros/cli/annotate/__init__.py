# SPDX-License-Identifier: Apache-2.0
"""
A cloud in a file, and whose each of its points is, in files.

    cloud, image, masks ─ request ─ answer_annotation ─ files, montage, facts
"""

from __future__ import annotations

from argparse import Namespace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.cli.annotate.result import annotation_files
from vizion3d_ros.cli.batch import BatchItem, run_batch
from vizion3d_ros.cli.files import options
from vizion3d_ros.contracts.annotation.cloud import ColoredPoints
from vizion3d_ros.contracts.annotation.instances import from_label_image
from vizion3d_ros.contracts.annotation.request import (
    InstanceMask,
    ObjectMaskAnnotation3DCommand,
    ObjectMaskAnnotation3DConfig,
)
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.settings.annotation_settings import AnnotationSettings
from vizion3d_ros.files.ply_reader import read_ply
from vizion3d_ros.files.result_folder import ResultFiles
from vizion3d_ros.pipeline.annotation import AnnotationPipeline
from vizion3d_ros.requests.annotation.answer import answer_annotation

AXES = {
    'opengl': (
        'z < 0 (x right, y up, z backward)',
        'none; give --frame optical if z is forward in this file',
    ),
    'optical': (
        'z > 0 (x right, y down, z forward)',
        'none; leave --frame optical out if z is backward in this file',
    ),
}
CONFIG = ('fx', 'fy', 'cx', 'cy', 'conf_threshold', 'iou_threshold', 'surface')


def run(asked: Namespace) -> int:
    """Annotate one cloud and give the exit code."""
    inputs = [path for path in (asked.cloud, asked.image, asked.masks) if path]
    item = BatchItem(asked.cloud.name, inputs, asked.out, partial(_answer, asked))
    return run_batch([item], options(asked), redo=True)


def _answer(asked: Namespace) -> ResultFiles:
    request = ObjectMaskAnnotation3DCommand(
        point_cloud=_cloud(asked.cloud, asked.frame),
        image_input=asked.image,
        model_backend=asked.model,
        return_annotated_cloud=True,
        advanced_config=ObjectMaskAnnotation3DConfig(
            **{name: getattr(asked, name) for name in CONFIG}
        ),
        masks=_masks(asked.masks) if asked.masks else None,
    )
    pipeline = AnnotationPipeline(asked.device)
    settings = AnnotationSettings(device=asked.device)
    return annotation_files(answer_annotation(request, pipeline.run, settings))


def _cloud(path: Path, frame: str) -> ColoredPoints:
    cloud = read_ply(path, str(path))
    z = cloud.xyz[:, 2] if frame == 'opengl' else -cloud.xyz[:, 2]
    if (z > 0).any() and not (z < 0).any():
        wanted, cure = AXES[frame]
        raise InputError(f'{path}: expected points in front of the camera at {wanted}, got {cure}')
    if frame == 'optical':
        return ColoredPoints(cloud.xyz * np.array([1, -1, -1], cloud.xyz.dtype), cloud.rgb)
    return cloud


def _masks(path: Path) -> tuple[InstanceMask, ...]:
    """Read a label image, 8 or 16 bit grey: 0 = nothing, any other value = one object."""
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise InputError(f'{path}: cannot be read: {error}') from error
    labels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if labels is None or labels.ndim != 2 or labels.dtype not in (np.uint8, np.uint16):
        raise InputError(
            f'{path}: expected a label image, 8 or 16 bit grey PNG, 0 = nothing and one value '
            f'per object, got {_described(labels)}'
        )
    return tuple(
        InstanceMask(mask=each.full_mask(*labels.shape), label=str(each.number))
        for each in from_label_image(labels).instances
    )


def _described(labels: NDArray[np.generic] | None) -> str:
    return 'no image' if labels is None else f'{labels.dtype} of shape {labels.shape}'
