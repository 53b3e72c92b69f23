# SPDX-License-Identifier: Apache-2.0
"""
The mono node with a network whose answer is known: the grey level of a pixel is its depth.

The checkpoint is chosen by name: RELATIVE_CHECKPOINT, METRIC_CHECKPOINT, or one that is missing.
"""

import numpy as np

FARTHEST_M, NEAREST_M = 20.0, 1.0
SCALE, SHIFT = 0.25, 0.03  # 1 / Z = SCALE * relative + SHIFT
RELATIVE_CHECKPOINT, METRIC_CHECKPOINT = 'relative.pth', 'metric.pth'
OTHER_CHECKPOINT = 'other.pth'  # a relative one of another scale: larger by OTHER_RATIO
OTHER_RATIO = 3.0


def inverse_depth(grey):
    """1 / Z of grey levels 0..255, in 1 / m: black is far, white near."""
    share = np.asarray(grey, np.float32) / 255
    return 1 / FARTHEST_M + share * (1 / NEAREST_M - 1 / FARTHEST_M)


class KnownDepthBackend:
    """A MonoBackend that reads the depth off the image."""

    def estimate(self, image, settings):
        import torch

        from vizion3d_ros.contracts.errors import CheckpointError
        from vizion3d_ros.contracts.results import Estimate

        name = settings.depth_anything_v2.model_backend
        if name not in (RELATIVE_CHECKPOINT, METRIC_CHECKPOINT, OTHER_CHECKPOINT):
            raise CheckpointError(f'no checkpoint {name!r}: choose one that is there')
        inverse = inverse_depth(image if image.ndim == 2 else image.mean(axis=2))
        metric = name == METRIC_CHECKPOINT
        ratio = OTHER_RATIO if name == OTHER_CHECKPOINT else 1.0
        values = 1 / inverse if metric else ratio * (inverse - SHIFT) / SCALE
        height, width = image.shape[:2]
        backend_used = f'{name} (known depth, {width}x{height})'
        return Estimate(torch.from_numpy(values), metric, backend_used, name, licence='Apache-2.0')


def main():
    from vizion3d_ros.engine import registry
    from vizion3d_ros.ros.nodes import mono_node

    registry.MONO_BACKENDS['depth_anything_v2'] = '__main__:KnownDepthBackend'
    mono_node.main()


if __name__ == '__main__':
    main()
