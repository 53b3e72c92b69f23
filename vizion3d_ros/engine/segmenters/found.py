# SPDX-License-Identifier: Apache-2.0
"""What a network has found, as objects."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from vizion3d_ros.contracts.annotation.instances import Instance, from_mask

NOTHING = np.zeros((0, 0), bool)


def instances_of(
    *,
    masks: Tensor,
    boxes: Sequence[Sequence[float]],
    confidences: Sequence[float],
    labels: Sequence[str],
    class_ids: Sequence[int],
) -> tuple[Instance, ...]:
    """Put together, by falling confidence, what a network lists; masks: bool (K, H, W)."""
    order = sorted(range(len(labels)), key=lambda index: -confidences[index])
    return tuple(
        from_mask(
            masks[index].cpu().numpy(),
            Instance(
                NOTHING,
                label=labels[index],
                class_id=class_ids[index],
                confidence=confidences[index],
                bbox_2d=(boxes[index][0], boxes[index][1], boxes[index][2], boxes[index][3]),
            ),
        )
        for index in order
    )
