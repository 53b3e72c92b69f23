# SPDX-License-Identifier: Apache-2.0
"""The models that can be asked for by name."""

from __future__ import annotations

from dataclasses import dataclass

from vizion3d_ros.engine.weights.families import DEPTH_ANYTHING_V2, MASK_RCNN, S2M2, Family
from vizion3d_ros.engine.weights.http import public_part

VIZION3D = 'https://github.com/OlafenwaMoses/vizion3D/releases/download/essentials-v1'
DEPTH_ANYTHING = 'https://huggingface.co/depth-anything'

UNSTATED = 'Apache-2.0 presumably, as its base: the authors state none'


@dataclass(frozen=True)
class KnownModel:
    """
    A published checkpoint.

    url is '' where no address is known: the file is then looked for in the cache. sha256 is '' or
    64 hex digits. terms: its licence where that is not its family's, else ''.
    """

    name: str
    family: Family
    variant: str
    file_name: str
    url: str = ''
    sha256: str = ''
    terms: str = ''

    @property
    def licence(self) -> str:
        """The licence of the weights."""
        return self.terms or self.family.licences[self.variant]


def _depth_anything(size: str, variant: str, trained_on: str = '') -> KnownModel:
    """Give a checkpoint of the authors; trained_on: the data set of a metric one."""
    kind = 'Depth-Anything-V2-' + (f'Metric-{trained_on}-' if trained_on else '')
    repository = kind + size
    file_name = kind.lower().replace('-', '_') + f'{variant}.pth'
    url = f'{DEPTH_ANYTHING}/{repository}/resolve/main/{file_name}'
    terms = UNSTATED if trained_on and variant == 'vits' else ''
    return KnownModel(repository.lower(), DEPTH_ANYTHING_V2, variant, file_name, url, terms=terms)


KNOWN = (
    KnownModel('s2m2-S', S2M2, 'S', 'CH128NTR1.pth'),
    KnownModel('s2m2-M', S2M2, 'M', 'CH192NTR2.pth'),
    KnownModel(
        's2m2-L', S2M2, 'L', 'stereo-depth-s2m2-L.pth', f'{VIZION3D}/stereo-depth-s2m2-L.pth'
    ),
    KnownModel('s2m2-XL', S2M2, 'XL', 'CH384NTR3.pth'),
    _depth_anything('Small', 'vits'),
    KnownModel(
        'depth-anything-v2-base',
        DEPTH_ANYTHING_V2,
        'vitb',
        'depth_anything_v2_vitb.pth',
        f'{VIZION3D}/depth_anything_v2_vitb.pth',
    ),
    _depth_anything('Large', 'vitl'),
    _depth_anything('Small', 'vits', 'Hypersim'),
    _depth_anything('Base', 'vitb', 'Hypersim'),
    _depth_anything('Large', 'vitl', 'Hypersim'),
    _depth_anything('Small', 'vits', 'VKITTI'),
    _depth_anything('Base', 'vitb', 'VKITTI'),
    _depth_anything('Large', 'vitl', 'VKITTI'),
    KnownModel(
        'maskrcnn-resnet50-fpn-v2',
        MASK_RCNN,
        'resnet50',
        'maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth',
        'https://download.pytorch.org/models/maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth',
    ),
)


def known_by_name(name: str) -> KnownModel | None:
    """The model of this name, upper and lower case alike."""
    return next((model for model in KNOWN if model.name.lower() == name.lower()), None)


def known_by_url(url: str) -> KnownModel | None:
    """The model that this address is known for."""
    return next((m for m in KNOWN if m.url and m.url == public_part(url)), None)


def licence_of(file_name: str, family: Family, variant: str) -> str:
    """The licence of weights: of the published file of this name, else of all of this size."""
    published = [
        m for m in KNOWN if (m.file_name, m.family, m.variant) == (file_name, family, variant)
    ]
    return published[0].licence if published else family.licences[variant]
