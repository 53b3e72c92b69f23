# SPDX-License-Identifier: Apache-2.0
"""One local refinement of S2M2 (arXiv 2507.13229); our specification 7.5."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from vizion3d_ros.engine.networks.s2m2.blocks import Convolution, Gelu
from vizion3d_ros.engine.networks.s2m2.steps import Steps
from vizion3d_ros.engine.networks.s2m2.unet import Unet

SEEN, TRUST = 96 + 64 + 64, 32  # channels made of disparity and scores, and of the odds


class SeparableGru(nn.Module):
    """A gated recurrent unit whose convolutions see a column, then a row."""

    def __init__(self, width: int, steps: Steps) -> None:
        super().__init__()
        self.steps = steps
        tall, broad = (2 * width, width, (3, 1), steps), (2 * width, width, (1, 3), steps)
        self.convz1, self.convr1, self.convq1 = (Convolution(*tall) for _ in range(3))
        self.convz2, self.convr2, self.convq2 = (Convolution(*broad) for _ in range(3))

    def forward(self, hidden: Tensor, x: Tensor) -> Tensor:
        """Hidden state and input (B, C, h, w) to the next hidden state."""
        hidden = self._half(hidden, x, self.convz1, self.convr1, self.convq1)
        return self._half(hidden, x, self.convz2, self.convr2, self.convq2)

    def _half(
        self, hidden: Tensor, x: Tensor, z: Convolution, r: Convolution, q: Convolution
    ) -> Tensor:
        update, reset = self.steps.gates(torch.cat((hidden, x), dim=1), z, r)
        candidate = q(torch.cat((reset.sigmoid() * hidden, x), dim=1)).tanh_()
        return torch.lerp(hidden, candidate, update.sigmoid())


class Refiner(nn.Module):
    """Looks around the present disparity and moves it."""

    def __init__(self, width: int, steps: Steps) -> None:
        super().__init__()
        self.steps = steps
        self.disp_feat = nn.Sequential(
            Convolution(1, 96, 3, steps), Gelu(), Convolution(96, 96, 3, steps)
        )
        self.corr_feat1, self.corr_feat2 = _score_features(), _score_features()
        self.conf_occ_feat = nn.Sequential(
            Convolution(2, 64, 3, steps), Gelu(), nn.Conv2d(64, TRUST, 1)
        )
        self.disp_corr_ctx_cat = nn.Sequential(
            nn.Conv2d(SEEN + width + TRUST, 2 * width, 1),
            Gelu(),
            Convolution(2 * width, width, 3, steps),
        )
        self.refine_unet = Unet((width, width, 2 * width), 1, steps)
        self.gru = SeparableGru(width, steps)
        self.disp_update = _update(width, 1, steps)
        self.conf_occ_update = _update(width, 2, steps)

    def settle(self, context: Tensor) -> Tensor:
        """What every refinement needs of the context (B, C, h, w), done once."""
        return self.steps.settle(self._mixing, context, SEEN)

    @property
    def _mixing(self) -> nn.Conv2d:
        """The convolution that joins what was seen, the context and the trust."""
        return cast(nn.Conv2d, self.disp_corr_ctx_cat[0])

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

        The hidden state is (B, C, h, w), settled what settle() made of the context, the scores
        are (B, h, w, w) float32, the other three (B, 1, h, w) float32.
        """
        dtype = hidden.dtype
        near, far = self.steps.look_up(scores, disparity)
        odds = torch.cat((confidence, visibility), dim=1).clamp(0.01, 0.99).logit()
        seen = (
            self.disp_feat((disparity / 100).to(dtype)),
            self.corr_feat1((near / 16).to(dtype)),
            self.corr_feat2((far / 16).to(dtype)),
        )
        trust = self.conf_occ_feat(odds.to(dtype))
        x = self.disp_corr_ctx_cat[1:](self.steps.mix(self._mixing, seen, settled, trust))
        hidden = self.gru(hidden, self.refine_unet(x)[0])
        disparity = disparity + self.disp_update(hidden).to(disparity.dtype)
        odds = odds + self.conf_occ_update(hidden).to(odds.dtype)
        confidence, visibility = odds.sigmoid().split(1, dim=1)
        return hidden, disparity, confidence, visibility


def _score_features() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(9, 96, 1), Gelu(), nn.Conv2d(96, 64, 1))


def _update(width: int, outputs: int, steps: Steps) -> nn.Sequential:
    return nn.Sequential(
        Convolution(width, width, 3, steps),
        Gelu(),
        Convolution(width, outputs, 3, steps, bias=False),
    )
