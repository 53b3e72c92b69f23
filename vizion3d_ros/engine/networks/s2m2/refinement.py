# SPDX-License-Identifier: Apache-2.0
"""A disparity made better, once globally, then locally; docs/networks/s2m2.md, section 5."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vizion3d_ros.engine.networks.s2m2.blocks import Convolution, Gelu
from vizion3d_ros.engine.networks.s2m2.kernels.lookup import LookUp
from vizion3d_ros.engine.networks.s2m2.kernels.winograd import convolve
from vizion3d_ros.engine.networks.s2m2.unet import Unet

UNSURE = 0.2
SCALE = 100.0
SEEN, TRUST = 96 + 64 + 64, 32  # channels made of disparity and scores, and of the odds


class GlobalRefiner(nn.Module):
    """A Unet fills in what the confidence calls unsure."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.init_feat = nn.Sequential(
            Convolution(width + 2, width, 3), Gelu(), nn.Conv2d(width, width, 1)
        )
        self.refine_unet = Unet((width, width, width), 1)
        self.out_feat = nn.Sequential(nn.Conv2d(width, 1, 3, padding=1))

    def forward(self, features: Tensor, disparity: Tensor, confidence: Tensor) -> Tensor:
        """Left features (B, C, h, w) and float32 maps (B, 1, h, w) to a disparity like that."""
        sure = confidence > UNSURE
        known = torch.where(sure, disparity / SCALE, 0.0)
        trust = torch.where(sure, confidence, 0.0).clamp(0.1, 0.9).logit()
        inputs = torch.cat((known.to(features.dtype), trust.to(features.dtype), features), dim=1)
        guess = self.out_feat(self.refine_unet(self.init_feat(inputs))[0])
        return torch.where(sure, disparity, guess.to(disparity.dtype) * SCALE)


class SeparableGru(nn.Module):
    """A gated recurrent unit whose convolutions see a column, then a row."""

    def __init__(self, width: int) -> None:
        super().__init__()
        tall, broad = (2 * width, width, (3, 1)), (2 * width, width, (1, 3))
        self.convz1, self.convr1, self.convq1 = (Convolution(*tall) for _ in range(3))
        self.convz2, self.convr2, self.convq2 = (Convolution(*broad) for _ in range(3))

    def forward(self, hidden: Tensor, x: Tensor) -> Tensor:
        """Hidden state and input (B, C, h, w) to the next hidden state."""
        hidden = self._half(hidden, x, self.convz1, self.convr1, self.convq1)
        return self._half(hidden, x, self.convz2, self.convr2, self.convq2)

    def gates(self, x: Tensor, z: nn.Conv2d, r: nn.Conv2d) -> tuple[Tensor, Tensor]:
        """Two convolutions of one map (B, 2C, h, w), as one; each (B, C, h, w)."""
        weight = torch.cat((z.weight, r.weight))
        bias = torch.cat([layer.bias for layer in (z, r) if layer.bias is not None])
        update, reset = convolve(x, weight, bias).chunk(2, dim=1)
        return update, reset

    def _half(
        self, hidden: Tensor, x: Tensor, z: Convolution, r: Convolution, q: Convolution
    ) -> Tensor:
        update, reset = self.gates(torch.cat((hidden, x), dim=1), z, r)
        candidate = q(torch.cat((reset.sigmoid() * hidden, x), dim=1)).tanh_()
        return torch.lerp(hidden, candidate, update.sigmoid())


class Joining(nn.Conv2d):
    """The 1x1 convolution of what was seen, the context and the trust; the context stays."""

    def __init__(self, width: int) -> None:
        super().__init__(SEEN + width + TRUST, 2 * width, 1)

    def settle(self, context: Tensor) -> Tensor:
        """The context's share (B, 2C, h, w) of the result, from (B, C, h, w)."""
        return F.conv2d(context, self.weight[:, SEEN:-TRUST], self.bias)

    def join(self, x: Tensor, settled: Tensor) -> Tensor:
        """The whole result (B, 2C, h, w); x is what was seen, then the trust: (B, 256, h, w)."""
        weight = torch.cat((self.weight[:, :SEEN], self.weight[:, -TRUST:]), dim=1)
        return F.conv2d(x, weight).add_(settled)


class Refiner(nn.Module):
    """Looks around the present disparity and moves it."""

    def __init__(self, width: int, look_up: LookUp) -> None:
        super().__init__()
        self.look_up = look_up
        self.disp_feat = nn.Sequential(Convolution(1, 96, 3), Gelu(), Convolution(96, 96, 3))
        self.corr_feat1, self.corr_feat2 = _score_features(), _score_features()
        self.conf_occ_feat = nn.Sequential(Convolution(2, 64, 3), Gelu(), nn.Conv2d(64, TRUST, 1))
        self.disp_corr_ctx_cat = nn.Sequential(
            Joining(width), Gelu(), Convolution(2 * width, width, 3)
        )
        self.refine_unet = Unet((width, width, 2 * width), 1)
        self.gru = SeparableGru(width)
        self.disp_update = _update(width, 1)
        self.conf_occ_update = _update(width, 2)

    @property
    def joining(self) -> Joining:
        """The convolution whose share of the context is computed once."""
        return cast(Joining, self.disp_corr_ctx_cat[0])

    def forward(
        self,
        hidden: Tensor,
        settled: Tensor,
        disparity: Tensor,
        confidence: Tensor,
        visibility: Tensor,
        scores: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """
        The next hidden state, disparity, confidence and visibility.

        The hidden state is (B, C, h, w), settled what joining made of the context, the scores
        are (B, h, w, w) float32, the other three (B, 1, h, w) float32.
        """
        dtype = hidden.dtype
        near, far = self.look_up(scores, disparity)
        odds = torch.cat((confidence, visibility), dim=1).clamp(0.01, 0.99).logit()
        parts = (
            self.disp_feat((disparity / 100).to(dtype)),
            self.corr_feat1((near / 16).to(dtype)),
            self.corr_feat2((far / 16).to(dtype)),
            self.conf_occ_feat(odds.to(dtype)),
        )
        joined = self.joining.join(torch.cat(parts, dim=1), settled)
        x = self.refine_unet(self.disp_corr_ctx_cat[1:](joined))[0]
        hidden = self.gru(hidden, x)
        disparity = disparity + self.disp_update(hidden).to(disparity.dtype)
        odds = odds + self.conf_occ_update(hidden).to(odds.dtype)
        confidence, visibility = odds.sigmoid().split(1, dim=1)
        return hidden, disparity, confidence, visibility


def _score_features() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(9, 96, 1), Gelu(), nn.Conv2d(96, 64, 1))


def _update(width: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        Convolution(width, width, 3), Gelu(), Convolution(width, outputs, 3, bias=False)
    )
