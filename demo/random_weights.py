# SPDX-License-Identifier: Apache-2.0
"""A checkpoint that fits the network and has learnt nothing: every weight is drawn by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from vizion3d_ros.engine.networks import depth_anything_v2

if TYPE_CHECKING:
    from pathlib import Path

ENCODER = 'vits'
SEED = 4
LAST = 'depth_head.scratch.output_conv2.2.weight'


def write_random_checkpoint(path: Path) -> None:
    """Write a checkpoint of the smallest network, about 100 MB, always the same."""
    with torch.device('meta'):
        network = depth_anything_v2.build(ENCODER)
    chance = torch.Generator().manual_seed(SEED)
    shapes = {name: tensor.shape for name, tensor in network.state_dict().items()}
    weights = {name: _drawn(name, shape, chance) for name, shape in shapes.items()}
    # The last layer sums values >= 0 and cuts off what is negative: half of all seeds give black.
    weights[LAST].abs_()
    torch.save(weights, path)


def _drawn(name: str, shape: torch.Size, chance: torch.Generator) -> torch.Tensor:
    """Keep the variance from layer to layer (He et al. 2015); norms and biases change nothing."""
    if name.endswith('bias'):
        return torch.zeros(shape)
    if len(shape) == 1:
        return torch.ones(shape)
    return torch.randn(shape, generator=chance) * (2 / shape[1:].numel()) ** 0.5
