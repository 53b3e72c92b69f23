# SPDX-License-Identifier: Apache-2.0
"""
Depth of many bags, one task per bag, on this machine or on all of a Ray cluster.

    python3 09_many_bags_with_ray.py OUT BAG [BAG ...]
    RAY_ADDRESS=auto python3 09_many_bags_with_ray.py /shared/depth /shared/drives/*

On a cluster all machines have to see the same folders. Calling it again goes on where it stopped.
"""

import sys
from pathlib import Path

import ray

from vizion3d_ros.bags.convert import Conversion, convert
from vizion3d_ros.contracts.errors import DepthError
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings


@ray.remote(num_cpus=2)  # with a GPU: num_gpus=1
def depth_of(bag, out):
    try:
        outcome = convert(Conversion(Path(bag), Path(out), StereoSettings(min_depth=0.5)))
    except DepthError as error:
        return f'failed: {error}'
    if outcome.already:
        return 'there already'
    left_out = ''.join(f'; {fault}' for fault in outcome.faults)
    return f'{outcome.pairs} pairs, {outcome.failed} failed{left_out}'


out, *bags = (Path(argument).absolute() for argument in sys.argv[1:])
ray.init(log_to_driver=False)
tasks = {bag: depth_of.remote(str(bag), str(out / bag.stem)) for bag in bags}
rows = [(bag.name, ray.get(task)) for bag, task in tasks.items()]
for name, result in rows:
    print(f'{name:<30} {result}')
sys.exit(any(result.startswith('failed') for _, result in rows))
