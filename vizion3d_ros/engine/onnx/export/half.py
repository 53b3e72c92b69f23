# SPDX-License-Identifier: Apache-2.0
"""Networks in float16, with what is too fine for that left in float32."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from vizion3d_ros.engine.networks.s2m2 import S2M2

# The features of S2M2 decide between surfaces by scores that float16 rounds far too much: 0.5 to 1
# pixel at worst. The global refiner and the last two steps set a disparity: up to 0.02. What lies
# between moves one that is found already: below 0.01 (docs/backends.md).
IN_HALF = ('feat_fusion_layer', 'ctx_feat', 'refiner')
# Of the modules after matching, the places of the inputs that are maps of features.
FEATURES: Mapping[str, tuple[int, ...]] = {
    'feat_fusion_layer': (0, 1),
    'ctx_feat': (0,),
    'global_refiner': (0,),
    'upsample_mask_4x_refine': (0, 1),
    'upsample_mask_1x': (1, 2),
}


def halved(network: nn.Module) -> nn.Module:
    """A copy in float16 whose inputs and answers stay float32."""
    network = copy.deepcopy(network)
    if not isinstance(network, S2M2):
        network.half().register_forward_pre_hook(_cast((0,), torch.float16))
        return network
    for name in IN_HALF:
        getattr(network, name).half()
    for name, places in FEATURES.items():
        module: nn.Module = getattr(network, name)
        module.register_forward_pre_hook(_cast(places, next(module.parameters()).dtype))
    return network


def _cast(
    places: tuple[int, ...], dtype: torch.dtype
) -> Callable[[nn.Module, tuple[Tensor, ...]], tuple[Tensor, ...]]:
    """Bring some of a module's inputs to its number format."""

    def cast(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(x.to(dtype) if n in places else x for n, x in enumerate(inputs))

    return cast
