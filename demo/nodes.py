# SPDX-License-Identifier: Apache-2.0
"""Nodes as processes: their command lines, and one run of them from start to report."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from processes import Children

from vizion3d_ros.contracts.errors import DepthError
from vizion3d_ros.report import summary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
# what a run leaves, and what to do with it
RESULTS = {
    'montage.png': 'the picture: look here first',
    'cloud.ply': 'the cloud: MeshLab, CloudCompare, open3d or Blender show it',
    'disparity.npy': 'for NumPy',
    'report.json': 'the figures above',
}
NEXT = """
  your own pair    make demo PAIR=folder, with left.png, right.png and calib.txt in it
  on a robot       ros2 launch vizion3d_ros stereo.launch.py: see README, "Install on a robot"\
"""
START_S = 60.0  # imports and the warming of a matcher or network, on a slow machine


class DemoError(Exception):
    """The demo cannot go on; the message is for the user."""


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


def node(module: str, parameters: Mapping[str, object], extra: Sequence[str] = ()) -> list[str]:
    """Build the command line of one node of the package with its ROS parameters."""
    return command(['-m', f'vizion3d_ros.ros.{module}'], parameters, extra)


def command(
    start: Sequence[str], parameters: Mapping[str, object], extra: Sequence[str] = ()
) -> list[str]:
    """Build a command line of this Python; start: what comes before the ROS arguments."""
    line = [sys.executable, *start, '--ros-args']
    for name, value in parameters.items():
        line += ['-p', f'{name}:={json.dumps(value)}']  # YAML reads JSON; paths need quotes
    return [*line, *(argument for argument in extra if argument != '--ros-args')]


def record(commands: Mapping[str, Sequence[str]], out: Path, show_s: float) -> summary.Report:
    """
    Run `recorder`, `source` and the node between them to the end and give the report.

    show_s: how long the source plays. Nothing is timed by sleeping: the source waits for the
    node's subscriptions, the node subscribes once it is warm and the recorder listens, the
    recorder ends when all frames are in. Raises DemoError if a process fails or time runs out.
    """
    with Children(environment(), ROOT, out) as children:
        started = {name: children.start(name, line) for name, line in commands.items()}
        watch(children, time.monotonic() + 2 * START_S + 3 * show_s)
    report: summary.Report = json.loads((out / 'report.json').read_text())
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
    for name, purpose in RESULTS.items():
        if (out / name).exists():
            print(f'  {out / name}    {purpose}')
    print(NEXT)


def exit_code_of(demo: Callable[[], None]) -> int:
    """Run a demo; gives the exit code, with its reason on stderr."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        demo()
    except (DemoError, DepthError, OSError) as error:
        print(f'demo: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('demo: stopped', file=sys.stderr)
        return 130
    return 0
