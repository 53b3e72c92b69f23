# SPDX-License-Identifier: Apache-2.0
"""Every setting of networks that were exported to ONNX; see node_settings.py."""

from __future__ import annotations

from typing import ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field

from vizion3d_ros.contracts.settings.node_settings import NetworkSettings

ENDING = '.onnx'
AUTO_PROFILE = 'auto'


def is_onnx(model: str) -> bool:
    """Whether a path or an address is that of an ONNX file."""
    path = urlsplit(model).path if '://' in model else model
    return path.endswith(ENDING)


class OnnxSettings(NetworkSettings):
    """A network that was exported to ONNX: by `vizion3d_depth export`, or by somebody else."""

    MODEL: ClassVar[str] = 'model'
    GROUP: ClassVar[str] = 'onnx'
    """What the names of its parameters begin with."""
    EXAMPLE: ClassVar[str] = 'depth-anything-v2-small'
    """A checkpoint that such a file can be made of."""

    model: str = Field(
        '', description='The path or https address of a file that ends in .onnx; empty = none'
    )
    providers: str = Field(
        'auto',
        description='What runs it: tensorrt, cuda, openvino, cpu or others of onnxruntime, '
        'separated by commas; auto: the first of these four that is there',
    )
    profile: str = Field(
        AUTO_PROFILE,
        description='What the network takes and answers: auto (as the file itself or the YAML '
        'beside it says), a shipped name, the path of a YAML file, or auto,NAME: that name if the '
        'file does not say',
    )
    precision: Literal['auto', 'float32', 'float16'] = Field(
        'auto', description='Number format of the computation; auto: that of the file'
    )

    @property
    def parameter(self) -> str:
        """The name of the parameter that names the file."""
        return f'{self.GROUP}.{self.MODEL}'

    @property
    def profile_of_others(self) -> str:
        """The same of another file: what that says of itself, and only then what is set here."""
        own = self.profile.startswith(AUTO_PROFILE)
        return self.profile if own else f'{AUTO_PROFILE},{self.profile}'


class StereoOnnxSettings(OnnxSettings):
    """The same for a network that takes a pair."""

    EXAMPLE = 's2m2-L'

    left_right_check: bool = Field(
        False,
        description='Run the mirrored pair too, for confidence and visibility, where the network '
        'answers neither; takes twice the time',
    )
