#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three processes over DDS: a camera, the stereo node, a recorder. Then a table and a picture.

    python demo/run.py                       a synthetic rig whose depth is known
    python demo/run.py --pair FOLDER         left.png, right.png, calib.txt [disparity.npz]
    python demo/run.py -- -p sgbm.sgbm_mode:=hh      anything after -- goes to the stereo node

Writes montage.png, cloud.ply, disparity.npy, report.json and the logs into out/. Exits with 1 and
the reason when nothing came.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmark_range import search_range  # noqa: E402
from processes import Children  # noqa: E402 (beside this file)

from vizion3d_ros.contracts.errors import DepthError  # noqa: E402
from vizion3d_ros.report import summary  # noqa: E402
from vizion3d_ros.sources.pair import load_pair  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

RESULTS = ('montage.png', 'cloud.ply', 'disparity.npy', 'report.json')
NEAREST_M = 0.8  # nothing in the synthetic room comes nearer; a shorter search is faster
START_S = 60.0  # imports and the warming of the matcher, on a slow machine


class DemoError(Exception):
    """The demo cannot go on; the message is for the user."""


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--pair', type=Path, metavar='FOLDER', help='play this pair instead')
    parser.add_argument('--frames', type=int, help='default 120, for a pair 12')
    parser.add_argument('--rate', type=float, metavar='HZ', help='default 10, for a pair 2')
    parser.add_argument('--disparities', type=int, metavar='N', help='search 0..N px (pair)')
    parser.add_argument('--out', type=Path, default=ROOT / 'out', help='default: out/')
    parser.add_argument('node', nargs='*', metavar='-- ...', help='arguments of the stereo node')
    options = parser.parse_args(argv)
    options.frames = options.frames or (12 if options.pair else 120)
    options.rate = options.rate or (2.0 if options.pair else 10.0)
    options.out = options.out.resolve()
    return options


def environment() -> dict[str, str]:
    """Give the children a ROS domain of their own on this machine, and the transport profile."""
    profile = str(ROOT / 'config' / 'fastdds_shm.xml')
    return {
        **os.environ,
        'ROS_DOMAIN_ID': str(random.randint(1, 100)),
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
        'FASTRTPS_DEFAULT_PROFILES_FILE': profile,
        'FASTDDS_DEFAULT_PROFILES_FILE': profile,
        'AMENT_PREFIX_PATH': os.pathsep.join(
            filter(None, (sys.prefix, os.environ.get('AMENT_PREFIX_PATH')))
        ),
        'PYTHONUNBUFFERED': '1',
    }


def node(module: str, parameters: dict[str, object], extra: Sequence[str] = ()) -> list[str]:
    """Build the command line of one node with its ROS parameters."""
    command = [sys.executable, '-m', f'vizion3d_ros.ros.{module}', '--ros-args']
    for name, value in parameters.items():
        command += ['-p', f'{name}:={json.dumps(value)}']  # YAML reads JSON; paths need quotes
    return [*command, *(argument for argument in extra if argument != '--ros-args')]


def source(options: argparse.Namespace) -> list[str]:
    """Build the command line of the camera: a synthetic rig, or a pair played again and again."""
    common: dict[str, object] = {
        'frames': options.frames,
        'rate': options.rate,
        'wait_for_subscribers': START_S,
    }
    if options.pair is None:
        return node('synthetic_rig', common)
    return node('play_pair', {'folder': str(options.pair.resolve()), **common})


def matcher(options: argparse.Namespace) -> list[str]:
    """Build the command line of the stereo node and say which disparities it searches."""
    parameters: dict[str, object] = {'backend': 'sgbm'}
    if options.pair is None:
        parameters['min_depth'] = NEAREST_M
        print(f'search range: depths from {NEAREST_M} m on')
    else:
        pair = load_pair(options.pair)
        ndisp, width = pair.calibration.ndisp, pair.left.shape[1]
        found = search_range(options.disparities, pair.disparity, ndisp, width)
        print(f'search range: {found.reason}')
        if found.disparities:
            parameters['sgbm.min_disparity'] = 0
            parameters['sgbm.disparity_range'] = found.disparities
    return node('stereo_node', parameters, options.node)


def record(options: argparse.Namespace) -> summary.Report:
    """Run the three processes to the end and give the report.

    Nothing is timed by sleeping: the source waits for the stereo node's subscriptions, the node
    subscribes once it is warm and the recorder listens, the recorder ends when all frames are in.
    Raises DemoError if a process fails or time runs out.
    """
    recorder = {'out': str(options.out), 'frames': options.frames, 'timeout': START_S + 10.0}
    commands = {
        'recorder': node('recorder', recorder),
        'stereo_node': matcher(options),
        'source': source(options),
    }
    with Children(environment(), ROOT, options.out) as children:
        started = {name: children.start(name, command) for name, command in commands.items()}
        watch(children, time.monotonic() + 2 * START_S + 3 * options.frames / options.rate)
    report: summary.Report = json.loads((options.out / 'report.json').read_text())
    sent = json.loads(started['source'].result or '{}').get('frames_sent', report['frames_sent'])
    return summary.count_sent(report, sent)


def watch(children: Children, deadline: float) -> None:
    """Wait until recorder and source have ended well; the first failure ends the demo."""
    awaited = {'recorder', 'source'}
    while awaited:
        child = children.next_end(deadline - time.monotonic())
        if child is None:
            raise DemoError(f'time ran out waiting for {" and ".join(sorted(awaited))}')
        if child.exit_code and child.name == 'recorder':
            raise DemoError(child.lines[-1])
        if child.exit_code or child.name not in awaited:
            last = '\n    '.join(child.lines)
            raise DemoError(f'{child.name} ended with code {child.exit_code}:\n    {last}')
        awaited.remove(child.name)


def show(report: summary.Report, out: Path) -> None:
    """Print the table and where the files are, and write the corrected report."""
    (out / 'report.json').write_text(json.dumps(report, indent=2) + '\n')
    print(f'\n{summary.table(report)}\n')
    for path in (out / name for name in RESULTS):
        if path.exists():
            print(f'  {path}')


def main() -> int:
    """Run the demo; gives the exit code."""
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        print(f'{options.frames} frames at {options.rate:g} Hz; logs in {options.out}', flush=True)
        show(record(options), options.out)
    except (DemoError, DepthError, OSError) as error:
        print(f'demo: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('demo: stopped', file=sys.stderr)
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main())
