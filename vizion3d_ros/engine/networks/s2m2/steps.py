# SPDX-License-Identifier: Apache-2.0
"""
The steps of S2M2 that have a plain and a fast form, so that the network is written once.

FAST is what runs. The plain forms, word for word from the specification, are in reference.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vizion3d_ros.engine.networks.linear import Linear
from vizion3d_ros.engine.networks.s2m2.attention_steps import attention, encoded_attention
from vizion3d_ros.engine.networks.s2m2.convex import convex_sum
from vizion3d_ros.engine.networks.s2m2.lookup import look_up
from vizion3d_ros.engine.networks.s2m2.transport import transport
from vizion3d_ros.engine.networks.s2m2.winograd import convolve


@dataclass(frozen=True)
class Steps:
    """One form of every step; the functions named here say what goes in and out."""

    convolve: Callable[[Tensor, Tensor, Tensor | None], Tensor]
    gates: Callable[[Tensor, nn.Conv2d, nn.Conv2d], tuple[Tensor, Tensor]]
    settle: Callable[[nn.Conv2d, Tensor, int], Tensor]
    mix: Callable[[nn.Conv2d, tuple[Tensor, ...], Tensor, Tensor], Tensor]
    attention: Callable[[Tensor, Tensor, Tensor], Tensor]
    encoded_attention: Callable[[Tensor, Tensor, Tensor, tuple[int, int]], tuple[Tensor, Tensor]]
    enlarge: Callable[[Tensor, nn.Module], Tensor]
    transport: Callable[[Tensor, bool], tuple[Tensor, Tensor, Tensor]]
    look_up: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
    convex_sum: Callable[[Tensor, Tensor], Tensor]
    linear: type[nn.Linear]
    memory_format: torch.memory_format


def enlarge(x: Tensor, convolution: nn.Module) -> Tensor:
    """
    Twice the size, bilinear, and a 1x1 convolution: (B, n, h, w) to (B, m, 2h, 2w).

    Interpolation weights sum to one, so the convolution may go first, on a quarter of the pixels.
    """
    return F.interpolate(convolution(x), scale_factor=2, mode='bilinear', align_corners=False)


def settle(convolution: nn.Conv2d, constant: Tensor, first: int) -> Tensor:
    """What a 1x1 convolution makes of inputs that stay the same; the first is number first."""
    weight = convolution.weight[:, first : first + constant.shape[1]]
    return F.conv2d(constant, weight, convolution.bias)


def mix(
    convolution: nn.Conv2d, before: tuple[Tensor, ...], settled: Tensor, after: Tensor
) -> Tensor:
    """The whole 1x1 convolution, given the other inputs on both sides of what is settled."""
    inputs = torch.cat((*before, after), dim=1)
    count = after.shape[1]
    weight = convolution.weight
    weight = torch.cat((weight[:, : inputs.shape[1] - count], weight[:, -count:]), dim=1)
    return F.conv2d(inputs, weight).add_(settled)


def gates(x: Tensor, first: nn.Conv2d, second: nn.Conv2d) -> tuple[Tensor, Tensor]:
    """Two convolutions of one map, as one."""
    weight = torch.cat((first.weight, second.weight))
    bias = torch.cat([layer.bias for layer in (first, second) if layer.bias is not None])
    z, r = convolve(x, weight, bias).chunk(2, dim=1)
    return z, r


FAST = Steps(
    convolve=convolve,
    gates=gates,
    settle=settle,
    mix=mix,
    attention=attention,
    encoded_attention=encoded_attention,
    enlarge=enlarge,
    transport=transport,
    look_up=look_up,
    convex_sum=convex_sum,
    linear=Linear,
    memory_format=torch.channels_last,
)
