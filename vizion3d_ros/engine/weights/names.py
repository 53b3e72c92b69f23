# SPDX-License-Identifier: Apache-2.0
"""The models that can be asked for by name."""

from __future__ import annotations

from dataclasses import dataclass

from vizion3d_ros.engine.weights.families import DEPTH_ANYTHING_V2, S2M2, Family
from vizion3d_ros.engine.weights.request import public_part

VIZION3D = 'https://github.com/OlafenwaMoses/vizion3D/releases/download/essentials-v1'
DEPTH_ANYTHING = 'https://huggingface.co/depth-anything'

DEFAULT_STEREO = 's2m2-L'
DEFAULT_MONO = 'depth-anything-v2-base'


@dataclass(frozen=True)
class KnownModel:
    """
    A published checkpoint.

    url is '' where no address is known: the file is then looked for in the cache. sha256 is '' or
    64 hex digits.
    """

    name: str
    family: Family
    variant: str
    file_name: str
    url: str = ''
    sha256: str = ''

    @property
    def licence(self) -> str:
        """The licence of the weights."""
        return self.family.licences[self.variant]


KNOWN = (
    KnownModel('s2m2-S', S2M2, 'S', 'CH128NTR1.pth'),
    KnownModel('s2m2-M', S2M2, 'M', 'CH192NTR2.pth'),
    KnownModel(
        's2m2-L', S2M2, 'L', 'stereo-depth-s2m2-L.pth', f'{VIZION3D}/stereo-depth-s2m2-L.pth'
    ),
    KnownModel('s2m2-XL', S2M2, 'XL', 'CH384NTR3.pth'),
    KnownModel(
        'depth-anything-v2-small',
        DEPTH_ANYTHING_V2,
        'vits',
        'depth_anything_v2_vits.pth',
        f'{DEPTH_ANYTHING}/Depth-Anything-V2-Small/resolve/main/depth_anything_v2_vits.pth',
    ),
    KnownModel(
        'depth-anything-v2-base',
        DEPTH_ANYTHING_V2,
        'vitb',
        'depth_anything_v2_vitb.pth',
        f'{VIZION3D}/depth_anything_v2_vitb.pth',
    ),
    KnownModel(
        'depth-anything-v2-large',
        DEPTH_ANYTHING_V2,
        'vitl',
        'depth_anything_v2_vitl.pth',
        f'{DEPTH_ANYTHING}/Depth-Anything-V2-Large/resolve/main/depth_anything_v2_vitl.pth',
    ),
)


def known_by_name(name: str) -> KnownModel | None:
    """The model of this name, upper and lower case alike."""
    return next((model for model in KNOWN if model.name.lower() == name.lower()), None)


def known_by_url(url: str) -> KnownModel | None:
    """The model that this address is known for."""
    return next((m for m in KNOWN if m.url and m.url == public_part(url)), None)
