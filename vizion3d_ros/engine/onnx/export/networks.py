# SPDX-License-Identifier: Apache-2.0
"""Our networks as they are exported: with their weights, what they take, and images to try."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from vizion3d_ros.contracts.errors import CheckpointError, InputError
from vizion3d_ros.contracts.settings.mono_settings import DepthAnythingSettings
from vizion3d_ros.contracts.settings.onnx_settings import is_onnx
from vizion3d_ros.contracts.settings.stereo_settings import S2m2Settings
from vizion3d_ros.engine.depth_anything_v2 import (
    DEVIATION,
    MEAN,
    metric_max_depth,
    network_size,
)
from vizion3d_ros.engine.networks import depth_anything_v2, s2m2
from vizion3d_ros.engine.networks.depth_anything_v2 import PATCH
from vizion3d_ros.engine.onnx.profile import NetworkInput, NetworkOutput, Profile
from vizion3d_ros.engine.s2m2 import MULTIPLE
from vizion3d_ros.engine.weights import DEPTH_ANYTHING_V2, S2M2, Family, load, resolve
from vizion3d_ros.engine.weights.container import sha256_of
from vizion3d_ros.engine.weights.families import FAMILIES, family_of
from vizion3d_ros.engine.weights.fit import shapes_of
from vizion3d_ros.engine.weights.load import read_tensors
from vizion3d_ros.geometry.resize import Fit

FITTED = (540, 960)  # height and width of the images that the default size is for
TEXTURES = (32, 8, 2)  # pixels of the cells of made-up images
WALL_PX, BOX_PX = 6, 13  # their disparities


@dataclass(frozen=True)
class Exportable:
    """
    A network with its weights, for images of one size.

    size: their height and width. inputs, outputs: their names. unit: of a difference. facts: what
    the file will say of itself.
    """

    network: nn.Module
    profile: Profile
    size: tuple[int, int]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    unit: str
    facts: dict[str, str]

    def images(self, number: int = 0) -> tuple[Tensor, ...]:
        """Made-up images as the network takes them, float32 (1, 3, H, W); number: which."""
        left, right = made_up_pair(*self.size, number)
        if self.profile.is_stereo:
            return left, right
        mean, std = (torch.tensor(x).reshape(1, 3, 1, 1) for x in (MEAN, DEVIATION))
        return ((left / 255 - mean) / std,)

    def run(self, images: tuple[Tensor, ...]) -> Tensor:
        """First answer of the network, (1, 1, H, W)."""
        answer = self.network(*images)
        return answer[0] if isinstance(answer, tuple) else answer

    def apart(self, found: Tensor, expected: Tensor) -> Tensor:
        """Difference of two answers in pixels, or for depth as a share of its range."""
        difference = (found.reshape(expected.shape).float() - expected).abs()
        return (
            difference
            if self.profile.is_stereo
            else difference / (expected.max() - expected.min())
        )


def exportable(model: str, size: tuple[int, int] | None) -> Exportable:
    """
    Load a checkpoint, by name, https address or path; size: width and height, None = the default.

    Raises InputError for a size that the network does not take, BackendError if the checkpoint
    cannot be had.
    """
    if is_onnx(model):
        raise CheckpointError(f'{model!r} is an ONNX file already; expected a checkpoint of torch')
    file = resolve(model)
    family = file.known.family if file.known else _family(file.path)
    if family is S2M2:
        return _stereo(model, size)
    return _mono(model, size)


def _family(path: Path) -> Family:
    family = family_of(shapes_of(read_tensors(path, device='meta')))
    if family is None:
        names = ' or '.join(each.name for each in FAMILIES)
        raise CheckpointError(f'{path} is no checkpoint of {names}, which alone can be exported')
    return family


def _stereo(model: str, wanted: tuple[int, int] | None) -> Exportable:
    limits = S2m2Settings()
    fit = Fit.into(*FITTED, limits.max_height, limits.max_width, MULTIPLE)
    rows, columns = size = _checked(wanted, fit.padded_size, MULTIPLE)
    network, facts = _loaded(model, S2M2, s2m2.build)
    names = ('left', 'right')
    profile = Profile(
        network=f'{S2M2.name}-{facts["variant"]}',
        inputs=tuple(NetworkInput(images=(name,), name=name) for name in names),
        size=size,
        output=NetworkOutput(name='disparity'),
        confidence='confidence',
        visibility='visibility',
    )
    told = {
        'size': f'{columns}x{rows}',
        'outputs': 'disparity, visibility, confidence',
        'units': 'disparity: pixels of the input, x_left - x_right; visibility, confidence: 0..1',
    }
    outputs = ('disparity', 'visibility', 'confidence')
    return Exportable(network, profile, size, names, outputs, 'px', {**facts, **told})


def _mono(model: str, wanted: tuple[int, int] | None) -> Exportable:
    settings = DepthAnythingSettings(model_backend=model)
    rows, columns = size = _checked(wanted, network_size(*FITTED, settings.input_size), PATCH)
    max_depth = metric_max_depth(settings)
    network, facts = _loaded(
        model, DEPTH_ANYTHING_V2, lambda variant: depth_anything_v2.build(variant, max_depth)
    )
    kind: Literal['inverse_depth', 'depth'] = 'inverse_depth' if max_depth is None else 'depth'
    profile = Profile(
        network=f'{DEPTH_ANYTHING_V2.name} {facts["variant"]}',
        inputs=(NetworkInput(images=('image',), name='image'),),
        scale=1 / 255,
        mean=MEAN,
        std=DEVIATION,
        size=size,
        multiple=PATCH,
        output=NetworkOutput(kind=kind, name=kind),
    )
    units = 'metres along the optical axis' if max_depth else 'none; larger = nearer'
    told = {'size': f'{columns}x{rows}', 'outputs': kind, 'units': f'{kind}: {units}'}
    names, unit = ('image',), 'of the range'
    return Exportable(network, profile, size, names, (kind,), unit, {**facts, **told})


def _checked(
    size: tuple[int, int] | None, default: tuple[int, int], multiple: int
) -> tuple[int, int]:
    """Height and width of a size that is given as width and height, if it can be."""
    if size is None:
        return default
    if any(side % multiple or side <= 0 for side in size):
        nearest = 'x'.join(str(max(1, round(side / multiple)) * multiple) for side in size)
        raise InputError(
            f'--size {size[0]}x{size[1]}: this network takes multiples of {multiple}, such as '
            f'{nearest}'
        )
    return size[1], size[0]


def _loaded(
    model: str, family: Family, build: Callable[[str], nn.Module]
) -> tuple[nn.Module, dict[str, str]]:
    """The network with its weights, float32 on the CPU, and what the file will say of it."""

    def empty(variant: str) -> nn.Module:
        with torch.device('meta'):
            return build(variant)

    def shapes(variant: str) -> dict[str, tuple[int, ...]]:
        return {name: tuple(x.shape) for name, x in empty(variant).state_dict().items()}

    checkpoint = load(resolve(model, family), family, shapes)
    network = empty(checkpoint.variant)
    network.load_state_dict(checkpoint.tensors, assign=True)
    facts = {
        'network': family.name,
        'variant': checkpoint.variant,
        'checkpoint': checkpoint.path.name,
        'checkpoint_sha256': sha256_of(checkpoint.path),
        'licence': checkpoint.licence,
    }
    return network.requires_grad_(False), facts


def made_up_pair(height: int, width: int, number: int = 0) -> tuple[Tensor, Tensor]:
    """A textured wall and a box before it, float32 (1, 3, height, width) in 0..255 each."""
    rng = np.random.default_rng((16, number) if number else 16)
    wall, box = (_texture(rng, height, width + BOX_PX) for _ in range(2))
    top, bottom, first, last = height // 4, 3 * height // 4, width // 3, 2 * width // 3
    left, right = wall[..., :width].clone(), wall[..., WALL_PX : width + WALL_PX].clone()
    left[..., top:bottom, first:last] = box[..., top:bottom, first:last]
    start = max(0, first - BOX_PX)
    seen = box[..., top:bottom, start + BOX_PX : last]
    right[..., top:bottom, start : start + seen.shape[-1]] = seen
    return left, right


def _texture(rng: np.random.Generator, height: int, width: int) -> Tensor:
    total = torch.zeros(1, 3, height, width)
    for cell in TEXTURES:
        noise = rng.random((1, 3, height // cell + 2, width // cell + 2), np.float32)
        total += interpolate(torch.from_numpy(noise), (height, width), mode='bilinear')
    return (total * (255 / len(TEXTURES))).round()
