# SPDX-License-Identifier: Apache-2.0
"""A network in an ONNX file that is loaded, with what it takes: images in, maps out."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.engine import onnx_file
from vizion3d_ros.engine.onnx.inputs import Place, find_places
from vizion3d_ros.engine.onnx.outputs import maps_of
from vizion3d_ros.engine.onnx.profile import Profile, find_profile
from vizion3d_ros.engine.onnx.providers import Wanted
from vizion3d_ros.engine.onnx.session import Session, open_session

if TYPE_CHECKING:
    import torch

    from vizion3d_ros.contracts.settings.onnx_settings import OnnxSettings

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
    places: tuple[Place, ...]
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
        feeds = {each.tensor.name: each.feed(images, self.size) for each in self.places}
        try:
            return maps_of(self.session.run(feeds), self.profile, self.size)
        except BackendError as error:
            raise BackendError(f'{self.path}: {error}') from error


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
    try:
        places = find_places(profile, session.inputs)
    except BackendError as error:
        raise BackendError(f'{path}: {error}') from error
    size = _network_size(path, profile, places)
    licence = file.notes.get('licence', profile.licence)
    model = OnnxModel(path, profile, session, places, size, licence)
    log.info('loaded %s, licence %s', model.described, licence or 'not stated')
    return model


def _check_outputs(path: Path, profile: Profile, session: Session) -> None:
    there = [each.name for each in session.outputs]
    asked = (profile.output.name, profile.confidence, profile.visibility)
    missing = [name for name in asked if name and name not in there]
    if missing:
        raise BackendError(
            f'{path} has no output {" and no output ".join(missing)}, it has {", ".join(there)}: '
            'correct the profile'
        )


def _network_size(path: Path, profile: Profile, places: tuple[Place, ...]) -> tuple[int, int]:
    """Height and width of its largest input: others are smaller copies."""
    fixed = [place.size for place in places if place.size is not None]
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
