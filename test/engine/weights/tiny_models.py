# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of a few kilobytes that look like S2M2's variant S."""

import io

import torch

SHAPES = {
    'cnn_backbone.norm1.weight': (128,),
    'transformer.uformer_list.0.enc.weight': (8, 8),
    'disp_init.layer_norm.weight': (4,),
    'upsample_mask_4x_refine.conv_concat.0.weight': (2, 3),
    'upsample_mask_4x_refine.conv_concat.0.bias': (2,),
}
"""What a very small variant S would look like."""


def make_tensors(shapes=None):
    """Distinct finite values for every entry."""
    shapes = SHAPES if shapes is None else shapes
    return {
        name: torch.arange(torch.Size(shape).numel(), dtype=torch.float32).reshape(shape) + i
        for i, (name, shape) in enumerate(shapes.items())
    }


def saved(content, **options):
    """The bytes that torch.save writes."""
    stream = io.BytesIO()
    torch.save(content, stream, **options)
    return stream.getvalue()
