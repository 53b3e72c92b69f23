# SPDX-License-Identifier: Apache-2.0
"""What a network answers becomes maps of the size of its images, whatever their shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.geometry.resize import enlarged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vizion3d_ros.engine.onnx.profile import Profile

    Size = tuple[int, int]

MOST_SHRUNK = 32  # of a map against the images
PLACES = ((-2, -1), (-3, -2))  # of rows and columns among the axes: channels first, or last


def maps_of(
    answers: Mapping[str, NDArray[Any]], profile: Profile, size: Size
) -> dict[str, torch.Tensor]:
    """
    Pick and scale what the profile names: float32 (height, width) each, on the CPU, by kind.

    size: height and width of the images; smaller maps are enlarged, by whole numbers. Without a
    name the first of the largest is the answer. Raises BackendError if there is none.
    """
    output = profile.output
    kinds = {'confidence': profile.confidence, 'visibility': profile.visibility}
    others = {kind: name for kind, name in kinds.items() if name}
    left = {name: values for name, values in answers.items() if name not in others.values()}
    name = output.name or _largest(left, size)
    found = {kind: _map(other, answers[other], 0, size) for kind, other in others.items()}
    found[output.kind] = output.factor * _map(name, answers[name], output.channel, size)
    return {kind: enlarged(values[None, None], size)[0, 0] for kind, values in found.items()}


def _largest(answers: Mapping[str, NDArray[Any]], size: Size) -> str:
    """Networks that refine answer coarse maps, too."""
    places = {name: _place(values, size) for name, values in answers.items()}
    shrunk = {name: place[0] for name, place in places.items() if place}
    return min(shrunk, key=shrunk.__getitem__) if shrunk else next(iter(answers))


def _map(name: str, answer: NDArray[Any], channel: int, size: Size) -> torch.Tensor:
    """One map of an output whose last axes are (h, w) or (h, w, channels), float32 (h, w)."""
    found = _place(answer, size)
    if found is None:
        raise BackendError(
            f'the output {name} is {list(answer.shape)}, expected a map of the images, '
            f'{size[0]}x{size[1]}, or of a whole fraction of that: name another output in the '
            'profile, as output: {name: ...}'
        )
    rows, columns = PLACES[found[1]]
    values = np.moveaxis(answer, (rows, columns), (-2, -1))
    values = values.reshape(-1, *values.shape[-2:])
    if channel >= len(values):
        raise BackendError(
            f'the output {name} holds {len(values)} maps, but its profile says channel: '
            f'{channel}, which counts from 0'
        )
    return torch.from_numpy(np.ascontiguousarray(values[channel], np.float32))


def _place(answer: NDArray[Any], size: Size) -> tuple[int, int] | None:
    """How much smaller than the images it is, and where its rows and columns are; None: no map."""
    fitting = []
    for number, axes in enumerate(PLACES):
        if answer.ndim < -axes[0]:
            continue
        height, width = (answer.shape[axis] for axis in axes)
        shrunk = size[0] // height if height else 0
        if shrunk <= MOST_SHRUNK and (height * shrunk, width * shrunk) == size:
            fitting.append((shrunk, number))
    return min(fitting, default=None)
