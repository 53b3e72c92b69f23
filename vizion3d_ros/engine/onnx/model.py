# SPDX-License-Identifier: Apache-2.0
"""A network in an ONNX file that is loaded, with what it takes: images in, maps out."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.functional import interpolate

from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.engine import onnx_file
from vizion3d_ros.engine.onnx.profile import NetworkInput, Profile, find_profile
from vizion3d_ros.engine.onnx.providers import Wanted
from vizion3d_ros.engine.onnx.session import NUMBERS, Session, Tensor, open_session

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vizion3d_ros.contracts.settings.onnx_settings import OnnxSettings

MAP_AXES = 2

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class OnnxModel:
    """
    Takes images of its own size, size: height and width, and answers maps of that size.

    licence: of the weights, as the file or the profile says, '' if neither does.
    """

    path: Path
    profile: Profile
    session: Session
    size: tuple[int, int]
    licence: str

    @property
    def described(self) -> str:
        """What ran, for logs and diagnostics."""
        height, width = self.size
        told = (self.profile.network, self.session.provider, self.session.precision)
        return f'{self.path} ({", ".join(filter(None, told))}, {width}x{height})'

    def run(self, images: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """
        Run on images by name, each float (1, 3, height, width), RGB in 0..255.

        Gives float32 (height, width) on the CPU: the answer under its kind, and confidence and
        visibility if it has them.
        """
        feeds = {
            tensor.name: self._feed(each, tensor, images) for each, tensor in self._places.items()
        }
        answers = self.session.run(feeds)
        output = self.profile.output
        name = output.name or self._first_of_full_size
        maps: dict[str, torch.Tensor] = {}
        maps[output.kind] = output.sign * output.scale * self._map(answers[name], output.channel)
        for kind in ('confidence', 'visibility'):
            if name := getattr(self.profile, kind):
                maps[kind] = self._map(answers[name], 0)
        return maps

    @cached_property
    def _first_of_full_size(self) -> str:
        """Networks that refine answer coarse maps, too."""
        outputs = self.session.outputs
        full = [each.name for each in outputs if set(self.size) <= set(each.shape)]
        return next(iter(full), outputs[0].name)

    @cached_property
    def _places(self) -> dict[NetworkInput, Tensor]:
        return places(self.profile, self.session.inputs)

    def _feed(
        self, wanted: NetworkInput, tensor: Tensor, images: Mapping[str, torch.Tensor]
    ) -> NDArray[Any]:
        """One input of the network, in its layout and its number format."""
        size = _size_of(tensor, self.profile) or self.size
        parts = [self._normalised(_resized(images[name], size)) for name in wanted.images]
        pixels = torch.cat(parts, dim=1)
        if self.profile.layout == 'NHWC':
            pixels = pixels.permute(0, 2, 3, 1)
        format_of_input = np.float16 if NUMBERS[tensor.type] == 'float16' else np.float32
        return np.ascontiguousarray(pixels.cpu().numpy(), dtype=format_of_input)

    def _normalised(self, image: torch.Tensor) -> torch.Tensor:
        """RGB (1, 3, h, w) in 0..255 to the channels and values that the network takes."""
        profile = self.profile
        if profile.channels == 'grey':
            weights = image.new_tensor((0.299, 0.587, 0.114)).reshape(1, 3, 1, 1)  # ITU-R BT.601
            image = (image * weights).sum(dim=1, keepdim=True)
        elif profile.channels == 'bgr':
            image = image.flip(1)
        if (profile.scale, profile.mean, profile.std) == (1.0, (0.0,) * 3, (1.0,) * 3):
            return image
        count = image.shape[1]
        both = torch.tensor((profile.mean, profile.std), dtype=torch.float64) / profile.scale
        mean, std = both.float().to(image.device)[:, :count].reshape(2, 1, count, 1, 1)
        return (image - mean) / std

    def _map(self, answer: NDArray[Any], channel: int) -> torch.Tensor:
        """Float32 (height, width) of an output (N, C, h, w), (N, h, w, C), (N, h, w) or (h, w)."""
        values = np.asarray(answer, np.float32)
        while values.ndim > MAP_AXES + 1 and values.shape[0] == 1:
            values = values[0]
        if values.ndim == MAP_AXES + 1:
            axis = 0 if values.shape[1:] == self.size else -1
            values = values.take(channel, axis) if channel < values.shape[axis] else values
        if values.shape != self.size:
            raise BackendError(
                f'{self.path} answers a map of {list(answer.shape)} for {list(self.size)} pixels: '
                'expected one of the size of its images; another output, channel or profile fits'
            )
        return torch.from_numpy(np.ascontiguousarray(values))


def load_model(path: Path, settings: OnnxSettings, device: str, stereo: bool) -> OnnxModel:
    """
    Load a file that has been checked; stereo: whether it has to take a pair.

    Raises BackendError, in one sentence, for whatever does not fit.
    """
    file = onnx_file.read(path)
    profile = find_profile(settings.profile, path, file.notes)
    if profile.is_stereo != stereo:
        takes, given = ('two images', 'one') if profile.is_stereo else ('one image', 'two')
        raise BackendError(f'{path} takes {takes}, but {given} would be given: choose another')
    stored = file.notes.get('precision', 'float32')
    how = Wanted(settings.providers, settings.precision, device, stored)
    session = open_session(path, file.opset, how)
    _check_outputs(path, profile, session)
    size = _network_size(path, profile, session)
    licence = file.notes.get('licence', profile.licence)
    model = OnnxModel(path, profile, session, size, licence)
    log.info('loaded %s, licence %s', model.described, licence or 'not stated')
    return model


def places(profile: Profile, inputs: tuple[Tensor, ...]) -> dict[NetworkInput, Tensor]:
    """Which input of the network is which of the profile; BackendError if they do not match."""
    by_name = {tensor.name: tensor for tensor in inputs}
    asked = [each.name or inputs[n].name for n, each in enumerate(profile.inputs[: len(inputs)])]
    if len(inputs) != len(profile.inputs) or set(asked) != set(by_name):
        wanted = [each.name or 'any' for each in profile.inputs]
        raise BackendError(
            f'the network takes {_listed(inputs)}, but its profile has {", ".join(wanted)}: '
            'correct the profile, or choose another'
        )
    found = dict(zip(profile.inputs, (by_name[name] for name in asked)))
    for each, tensor in found.items():
        _check_input(each, tensor, profile)
    return found


def _check_input(wanted: NetworkInput, tensor: Tensor, profile: Profile) -> None:
    channels = len(wanted.images) * (1 if profile.channels == 'grey' else 3)
    axis = 1 if profile.layout == 'NCHW' else 3
    fits = len(tensor.shape) == 4 and tensor.shape[axis] in (None, channels)
    if not fits or tensor.type not in NUMBERS or tensor.shape[0] not in (None, 1):
        raise BackendError(
            f'the input {tensor.name} is {tensor.type} of {_shape(tensor)}, but its profile says '
            f'1 x {channels} channels, {profile.layout}, float32 or float16: correct the profile'
        )


def _check_outputs(path: Path, profile: Profile, session: Session) -> None:
    there = [each.name for each in session.outputs]
    asked = (profile.output.name, profile.confidence, profile.visibility)
    missing = [name for name in asked if name and name not in there]
    if missing:
        raise BackendError(
            f'{path} has no output {" and no output ".join(missing)}, it has {", ".join(there)}: '
            'correct the profile'
        )


def _network_size(path: Path, profile: Profile, session: Session) -> tuple[int, int]:
    """Height and width of its largest input: others are smaller copies."""
    found = places(profile, session.inputs)
    sizes = [_size_of(tensor, profile) for tensor in found.values()]
    fixed = [size for size in sizes if size is not None]
    if fixed and profile.size not in (None, max(fixed)):
        raise BackendError(
            f'{path} takes {max(fixed)[1]}x{max(fixed)[0]}, but its profile says '
            f'{profile.size[1]}x{profile.size[0]}: leave size out of the profile'
        )
    size = max(fixed) if fixed else profile.size
    if size is None:
        raise BackendError(
            f'{path} takes images of any size: write the one to use into its profile, as '
            'size: [height, width]'
        )
    return size


def _size_of(tensor: Tensor, profile: Profile) -> tuple[int, int] | None:
    first = 2 if profile.layout == 'NCHW' else 1
    height, width = tensor.shape[first : first + 2]
    return None if height is None or width is None else (height, width)


def _resized(image: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    if tuple(image.shape[-2:]) == size:
        return image
    return interpolate(image, size, mode='bilinear', antialias=True)


def _listed(inputs: tuple[Tensor, ...]) -> str:
    return ', '.join(f'{each.name} {_shape(each)}' for each in inputs)


def _shape(tensor: Tensor) -> str:
    return 'x'.join('?' if side is None else str(side) for side in tensor.shape)
