# SPDX-License-Identifier: Apache-2.0
"""
Two rigs on one machine: does each get its share, and the depth that it gets alone?

    python benchmarks/two_rigs.py [--seconds 60] [--rate 10] [-p sgbm.preset:=fast]

Per rig three processes: a source of ready-made messages, 640x480 rgb8, the node, a reader of its
depth. First each rig alone, then both. The scenes differ, so that a mix-up would be seen; a
source repeats one pair, so that all depth images of a rig must be the same bytes. Latency is from
the stamp to the arrival.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import cv2
from machine import print_table
from pipeline import BASELINE_M, PROFILE, ROOT, START_SECONDS, planes, wait_for

WIDTH, HEIGHT = 640, 480
NEAREST = {'front': 48, 'rear': 80}  # disparity in pixels
WARM_UP_SECONDS = 3.0
CALIBRATION = f"""cam0=[{WIDTH} 0 319.5; 0 {WIDTH} 239.5; 0 0 1]
cam1=[{WIDTH} 0 319.5; 0 {WIDTH} 239.5; 0 0 1]
doffs=0
baseline={1e3 * BASELINE_M}
width={WIDTH}
height={HEIGHT}
"""


def read(rig: str, seconds: float) -> dict:
    """Latencies in milliseconds, and what differs among the depth images."""
    import rclpy
    from sensor_msgs.msg import Image

    rclpy.init()
    node = rclpy.create_node('reader', namespace=rig)
    arrivals: list[tuple[float, float, str]] = []

    def take(message) -> None:
        stamp = message.header.stamp
        age_ms = 1e3 * (time.time() - stamp.sec - stamp.nanosec * 1e-9)
        arrivals.append((time.monotonic(), age_ms, hashlib.sha256(message.data).hexdigest()))

    node.create_subscription(Image, 'depth/image', take, 1)
    wait_for(rclpy, node, lambda: bool(arrivals))
    start = arrivals[0][0] + WARM_UP_SECONDS
    while time.monotonic() < start + seconds:
        rclpy.spin_once(node, timeout_sec=0.1)
    counted = [ms for at, ms, _ in arrivals if start <= at < start + seconds]
    return {
        'hz': len(counted) / seconds,
        'ms': counted,
        'depths': sorted({d for *_, d in arrivals}),
    }


def run(folders: dict[str, Path], seconds: float, rate_hz: float, more: list[str]) -> list[dict]:
    """Rows of the rigs in these folders, which run at the same time."""
    environment = {
        **os.environ,
        'ROS_DOMAIN_ID': str(random.randint(1, 100)),
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
        'FASTRTPS_DEFAULT_PROFILES_FILE': str(PROFILE),
        'FASTDDS_DEFAULT_PROFILES_FILE': str(PROFILE),
    }
    started: list[subprocess.Popen] = []

    def start(*command: object) -> subprocess.Popen:
        options = {'env': environment, 'cwd': ROOT, 'stdout': subprocess.PIPE, 'text': True}
        started.append(subprocess.Popen([sys.executable, *map(str, command)], **options))
        return started[-1]

    def module(name: str, rig: str, *parameters: str) -> None:
        options = [word for text in parameters for word in ('-p', text)]
        ros = ['--ros-args', '--log-level', 'error', '-r', f'__ns:=/{rig}', *options]
        start('-m', f'vizion3d_ros.ros.{name}', *ros)

    try:
        for rig, folder in folders.items():
            module('nodes.stereo_node', rig, *more)
            source = (f'folder:={folder}', f'rate:={rate_hz}', 'wait_for_subscribers:=30.0')
            module('testbed.play_pair', rig, *source)
        readers = {rig: start(__file__, '--read', rig, '--seconds', seconds) for rig in folders}
        patience = START_SECONDS + seconds
        heard = {rig: reader.communicate(timeout=patience)[0] for rig, reader in readers.items()}
        return [{'rig': rig, **json.loads(text)} for rig, text in heard.items()]
    finally:
        for process in started:
            process.kill()
            process.wait()


def row(found: dict, beside: str, alone: list[str]) -> dict[str, object]:
    """One line of the table."""
    p50, p95 = statistics.median(found['ms']), statistics.quantiles(found['ms'], n=20)[-1]
    return {
        'rig': found['rig'],
        'beside it': beside,
        'received Hz': f'{found["hz"]:.2f}',
        'latency p50 ms': f'{p50:.0f}',
        'p95 ms': f'{p95:.0f}',
        'depth images': len(found['ms']),
        'all as alone': 'yes' if len(alone) == 1 and found['depths'] == alone else 'NO',
    }


def prepare(folder: Path, rigs: Iterable[str]) -> dict[str, Path]:
    """Write a pair for each rig."""
    folders = {rig: folder / rig for rig in rigs}
    for rig, place in folders.items():
        place.mkdir()
        for side, pixels in zip(('left', 'right'), planes(WIDTH, HEIGHT, NEAREST[rig])):
            cv2.imwrite(str(place / f'{side}.png'), pixels)
        (place / 'calib.txt').write_text(CALIBRATION)
    return folders


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('--seconds', type=float, default=60.0, help='of both rigs together')
    parser.add_argument('--rate', type=float, default=10.0, help='pairs per second of each rig')
    parser.add_argument('-p', dest='parameters', action='append', default=[], help='name:=value')
    parser.add_argument('--json', type=Path)
    parser.add_argument('--read', help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        print(json.dumps(read(options.read, options.seconds)))
        return
    with tempfile.TemporaryDirectory() as folder:
        folders = prepare(Path(folder), NEAREST)
        common = options.rate, options.parameters
        alone = [run({rig: folders[rig]}, options.seconds / 4, *common)[0] for rig in folders]
        both = run(folders, options.seconds, *common)
    depths = {found['rig']: found['depths'] for found in alone}
    rows = [row(found, '', depths[found['rig']]) for found in alone]
    rows += [row(found, 'the other', depths[found['rig']]) for found in both]
    print_table('Two rigs, 640x480, three processes each', rows, options.json)


if __name__ == '__main__':
    main()
