# SPDX-License-Identifier: Apache-2.0
"""
The whole node, from publish to receipt: rate, latency, processor time and memory.

    python benchmarks/pipeline.py [--seconds 12] [--only "1280x720 depth"] [-p sgbm.preset:=fast]

Three processes: a source that sends ready-made messages, the node, a reader of one topic (or of
all). A pair is textured planes, the nearest of which has --nearest pixels of disparity: the node
tries no more than a scene has. Latency is from the stamp, taken before the left image is sent,
to the arrival of the answer. The reader's last topic in `all` is points2.

plain idiom: a node as tutorials have it, cv_bridge, cv2.StereoSGBM (3way) and NumPy in the
callback of an ApproximateTimeSynchronizer, in its own process.
nothing: nobody listens, while the cameras go on.
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
from pathlib import Path

import numpy as np
from machine import print_table

ROOT = Path(__file__).parents[1]
PROFILE = ROOT / 'config' / 'fastdds_shm.xml'
START_SECONDS = 60.0
WARM_UP_SECONDS = 2.0
SETTLED_SECONDS = 8.0  # all processes have started and know each other
TICKS_PER_SECOND = os.sysconf('SC_CLK_TCK')
BASELINE_M = 0.12
SIZES = {'640x480': 96, '1280x720': 176}  # disparities searched
# What is listened to, and the topic whose arrival counts.
READERS = {
    'disparity': ('disparity',),
    'depth': ('depth/image',),
    'all': ('disparity', 'depth/image', 'confidence/image', 'points2'),
    'nothing': (),
}
CASES = [
    # size, rate in Hz, what is listened to, who answers
    ('640x480', 30, 'depth', 'ours'),
    ('640x480', 30, 'all', 'ours'),
    ('640x480', 30, 'depth', 'plain'),
    ('1280x720', 5, 'depth', 'ours'),
    ('1280x720', 15, 'disparity', 'ours'),
    ('1280x720', 15, 'depth', 'ours'),
    ('1280x720', 15, 'all', 'ours'),
    ('1280x720', 15, 'depth', 'plain'),
    ('1280x720', 30, 'depth', 'ours'),
    ('1280x720', 30, 'nothing', 'ours'),
]


def planes(width: int, height: int, nearest: int) -> tuple[np.ndarray, np.ndarray]:
    """Left and right rgb8 images of three textured planes, the nearest of this disparity."""
    random_generator = np.random.default_rng(0)
    coarse = random_generator.integers(0, 256, (height // 2, width // 2, 3), np.uint8)
    left = np.kron(coarse, np.ones((2, 2, 1), np.uint8))
    right = np.empty_like(left)
    bands = np.linspace(0, height, 4).astype(int)
    for top, bottom, disparity in zip(bands, bands[1:], (nearest // 4, nearest * 5 // 8, nearest)):
        right[top:bottom] = np.roll(left[top:bottom], -disparity, axis=1)
    noise = random_generator.normal(0, 1, left.shape)
    return left, np.clip(right + noise, 0, 255).astype(np.uint8)


def send(size: str, nearest: int, rate_hz: float, seconds: float, listened_to: bool) -> dict:
    """Publish the pair at a fixed rate, from the first listener on if there will be one."""
    rclpy, node = open_node('source')
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import CameraInfo, Image

    width, height = map(int, size.split('x'))
    infos, images = [], []
    for side, pixels in zip(('left', 'right'), planes(width, height, nearest)):
        topic = node.create_publisher(Image, f'/{side}/image_rect', qos_profile_sensor_data)
        image = Image(height=height, width=width, encoding='rgb8', step=3 * width)
        image.header.frame_id = 'left'
        image.data.frombytes(pixels.tobytes())
        images.append((topic, image))
        tx = -width * BASELINE_M if side == 'right' else 0.0
        topic = node.create_publisher(CameraInfo, f'/{side}/camera_info', qos_profile_sensor_data)
        infos.append((topic, camera_info(width, height, tx)))
    if listened_to:
        wait_for(rclpy, node, lambda: all(topic.get_subscription_count() for topic, _ in images))
    start, sent = time.monotonic(), 0
    while time.monotonic() < start + seconds:
        time.sleep(max(0.0, start + sent / rate_hz - time.monotonic()))
        stamp = node.get_clock().now().to_msg()
        for topic, message in (*infos, *images):
            message.header.stamp = stamp
            topic.publish(message)
        sent += 1
    return {'sent': sent, 'hz': sent / (time.monotonic() - start)}


def camera_info(width: int, height: int, tx: float):
    """An ideal camera of 53 degrees."""
    from sensor_msgs.msg import CameraInfo

    info = CameraInfo(width=width, height=height, distortion_model='plumb_bob', d=[0.0] * 5)
    info.header.frame_id = 'left'
    f, cx, cy = float(width), (width - 1) / 2, (height - 1) / 2
    info.k = [f, 0.0, cx, 0.0, f, cy, 0.0, 0.0, 1.0]
    info.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    info.p = [f, 0.0, cx, tx, 0.0, f, cy, 0.0, 0.0, 0.0, 1.0, 0.0]
    return info


def read(what: str, seconds: float) -> dict:
    """Latencies of the last topic, in milliseconds, from the second second on."""
    rclpy, node = open_node('reader')
    from sensor_msgs.msg import Image, PointCloud2
    from stereo_msgs.msg import DisparityImage

    kinds = {'disparity': DisparityImage, 'points2': PointCloud2}
    arrivals: list[tuple[float, float]] = []

    def take(message) -> None:
        stamp = message.header.stamp
        arrivals.append((time.monotonic(), 1e3 * (time.time() - stamp.sec - stamp.nanosec * 1e-9)))

    for topic in READERS[what]:
        last = topic == READERS[what][-1]
        kind = kinds.get(topic, Image)
        node.create_subscription(kind, f'/{topic}', take if last else lambda _: None, 1)
    print('listening', flush=True)
    wait_for(rclpy, node, lambda: bool(arrivals))
    first = arrivals[0][0]
    while time.monotonic() < first + seconds:
        rclpy.spin_once(node, timeout_sec=0.1)
    counted = [ms for at, ms in arrivals if at > first + WARM_UP_SECONDS]
    return {'hz': len(counted) / (seconds - WARM_UP_SECONDS), 'latencies_ms': counted}


def plain(size: str) -> None:
    """What the tutorials do."""
    rclpy, node = open_node('plain')
    import cv2
    import message_filters
    from cv_bridge import CvBridge
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import Image

    bridge, publisher = CvBridge(), node.create_publisher(Image, '/depth/image', 1)
    matcher = cv2.StereoSGBM_create(
        0, SIZES[size], 3, 100, 400, 1, 63, 5, 200, 1, cv2.STEREO_SGBM_MODE_SGBM_3WAY
    )
    focal_px = int(size.split('x')[0])

    def match(left, right) -> None:
        pair = (bridge.imgmsg_to_cv2(image, 'mono8') for image in (left, right))
        disparity = matcher.compute(*pair).astype(np.float32) / 16
        disparity[disparity <= 0] = np.nan
        depth = (focal_px * BASELINE_M / disparity).astype(np.float32)
        publisher.publish(bridge.cv2_to_imgmsg(depth, '32FC1', left.header))

    inputs = [
        message_filters.Subscriber(
            node, Image, f'/{side}/image_rect', qos_profile=qos_profile_sensor_data
        )
        for side in ('left', 'right')
    ]
    message_filters.ApproximateTimeSynchronizer(inputs, 10, 0.005).registerCallback(match)
    rclpy.spin(node)


def open_node(name: str):
    """A ROS node."""
    import rclpy

    rclpy.init()
    return rclpy, rclpy.create_node(name)


def wait_for(rclpy, node, condition) -> None:
    """Let messages come until the condition holds."""
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f'{node.get_name()}: nothing came in {START_SECONDS:.0f} s')
        rclpy.spin_once(node, timeout_sec=0.1)


def node_command(who: str, size: str, parameters: list[str]) -> list[str]:
    """How the node is started."""
    if who == 'plain':
        return [sys.executable, __file__, '--role', 'plain', json.dumps([size])]
    given = ['backend:=sgbm', 'device:=cpu', f'sgbm.disparity_range:={SIZES[size]}', *parameters]
    options = [word for parameter in given for word in ('-p', parameter)]
    module = 'vizion3d_ros.ros.nodes.stereo_node'
    return [sys.executable, '-m', module, '--ros-args', '--log-level', 'error', *options]


def run_case(case, nearest: int, seconds: float, parameters: list[str]) -> dict[str, object]:
    """One row."""
    size, rate_hz, what, who = case
    environment = {
        **os.environ,
        'ROS_DOMAIN_ID': str(random.randint(1, 100)),
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
        'FASTRTPS_DEFAULT_PROFILES_FILE': str(PROFILE),
        'FASTDDS_DEFAULT_PROFILES_FILE': str(PROFILE),
    }

    def start(command: list[str], **options) -> subprocess.Popen:
        return subprocess.Popen(command, env=environment, cwd=ROOT, **options)

    def role(name: str, *arguments) -> subprocess.Popen:
        command = [sys.executable, __file__, '--role', name, json.dumps(arguments)]
        return start(command, stdout=subprocess.PIPE, text=True)

    node, source, reader = start(node_command(who, size, parameters)), None, None
    row = {'images': size, 'Hz': rate_hz, 'listens to': what, 'node': who}
    try:
        if what == 'nothing':
            source = role('source', size, nearest, rate_hz, seconds + 2 * SETTLED_SECONDS, False)
            time.sleep(SETTLED_SECONDS)
            return row | idle(node.pid, seconds)
        reader = role('reader', what, seconds)
        source = role('source', size, nearest, rate_hz, seconds + WARM_UP_SECONDS, True)
        time.sleep(SETTLED_SECONDS)
        before, begun = cpu_seconds(node.pid), time.monotonic()
        time.sleep(max(1.0, seconds - SETTLED_SECONDS))
        cpu = (cpu_seconds(node.pid) - before) / (time.monotonic() - begun)
        memory = memory_mb(node.pid)
        heard = json.loads(reader.communicate(timeout=START_SECONDS)[0].splitlines()[-1])
    finally:
        for process in (node, source, reader):
            if process is not None:
                process.kill()
                process.wait()
    return row | figures(heard, cpu, memory)


def figures(heard: dict, cpu: float, memory: float) -> dict[str, object]:
    """The columns of one run."""
    latencies = heard['latencies_ms']
    p95 = statistics.quantiles(latencies, n=20)[-1] if len(latencies) > 1 else float('nan')
    return {
        'received Hz': f'{heard["hz"]:.1f}',
        'latency p50 ms': f'{statistics.median(latencies):.0f}',
        'p95 ms': f'{p95:.0f}',
        'CPU ms per frame': f'{1e3 * cpu / heard["hz"]:.0f}',
        'cores': f'{cpu:.2f}',
        'memory MB': f'{memory:.0f}',
    }


def idle(pid: int, seconds: float) -> dict[str, object]:
    """The same columns for a node that has nothing to do."""
    before = cpu_seconds(pid)
    time.sleep(seconds)
    cores = (cpu_seconds(pid) - before) / seconds
    columns = dict.fromkeys(('received Hz', 'latency p50 ms', 'p95 ms', 'CPU ms per frame'), '')
    return columns | {'cores': f'{cores:.3f}', 'memory MB': f'{memory_mb(pid):.0f}'}


def cpu_seconds(pid: int) -> float:
    """Processor time a process has taken so far."""
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    lines = Path(f'/proc/{pid}/status').read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith('VmRSS')) / 1024


def main() -> None:
    """Print the table, or play one of the roles."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('--seconds', type=float, default=12.0, help='per row')
    parser.add_argument('--only', default='', help='rows that have these words')
    parser.add_argument('--nearest', type=int, default=48, help='disparity in pixels')
    parser.add_argument('-p', dest='parameters', action='append', default=[], help='name:=value')
    parser.add_argument('--json', type=Path)
    parser.add_argument('--role', nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role:
        role, arguments = options.role
        roles = {'source': send, 'reader': read, 'plain': plain}
        print(json.dumps(roles[role](*json.loads(arguments))))
        return
    cases = [case for case in CASES if set(options.only.split()) <= set(map(str, case))]
    rows = [run_case(case, options.nearest, options.seconds, options.parameters) for case in cases]
    print_table('Whole node, three processes', rows, options.json)


if __name__ == '__main__':
    main()
