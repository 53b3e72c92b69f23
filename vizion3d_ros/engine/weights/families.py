# SPDX-License-Identifier: Apache-2.0
"""The kinds of network whose checkpoints are known: size from shapes, older names, licence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vizion3d_ros.engine.networks.sizes import DEPTH_ANYTHING_SIZES, S2M2_SIZES

Shapes = Mapping[str, tuple[int, ...]]
"""The shape of every entry of a state dict, by name."""

NON_COMMERCIAL = 'CC BY-NC 4.0 (no commercial use)'


@dataclass(frozen=True)
class Family:
    """
    One network in all its sizes.

    variant_of answers '' for shapes that belong to no size. older_names maps the beginning of a
    name that some published files use to its official beginning; entries whose name begins with
    one of `unused` belong to parts that the network no longer has; whole numbers whose name ends
    in one of `counters` were of use in training alone.
    """

    name: str
    marker: str
    licences: Mapping[str, str]
    variant_of: Callable[[Shapes], str]
    older_names: tuple[tuple[str, str], ...] = ()
    unused: tuple[str, ...] = ()
    counters: tuple[str, ...] = ()


def _s2m2_variant(shapes: Shapes) -> str:
    blocks = 'transformer.uformer_list.'
    channels = shapes.get('cnn_backbone.norm1.weight') or (0,)
    count = len({name.split('.')[2] for name in shapes if name.startswith(blocks)})
    size = channels[0], count
    return next((variant for variant, known in S2M2_SIZES.items() if known == size), '')


def _depth_anything_variant(shapes: Shapes) -> str:
    channels = shapes.get('pretrained.cls_token') or (0,)
    sizes = DEPTH_ANYTHING_SIZES.items()
    return next((encoder for encoder, known in sizes if known.width == channels[-1]), '')


S2M2 = Family(
    name='S2M2',
    marker='cnn_backbone.',
    licences=dict.fromkeys(S2M2_SIZES, NON_COMMERCIAL),
    variant_of=_s2m2_variant,
    older_names=(
        ('upsample_mask_4x.', 'upsample_mask_4x_refine.'),
        ('disp_init.layer_norm1.', 'disp_init.layer_norm.'),
    ),
    unused=('feature_flow_attn.',),
)

DEPTH_ANYTHING_V2 = Family(
    name='Depth Anything V2',
    marker='depth_head.',
    licences={'vits': 'Apache-2.0', 'vitb': NON_COMMERCIAL, 'vitl': NON_COMMERCIAL},
    variant_of=_depth_anything_variant,
)

MASK_RCNN = Family(
    name='Mask R-CNN v2',
    marker='roi_heads.mask_head.',
    licences={'resnet50': 'BSD-3-Clause (torchvision; trained on COCO, CC BY 4.0)'},
    # v1 has no convolutions in its head of boxes
    variant_of=lambda shapes: 'resnet50' if 'roi_heads.box_head.0.0.weight' in shapes else '',
    counters=('.num_batches_tracked',),
)

FAMILIES = (S2M2, DEPTH_ANYTHING_V2, MASK_RCNN)


def family_of(shapes: Shapes) -> Family | None:
    """The family that a state dict belongs to, judged by its names; None if it is unknown."""
    for family in FAMILIES:
        if any(name.startswith(family.marker) for name in shapes):
            return family
    return None
