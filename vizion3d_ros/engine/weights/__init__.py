# SPDX-License-Identifier: Apache-2.0
"""
Checkpoints: from what a user names to tensors that fit a network.

    name | URL | path ── resolve ── ModelFile ── load ── Checkpoint (variant, licence, tensors)
        names, cache, download, transfer      container, families, fit

Nothing is downloaded without a log line, and no file that failed a check reaches a network: what
lies in the cache is set aside (`*.bad`), a file that the user gave by path is left as it is.
"""

from vizion3d_ros.engine.weights.cache import cache_dir
from vizion3d_ros.engine.weights.families import DEPTH_ANYTHING_V2, MASK_RCNN, S2M2, Family, Shapes
from vizion3d_ros.engine.weights.load import load
from vizion3d_ros.engine.weights.names import KNOWN
from vizion3d_ros.engine.weights.resolve import ModelFile, check_name, resolve

__all__ = [
    'DEPTH_ANYTHING_V2',
    'KNOWN',
    'MASK_RCNN',
    'S2M2',
    'Family',
    'ModelFile',
    'Shapes',
    'cache_dir',
    'check_name',
    'load',
    'resolve',
]
