# SPDX-License-Identifier: Apache-2.0
"""
Time of the voxel cloud (points.voxel_size) of one image, against Open3D's voxel_down_sample.

    python benchmarks/voxels.py [--json FILE] [--repeats 10]

The depth of the synthetic room at 640x480. Milliseconds: the fastest of the repeats, in turns.
Open3D is given its own points and colours beforehand; ours begins with the packed points.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import open3d
import torch
from machine import print_table
from measure import fastest_in_turns

from vizion3d_ros.contracts.camera import StereoRig
from vizion3d_ros.contracts.settings.node_settings import PointsSettings
from vizion3d_ros.geometry.reprojection import make_cloud
from vizion3d_ros.geometry.voxels import average_voxels
from vizion3d_ros.requests.open3d_objects import make_point_cloud
from vizion3d_ros.testbed.scene import SyntheticScene

RIG = StereoRig.from_field_of_view(640, 480, hfov_deg=65, baseline_m=0.12)
SIZES_M = (0.02, 0.05, 0.2)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--json', type=Path, metavar='FILE', help='also write the table there')
    parser.add_argument('--repeats', type=int, default=10)
    options = parser.parse_args()
    points = room()
    rows = [row(points, size, options.repeats) for size in SIZES_M]
    print_table(f'Voxel cloud of {len(points)} points', rows, options.json)


def room() -> torch.Tensor:
    """The points of the room, float32 (N, 4)."""
    view = SyntheticScene(RIG).at(0.7)
    depth_m = torch.from_numpy(np.asarray(view.depth_m, np.float32))
    return make_cloud(depth_m, view.left, RIG.left, PointsSettings(organized=False))


def row(points: torch.Tensor, size_m: float, repeats: int) -> dict[str, object]:
    theirs: open3d.geometry.PointCloud = make_point_cloud(points.numpy())
    calls = {
        'ours: ms': lambda: average_voxels(points, size_m),
        'Open3D: ms': lambda: theirs.voxel_down_sample(size_m),
    }
    counts = [len(average_voxels(points, size_m)), len(theirs.voxel_down_sample(size_m).points)]
    times = {name: f'{ms:.1f}' for name, ms in fastest_in_turns(calls, repeats).items()}
    names = 'ours: points', 'Open3D: points'
    return {'voxel_size: m': size_m, **times, **dict(zip(names, counts))}


if __name__ == '__main__':
    main()
