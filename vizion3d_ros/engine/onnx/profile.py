# SPDX-License-Identifier: Apache-2.0
"""
What a network in an ONNX file takes and answers.

Files of our own export carry it; for others it is declared in YAML: beside the file, under
profiles/ here, or at any path.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field, ValidationError, model_validator
from typing_extensions import Self

from vizion3d_ros.contracts.base import Contract
from vizion3d_ros.contracts.errors import BackendError, explain
from vizion3d_ros.contracts.settings.onnx_settings import AUTO_PROFILE

NOTE = 'vizion3d_profile'  # under which our own files carry theirs
SHIPPED = Path(__file__).parent / 'profiles'


def _thrice(value: Any) -> Any:
    """One number is that of every channel."""
    single = value[0] if isinstance(value, list) and len(value) == 1 else value
    return (single,) * 3 if isinstance(single, int | float) else value


Triple = Annotated[tuple[float, float, float], BeforeValidator(_thrice)]
Side = Annotated[int, Field(ge=1, le=8192)]


class NetworkInput(Contract):
    """
    One input.

    images: whose channels follow each other in it. name: '' = the input at this place. Its size
    is that of the file; where that is smaller than the network's size the images are shrunk.
    """

    images: tuple[Literal['left', 'right', 'image'], ...] = Field(min_length=1, max_length=2)
    name: str = ''


class NetworkOutput(Contract):
    """
    The map that is the answer.

    kind: disparity in pixels, depth in metres, or inverse depth without a unit. name: '' = the
    first output. sign, scale: what its numbers are multiplied by. channel: of several.
    """

    kind: Literal['disparity', 'depth', 'inverse_depth'] = 'disparity'
    name: str = ''
    channel: int = Field(0, ge=0)
    sign: Literal[1, -1] = 1
    scale: float = Field(1.0, gt=0.0)

    @property
    def factor(self) -> float:
        """What its numbers are multiplied by."""
        return self.sign * self.scale


class Profile(Contract):
    """
    What goes in, in this order: values in 0..255 times scale, less mean, divided by std.

    channels: which come in which order; mean and std follow it, grey takes the first. layout: of
    the tensors. size: height and width, None = as the file says. multiple: what other sizes than
    those of the picture are made of. confidence, visibility: outputs in 0..1, '' = it has none.
    """

    network: str = ''
    licence: str = ''
    inputs: tuple[NetworkInput, ...] = Field(min_length=1, max_length=4)
    channels: Literal['rgb', 'bgr', 'grey'] = 'rgb'
    layout: Literal['NCHW', 'NHWC'] = 'NCHW'
    scale: float = Field(1.0, gt=0.0)
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)
    size: tuple[Side, Side] | None = None
    multiple: int = Field(32, ge=1, le=1024)
    output: NetworkOutput = NetworkOutput()
    confidence: str = ''
    visibility: str = ''

    @model_validator(mode='after')
    def _fits_together(self) -> Self:
        if any(value <= 0 for value in self.std):
            raise ValueError(f'std must be above 0, got {list(self.std)}')
        wanted = {'left', 'right'} if self.is_stereo else {'image'}
        given = {image for each in self.inputs for image in each.images}
        if given != wanted:
            raise ValueError(
                f'inputs must take {" and ".join(sorted(wanted))} for {self.output.kind}, '
                f'got {" and ".join(sorted(given))}'
            )
        return self

    @property
    def normalises(self) -> bool:
        """Whether values are other than 0..255."""
        return (self.scale, self.mean, self.std) != (1.0, (0.0,) * 3, (1.0,) * 3)

    @property
    def is_stereo(self) -> bool:
        """Whether it takes a pair."""
        return self.output.kind == 'disparity'


def shipped() -> dict[str, Path]:
    """The profiles that come along, by name."""
    return {path.stem: path for path in sorted(SHIPPED.glob('*.yaml'))}


def find_profile(asked: str, model: Path, notes: dict[str, str]) -> Profile:
    """
    Give the profile of a file; notes: what the file says of itself.

    asked: auto, a shipped name, the path of a YAML file, or auto and one of these, by a comma,
    for files that do not say it. Raises BackendError if there is none.
    """
    auto, _, otherwise = asked.partition(',')
    if auto.strip() != AUTO_PROFILE:
        return _read(_file_of(asked))
    if NOTE in notes:
        return _checked(notes[NOTE], f'the note {NOTE} of {model}')
    beside = model.with_suffix('.yaml')
    if beside.is_file():
        return _read(beside)
    if otherwise:
        return _read(_file_of(otherwise.strip()))
    raise BackendError(
        f'{model} does not say what it takes, as it is not of `vizion3d_depth export`: set '
        f'onnx.profile to one of {", ".join(shipped())} or to a YAML file, or put that beside it '
        f'as {beside.name}'
    )


def _file_of(asked: str) -> Path:
    if asked in shipped():
        return shipped()[asked]
    path = Path(asked).expanduser()
    if not path.is_file():
        raise BackendError(
            f'onnx.profile {asked!r} is neither a shipped profile nor a file: expected auto, '
            f'{", ".join(shipped())} or the path of a YAML file'
        )
    return path


def _read(path: Path) -> Profile:
    try:
        return _checked(path.read_text(encoding='utf-8'), f'the profile {path}')
    except (OSError, UnicodeDecodeError) as error:
        raise BackendError(f'the profile {path} cannot be read: {error}') from error


def _checked(text: str, where: str) -> Profile:
    """JSON is YAML, too."""
    try:
        return Profile.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        raise BackendError(f'{where}: {explain(error)}') from error
    except yaml.YAMLError as error:
        raise BackendError(f'{where} is no YAML: {" ".join(str(error).split())}') from error
