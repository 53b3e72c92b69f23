# SPDX-License-Identifier: Apache-2.0
"""Depth Anything V2 of Hugging Face transformers, and our weights under its names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torch import Tensor, nn

if TYPE_CHECKING:
    from vizion3d_ros.engine.networks.sizes import DepthAnythingSize

RENAMED = (
    (r'pretrained\.(cls_token|mask_token)', r'backbone.embeddings.\1'),
    (r'pretrained\.pos_embed', r'backbone.embeddings.position_embeddings'),
    (r'pretrained\.patch_embed\.proj', r'backbone.embeddings.patch_embeddings.projection'),
    (r'pretrained\.blocks', r'backbone.encoder.layer'),
    (r'pretrained\.norm', r'backbone.layernorm'),
    (r'\.ls(\d)\.gamma', r'.layer_scale\1.lambda1'),
    (r'depth_head\.projects\.(\d)', r'neck.reassemble_stage.layers.\1.projection'),
    (r'depth_head\.resize_layers\.(\d)', r'neck.reassemble_stage.layers.\1.resize'),
    (r'depth_head\.scratch\.layer(\d)_rn', lambda m: f'neck.convs.{int(m[1]) - 1}'),
    (r'depth_head\.scratch\.refinenet(\d)', lambda m: f'neck.fusion_stage.layers.{4 - int(m[1])}'),
    (r'out_conv\.', r'projection.'),
    (r'resConfUnit(\d)\.conv(\d)', r'residual_layer\1.convolution\2'),
    (r'depth_head\.scratch\.output_conv1', r'head.conv1'),
    (r'depth_head\.scratch\.output_conv2\.0', r'head.conv2'),
    (r'depth_head\.scratch\.output_conv2\.2', r'head.conv3'),
)
ATTENTION = {  # queries, keys, values, output
    5: ('q_proj', 'k_proj', 'v_proj', 'o_proj'),
    4: ('attention.query', 'attention.key', 'attention.value', 'output.dense'),
}
"""By the generation of transformers: 4.57 and 5."""


def make_baseline(size: DepthAnythingSize) -> nn.Module:
    """Random weights; its attention is the default, scaled_dot_product_attention."""
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config
    from transformers.utils import logging

    logging.disable_progress_bar()
    backbone = Dinov2Config(
        hidden_size=size.width,
        num_hidden_layers=size.blocks,
        num_attention_heads=size.heads,
        image_size=518,
        patch_size=14,
        layer_norm_eps=1e-6,
        out_indices=[block + 1 for block in size.taps],
        apply_layernorm=True,
        reshape_hidden_states=False,
    )
    config = DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=size.width,
        neck_hidden_sizes=list(size.tap_widths),
        fusion_hidden_size=size.head_width,
        depth_estimation_type='relative',
    )
    return DepthAnythingForDepthEstimation(config).eval()


def read_baseline(path: str) -> nn.Module:
    """Import, build and load from a folder, as a program would that starts."""
    from transformers import DepthAnythingForDepthEstimation
    from transformers.utils import logging

    logging.disable_progress_bar()
    return DepthAnythingForDepthEstimation.from_pretrained(path).eval()


def converted(weights: dict[str, Tensor], theirs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Our weights under their names; theirs: a state dict that shows which generation it is."""
    names = ATTENTION[5 if any('.o_proj.' in name for name in theirs) else 4]
    out = {}
    for name, weight in weights.items():
        for pattern, replacement in RENAMED:
            name = re.sub(pattern, replacement, name)
        if '.attn.qkv.' in name:
            for part, third in zip(names, weight.chunk(3)):
                out[name.replace('attn.qkv', f'attention.{part}')] = third.clone()
        else:
            out[name.replace('attn.proj', f'attention.{names[3]}')] = weight
    return out
