# SPDX-License-Identifier: Apache-2.0
"""
Do large messages arrive? Default Fast DDS transports against config/fastdds_shm.xml.

    python benchmarks/transport.py [--seconds 4] [--json FILE]

Two processes on this machine, 30 Hz: sent, received and median latency per message and QoS.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from array import array
from pathlib import Path

from machine import print_table

PROFILE = Path(__file__).parents[1] / 'config' / 'fastdds_shm.xml'
RATE_HZ = 30
MESSAGES = {'Image 1280x720 rgb8': (3, 'Image'), 'PointCloud2 1280x720': (16, 'PointCloud2')}
QUALITIES = ('best effort', 'reliable')
DISCOVERY_SECONDS = 20
DRAIN_SECONDS = 1


def run_case(bytes_per_pixel: int, kind: str, reliable: bool, profile: bool, seconds: float):
    """Sent, received and latencies of one writer and one reader process."""
    environment = {
        **os.environ,
        'ROS_DOMAIN_ID': str(random.randint(1, 100)),
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
    }
    for name in ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE'):
        environment.pop(name, None)
        if profile:
            environment[name] = str(PROFILE)
    case = json.dumps([bytes_per_pixel, kind, reliable, seconds])
    roles = [
        subprocess.Popen(
            [sys.executable, __file__, '--role', role, case],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for role in ('reader', 'writer')
    ]
    reader, writer = (json.loads(role.communicate(timeout=120)[0]) for role in roles)
    return writer['sent'], reader['latencies_ms']


def open_topic(case):
    """A node and the QoS of one case."""
    import rclpy
    from rclpy.qos import QoSProfile, ReliabilityPolicy

    rclpy.init()
    reliability = ReliabilityPolicy.RELIABLE if case[2] else ReliabilityPolicy.BEST_EFFORT
    return rclpy, rclpy.create_node('bench'), QoSProfile(depth=5, reliability=reliability)


def message_type(kind: str):
    """The message class called kind."""
    import sensor_msgs.msg

    return getattr(sensor_msgs.msg, kind)


def write(case) -> dict:
    """Publish at a fixed rate once the reader is there."""
    rclpy, node, qos = open_topic(case)
    bytes_per_pixel, kind, _, seconds = case
    publisher = node.create_publisher(message_type(kind), 'bench', qos)
    message = message_type(kind)(height=720, width=1280)
    message.data = array('B', bytes(1280 * 720 * bytes_per_pixel))
    deadline = time.monotonic() + DISCOVERY_SECONDS
    while not publisher.get_subscription_count() and time.monotonic() < deadline:
        rclpy.spin_once(node, timeout_sec=0.05)
    start = time.monotonic()
    for sent in range(int(seconds * RATE_HZ)):
        time.sleep(max(0.0, start + sent / RATE_HZ - time.monotonic()))
        message.header.stamp = node.get_clock().now().to_msg()
        publisher.publish(message)
    rclpy.spin_once(node, timeout_sec=DRAIN_SECONDS)
    return {'sent': int(seconds * RATE_HZ)}


def read(case) -> dict:
    """Receive until the writer is gone."""
    rclpy, node, qos = open_topic(case)
    latencies_ms = []

    def take(message) -> None:
        stamp = message.header.stamp
        latencies_ms.append(1e3 * (time.time() - stamp.sec - stamp.nanosec * 1e-9))

    node.create_subscription(message_type(case[1]), 'bench', take, qos)
    deadline = time.monotonic() + DISCOVERY_SECONDS
    while not node.count_publishers('bench') and time.monotonic() < deadline:
        rclpy.spin_once(node, timeout_sec=0.05)
    deadline = time.monotonic() + case[3] + 2 * DRAIN_SECONDS
    while node.count_publishers('bench') and time.monotonic() < deadline:
        rclpy.spin_once(node, timeout_sec=0.05)
    return {'latencies_ms': latencies_ms}


def measure(seconds: float) -> list[dict]:
    """One row per message and QoS."""
    rows = []
    for name, (bytes_per_pixel, kind) in MESSAGES.items():
        for quality in QUALITIES:
            row = {'message': name, 'QoS': quality}
            for column, profile in (('default', False), ('fastdds_shm.xml', True)):
                sent, latencies = run_case(
                    bytes_per_pixel, kind, quality == 'reliable', profile, seconds
                )
                median = f' ({statistics.median(latencies):.0f} ms)' if latencies else ''
                row[column] = f'{len(latencies)} of {sent}{median}'
            rows.append(row)
    return rows


def main() -> None:
    """Print the table, or play one of the two roles."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('--seconds', type=float, default=4.0)
    parser.add_argument('--json', type=Path)
    parser.add_argument('--role', nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role:
        role, case = options.role
        print(json.dumps((write if role == 'writer' else read)(json.loads(case))))
        return
    print_table('Received at 30 Hz (median latency)', measure(options.seconds), options.json)


if __name__ == '__main__':
    main()
