# SPDX-License-Identifier: Apache-2.0
"""What is written of one annotated cloud."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.cli.files import montage_file
from vizion3d_ros.files.ply import encode_vertices
from vizion3d_ros.files.result_folder import File, ResultFiles
from vizion3d_ros.files.snapshot import npy, png
from vizion3d_ros.report.montage import photo
from vizion3d_ros.requests.annotation.answer import AnnotationRun
from vizion3d_ros.requests.annotation.views import COLOURS, MaskAnnotation3D

POINTS = 'metres; x right, y up, z backward; one colour per object'
LABELS = 'int32, for each point of the cloud: 0 = no object, k = the k-th of annotations.json'
SHOWN = 0.55  # how much of an object's colour lies over the picture


def annotation_files(run: AnnotationRun) -> ResultFiles:
    """Say what there is to write of one cloud."""
    answer = run.answer
    objects = [_object(number, each) for number, each in enumerate(answer.annotations, start=1)]
    facts = {
        'backend_used': answer.backend_used,
        'seconds': round(run.seconds, 3),
        'points': len(answer.xyz),
        'labelled': int(np.count_nonzero(answer.labels)),
        'camera': run.command.camera.model_dump(),
        'objects': len(objects),
    }
    rgb = cast('NDArray[np.uint8]', answer.rgb)
    picture = _overlay(run)
    xyz = np.asarray(answer.xyz, np.float32)
    return ResultFiles(
        files={
            'masks.png': File(partial(png, picture), 'the image with the mask of each object'),
            'annotated.ply': File(partial(encode_vertices, xyz, rgb, POINTS), POINTS),
            'labels.npy': File(partial(npy, answer.labels), LABELS),
            'annotations.json': File(
                lambda: (json.dumps(objects, indent=2) + '\n').encode(),
                'label, confidence, box and points of each object; metres, x right, y up, '
                'z backward',
            ),
            **montage_file([photo('Objects', picture)], _notes(facts)),
        },
        facts=facts,
        summary=_summary(facts),
    )


def _object(number: int, item: MaskAnnotation3D) -> dict[str, Any]:
    """Give what annotations.json says of one object; its points are those of labels.npy."""
    there = len(item.coords) > 0
    return {
        'number': number,
        'label': item.label,
        'class_id': item.class_id,
        'confidence': round(item.confidence, 4),
        'bbox_2d': [round(side, 2) for side in item.bbox_2d],
        'points': len(item.indices),
        'min_m': _rounded(item.coords.min(0)) if there else None,
        'max_m': _rounded(item.coords.max(0)) if there else None,
        'centroid_m': _rounded(item.coords.mean(0, dtype=np.float64)) if there else None,
    }


def _rounded(numbers: NDArray[np.floating]) -> list[float]:
    return [round(float(number), 4) for number in numbers]


def _overlay(run: AnnotationRun) -> NDArray[np.uint8]:
    """Give the picture with the masks in the colours of the cloud, uint8 (H, W, 3) RGB."""
    camera, image = run.command.camera, run.command.image
    blank = np.zeros((camera.height, camera.width, 3), np.uint8)
    picture = blank if image is None else image.copy()
    items = reversed(list(enumerate(run.answer.annotations)))
    for index, item in items:
        colour = COLOURS[index % len(COLOURS)] * SHOWN
        picture[item.mask_2d] = picture[item.mask_2d] * (1 - SHOWN) + colour
    return picture


def _notes(facts: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ('Segmenter', Path(facts['backend_used']).name),
        ('Objects', str(facts['objects'])),
        ('Points', f'{facts["labelled"]} of {facts["points"]}'),
        ('Time', f'{facts["seconds"]:.2f} s'),
    ]


def _summary(facts: dict[str, Any]) -> str:
    return (
        f'{facts["objects"]} objects, {facts["labelled"]} of {facts["points"]} points, '
        f'{facts["backend_used"]}, {facts["seconds"]:.2f} s'
    )
