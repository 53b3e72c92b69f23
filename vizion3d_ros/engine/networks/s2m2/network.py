# SPDX-License-Identifier: Apache-2.0
"""
S2M2, a stereo network: two rectified images to disparity, visibility and confidence.

Min, Jeon, Kim, Choi: S2M2, Scalable Stereo Matching Model for Reliable Depth Estimation, ICCV
2025, arXiv 2507.13229. Written from docs/networks/s2m2.md; every part of the paper's figure is one
module beside this one.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vizion3d_ros.engine.networks.layout import LaidOut
from vizion3d_ros.engine.networks.s2m2.backbone import Backbone
from vizion3d_ros.engine.networks.s2m2.blocks import GateFusion, Gelu
from vizion3d_ros.engine.networks.s2m2.kernels.convex import convex_sum
from vizion3d_ros.engine.networks.s2m2.matching import Matching
from vizion3d_ros.engine.networks.s2m2.refinement import GlobalRefiner, Refiner
from vizion3d_ros.engine.networks.s2m2.revisions import Revision
from vizion3d_ros.engine.networks.s2m2.transformer import Transformer
from vizion3d_ros.engine.networks.s2m2.unet import Unet
from vizion3d_ros.engine.networks.s2m2.upsampling import FullMask, QuarterMask, convex_weights


class S2M2(LaidOut):
    """The whole network; build() in the package makes the four published sizes."""

    def __init__(
        self,
        width: int,
        blocks: int,
        refine_iterations: int,
        allow_negative: bool,
        revision: Revision,
    ) -> None:
        super().__init__()
        self.refine_iterations, self.allow_negative = refine_iterations, allow_negative
        self.sharp_upsampling = revision.sharp_upsampling
        self.cnn_backbone = Backbone(width)
        self.feat_pyramid = Unet((width, width, 2 * width), 2 * blocks, encoded=True)
        self.transformer = Transformer(width, blocks)
        self.disp_init = Matching(width, allow_negative)
        self.upsample_mask_1x = FullMask(width)
        self.upsample_mask_4x_refine = QuarterMask(width)
        self.global_refiner = GlobalRefiner(width)
        self.feat_fusion_layer = GateFusion(width, kernel=3)
        self.refiner = Refiner(width, revision.look_up)
        self.ctx_feat = nn.Sequential(
            nn.Conv2d(width, width, 1), Gelu(), nn.Conv2d(width, width, 1)
        )
        self.lay_out()

    def forward(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """
        Disparity in pixels, visibility and confidence in 0..1, each (B, 1, H, W) float32.

        Left and right are float (B, 3, H, W), RGB in 0..255, H and W multiples of 32. Left
        column x with disparity d lies at column x - d on the right. Visibility is near 1 where
        the right image sees the pixel; confidence is meant as the probability of an error below
        4 px. Float64 networks answer in float64. Use Module.to for half precision, not autocast.
        """
        batch = left.shape[0]
        images = self._normalise(left, right)
        features, finest, half = self._features(images)
        disparity, confidence, visibility, scores = self.disp_init(features)
        features = features[:batch]
        disparity = self._positive(self.global_refiner(features, disparity, confidence))
        context = self.ctx_feat(self.feat_fusion_layer(features, finest))
        hidden, settled = context.tanh(), self.refiner.joining.settle(context)
        for _ in range(self.refine_iterations):
            hidden, disparity, confidence, visibility = self.refiner(
                hidden, settled, disparity, confidence, visibility, scores
            )
            disparity = self._positive(disparity)
            visibility = _inside(visibility, disparity)
        maps = torch.cat((4 * disparity, visibility, confidence), dim=1)
        maps = self.upsample(self.upsample_mask_4x_refine(hidden, half), maps)
        maps = self.upsample(self.upsample_mask_1x(maps[:, :1], images[:batch], half), maps)
        disparity, visibility, confidence = maps.chunk(3, dim=1)
        return disparity, visibility, confidence

    def _features(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """
        What matching and refinement read of images (2B, 3, H, W).

        Transformer features (2B, C, h, w) at a quarter of the size, and of the left images alone
        the finest pyramid map (B, C, h, w) and backbone features (B, C, H/2, W/2).
        """
        batch = images.shape[0] // 2
        quarter, half = self.cnn_backbone(images)
        half = half[:batch].clone()  # a copy lets go of the right part, which is large
        pyramid = self.feat_pyramid(quarter)
        return self.transformer(pyramid), pyramid[0][:batch].clone(), half

    def _normalise(self, left: Tensor, right: Tensor) -> Tensor:
        """Both images as one batch (2B, 3, H, W) in -1..1, in the number format of the weights."""
        dtype = self.disp_init.layer_norm.weight.dtype
        images = torch.cat((left, right)).to(torch.promote_types(dtype, torch.float32))
        images = (images / 255 - 0.5) * 2
        return images.to(dtype, memory_format=self.layout)

    def _positive(self, disparity: Tensor) -> Tensor:
        return disparity if self.allow_negative else disparity.clamp_min(0)

    def upsample(self, logits: Tensor, maps: Tensor) -> Tensor:
        """Logits (B, 9, H, W) and coarse maps (B, n, h, w) to maps (B, n, H, W)."""
        return convex_sum(convex_weights(logits, self.sharp_upsampling), maps)


def _inside(visibility: Tensor, disparity: Tensor) -> Tensor:
    """Visibility, 0 where the match would lie left of the right image; both (B, 1, h, w)."""
    column = torch.arange(disparity.shape[-1], device=disparity.device)
    return torch.where(column - disparity >= 0, visibility, 0.0)
