#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The mono node over DDS, twice: with its real network, and with metres from a lidar.

    python demo/mono.py                      about 30 s on two cores

1. The network with weights drawn by chance, since none are shipped: images become a relative
   answer from end to end, and the answer means nothing. Results in out/mono_relative/.
2. A stand-in for the network, whose answer is an affine image of the true inverse depth, other in
   each frame, and a lidar of whose points a quarter are wrong: the node finds scale and shift, and
   the metres are compared with the truth. Results in out/mono_lidar/.

Each folder gets montage.png, report.json and the logs, the second one cloud.ply. Exits with 1 and
the reason when nothing came.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from nodes import (  # noqa: E402 (beside this file)
    START_S,
    DemoError,
    command,
    exit_code_of,
    node,
    record,
    show,
)
from random_weights import write_random_checkpoint  # noqa: E402

from vizion3d_ros.contracts import topic_names  # noqa: E402
from vizion3d_ros.testbed.lidar import LIDAR_POSE  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vizion3d_ros.report.summary import Report

CAMERA = ['-r', 'image_rect:=left/image_rect', '-r', 'camera_info:=left/camera_info']
LIDAR = ['-r', 'sparse_depth/points:=lidar/points']
POSE = list(LIDAR_POSE)
NETWORK_RATE_HZ, LIDAR_RATE_HZ = 2.0, 10.0
NETWORK_SIZE = 252  # pixels of the shorter side: some frames per second on two cores
LIDAR_NOISE = {'lidar_points': 1500, 'lidar_noise': 0.02, 'lidar_outliers': 0.25}


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--frames', type=int, default=0, help='default 16, then 60')
    parser.add_argument('--out', type=Path, default=ROOT / 'out', help='default: out/')
    options = parser.parse_args(argv)
    options.out = options.out.resolve()
    return options


def real_network(frames: int, out: Path) -> None:
    """Run the network with random weights and show its answer."""
    print('1 of 2: the real network with random weights: its answer has no meaning')
    with TemporaryDirectory() as folder:
        checkpoint = Path(folder) / 'random_vits.pth'
        write_random_checkpoint(checkpoint)
        parameters = {
            'depth_anything_v2.model_backend': str(checkpoint),
            'depth_anything_v2.input_size': NETWORK_SIZE,
        }
        mono_node = node('nodes.mono_node', parameters, CAMERA)
        recorder = {'remark': 'random weights: no meaning'}
        rig = {'frames': frames, 'rate': NETWORK_RATE_HZ}
        run(out, mono_node, recorder, rig, expected=topic_names.RELATIVE)


def metres_from_lidar(frames: int, out: Path) -> None:
    """Run the stand-in with a lidar and show how far off the metres are."""
    print('2 of 2: metres from a lidar, a quarter of its points wrong; a stand-in is the network')
    parameters = {
        'sparse_depth.transform': POSE,
        # The node may have an image before the points of its moment; those before it then serve.
        'sparse_depth.max_offset': 1.5 / LIDAR_RATE_HZ,
        # The scale of the stand-in moves faster than that of a network: smoothed, it would lag.
        'sparse_depth.smoothing': 0.0,
    }
    script = [str(ROOT / 'demo' / 'scene_depth_node.py'), '--rate', str(LIDAR_RATE_HZ)]
    mono_node = command(script, parameters, [*CAMERA, *LIDAR])
    recorder = {
        'remark': 'stand-in network: known affine image of inverse depth',
        'sparse_transform': POSE,
    }
    rig = {'frames': frames, 'rate': LIDAR_RATE_HZ, **LIDAR_NOISE}
    run(out, mono_node, recorder, rig, expected=topic_names.DEPTH)


def run(
    out: Path,
    mono_node: Sequence[str],
    recorder: Mapping[str, object],
    rig: Mapping[str, object],
    *,
    expected: str,
) -> None:
    """Run the three processes and show what came; DemoError if that is not on this topic."""
    out.mkdir(parents=True, exist_ok=True)
    print(f'{rig["frames"]} frames at {rig["rate"]:g} Hz; logs in {out}', flush=True)
    told = {'out': str(out), 'frames': rig['frames'], 'timeout': START_S + 10.0, **recorder}
    # Recorder and node listen to the left camera, nobody to the right one.
    waiting = {'wait_for_subscribers': START_S, 'listeners': [2, 0]}
    commands = {
        'recorder': node('testbed.recorder', told, LIDAR),
        'mono_node': mono_node,
        'source': node('testbed.synthetic_rig', {**rig, **waiting}),
    }
    report = record(commands, out, float(rig['frames']) / float(rig['rate']))
    show(report, out)
    check(report, expected, out)


def check(report: Report, expected: str, out: Path) -> None:
    """Raise DemoError unless the answer came on the expected topic."""
    if report['answer'] != expected:
        raise DemoError(
            f'the answer came on {report["answer"]}, expected {expected}: {out}/mono_node.log '
            'says why'
        )


def demonstrate(options: argparse.Namespace) -> None:
    """Do both runs."""
    real_network(options.frames or 16, options.out / 'mono_relative')
    print()
    metres_from_lidar(options.frames or 60, options.out / 'mono_lidar')


def main() -> int:
    """Run the demo; gives the exit code."""
    options = parse()
    return exit_code_of(lambda: demonstrate(options))


if __name__ == '__main__':
    sys.exit(main())
