# SPDX-License-Identifier: Apache-2.0
"""The object of each point: seen by the camera, in the object's mask, on the object's surface."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vizion3d_ros.contracts.annotation.instances import Instance
from vizion3d_ros.contracts.camera import Intrinsics
from vizion3d_ros.geometry.annotation.hidden import are_apart, uncovered
from vizion3d_ros.geometry.annotation.projection import depth_buffer, is_visible, project
from vizion3d_ros.geometry.annotation.scene import Scene, scene_of

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Assigned:
    """
    Whose points are.

    labels: int32 (N,), k for instances[k - 1], 0 = nobody's. noise: of the depth, relative, as far
    as it was looked at.
    """

    labels: Tensor
    noise: float


def assign(
    points: Tensor, camera: Intrinsics, instances: Sequence[Instance], surface: str = 'dominant'
) -> Assigned:
    """
    Find for each point the object that it belongs to.

    points: float32 (N, 3), metres, optical frame. instances: by falling confidence; a point that
    is on the surface of several belongs to the first. surface: 'dominant' = only what is the
    object's among the visible points of its mask, 'all' = all of these.
    """
    projected = project(points, camera)
    buffer = depth_buffer(projected, camera)
    visible = is_visible(projected, buffer, camera)
    noise = 0.0
    if surface == 'dominant':
        scene = scene_of(buffer, camera.fx)
        drawn, noise = _dominant(instances, scene, camera), scene.noise
    else:
        drawn = _drawn(instances, [each.mask for each in instances], camera)
    flat = torch.from_numpy(np.append(drawn, np.int32(0))).to(points.device)
    return Assigned(flat[projected.place] * visible, noise)


def _dominant(instances: Sequence[Instance], scene: Scene, camera: Intrinsics) -> Numbers:
    """
    Number the object of each pixel, int32 (height, width).

    Of masks that lie apart, as those of a label image must, some hide parts of other objects.
    """
    covers = _drawn(instances, [each.mask for each in instances], camera)
    apart = are_apart(instances, covers)
    wide = [uncovered(each, covers) for each in instances] if apart else instances
    sure = [
        _place_of(each, covers) == number if apart else each.mask
        for number, each in enumerate(wide, start=1)
    ]
    verdicts = scene.claims(wide, sure, apart)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
        shapes = list(threads.map(scene.object_of, wide, sure, verdicts))
    drawn = _drawn(wide, shapes, camera)
    if apart:  # what two want is that one's whose mask it is in
        for number, (each, shape, own) in enumerate(zip(wide, shapes, sure), start=1):
            _place_of(each, drawn)[shape & own] = number
    return drawn


def _drawn(instances: Sequence[Instance], shapes: Sequence[Flags], camera: Intrinsics) -> Numbers:
    """Number the pixels of shapes, the first one on top."""
    drawn = np.zeros((camera.height, camera.width), np.int32)
    for number, (instance, shape) in reversed(list(enumerate(zip(instances, shapes), start=1))):
        _place_of(instance, drawn)[shape] = number
    return drawn


def _place_of(instance: Instance, picture: NDArray[Any]) -> NDArray[Any]:
    """View the window of an instance's mask in a picture."""
    rows, columns = instance.mask.shape
    return picture[instance.row :, instance.column :][:rows, :columns]
