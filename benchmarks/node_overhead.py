# SPDX-License-Identifier: Apache-2.0
"""
What a frame costs besides matching: our node's path, the plain idiom, and the floor.

    python benchmarks/node_overhead.py [--frames 30] [--json FILE]

All three deserialise the same 1280x720 rgb8 pair and publish disparity, depth, confidence and a
coloured cloud to a reader in another process. The matcher is replaced by a stored answer.

ours, one by one: what stereo_node does with a frame, from its start to its last message.
ours, in a row: the same for ten frames that follow each other, where one is computed while the one
before is published, as in the node: time from frame to frame.
floor: the very messages of ours, made beforehand: what the middleware takes by itself.
plain idiom: cv_bridge, NumPy, sensor_msgs_py.create_cloud; no ranges, no checks.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

os.environ.setdefault('ROS_DOMAIN_ID', str(random.randint(1, 100)))
os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
os.environ.setdefault(
    'FASTRTPS_DEFAULT_PROFILES_FILE', str(Path(__file__).parents[1] / 'config/fastdds_shm.xml')
)

import numpy as np
import rclpy
import torch
from cv_bridge import CvBridge
from machine import print_table
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CameraInfo, Image, PointField
from sensor_msgs_py import point_cloud2
from std_msgs.msg import Header
from stereo_msgs.msg import DisparityImage

from vizion3d_ros.contracts.calibration import calibrate
from vizion3d_ros.contracts.commands import Output, StereoCommand
from vizion3d_ros.contracts.results import Match
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.engine import registry
from vizion3d_ros.incoming.camera_info import CameraInfoCache
from vizion3d_ros.incoming.images import calibration_of
from vizion3d_ros.pipeline import StereoPipeline
from vizion3d_ros.ros.messages.outgoing import FrameAnswer
from vizion3d_ros.ros.nodes.stereo_node import StereoFrame, StereoProcessor
from vizion3d_ros.ros.run import keep_large_blocks
from vizion3d_ros.ros.stream.topics import STEREO_OUTPUTS, OutputPublishers, output_qos
from vizion3d_ros.worker import PublishStage

WIDTH, HEIGHT = 1280, 720
TOPICS = ('disparity', 'depth/image', 'confidence/image', 'points2')
FOCAL_PX, BASELINE_M = 900.0, 0.12
DISCOVERY_S = 20.0
WARM_UP = 3
IN_A_ROW = 10


class StoredMatch:
    """A matcher that costs nothing."""

    def __init__(self) -> None:
        disparity = np.random.default_rng(0).uniform(5, 100, (HEIGHT, WIDTH)).astype(np.float32)
        disparity[::7] = np.nan
        share = np.ones_like(disparity)
        self.answer = Match(disparity, share, share, 0.0, 128.0, 1 / 16, 'stored')

    def match(self, left, right, rig, settings) -> Match:
        """The same answer every time."""
        return self.answer


def camera_info(tx: float) -> CameraInfo:
    """An ideal camera."""
    info = CameraInfo(width=WIDTH, height=HEIGHT)
    info.k = [FOCAL_PX, 0.0, 640.0, 0.0, FOCAL_PX, 360.0, 0.0, 0.0, 1.0]
    info.p = [FOCAL_PX, 0.0, 640.0, tx, 0.0, FOCAL_PX, 360.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    return info


def serialised_pair() -> tuple[bytes, bytes]:
    """Two random rgb8 images as they come off the wire."""
    rng = np.random.default_rng(1)
    pair = []
    for _ in range(2):
        image = Image(height=HEIGHT, width=WIDTH, encoding='rgb8', step=3 * WIDTH)
        image.header.frame_id = 'left'
        image.data.frombytes(rng.integers(0, 255, HEIGHT * WIDTH * 3, dtype=np.uint8).tobytes())
        pair.append(serialize_message(image))
    return pair[0], pair[1]


def received(pair: tuple[bytes, bytes]) -> list[Image]:
    """Both images, as rclpy hands them to a callback."""
    return [deserialize_message(image, Image) for image in pair]


def make_ours(node):
    """The product's two halves of a frame, one after the other, and the second in its thread."""
    registry.STEREO_BACKENDS['sgbm'] = f'{__name__}:StoredMatch'
    infos = CameraInfoCache(0.0)
    infos.add_left(camera_info(0.0))
    infos.add_right(camera_info(-FOCAL_PX * BASELINE_M))
    settings = StereoSettings(device='cpu')
    outputs = OutputPublishers(node, STEREO_OUTPUTS, lambda: None)
    outputs.enabled = True
    wait_until(node, lambda: len(outputs.wanted(True)) == len(TOPICS))
    processor = StereoProcessor(StereoPipeline('cpu'), infos, outputs, lambda: settings)

    stage = PublishStage(processor.compute, processor.on_error, nullcontext())

    def alone(pair) -> None:
        processor.compute(StereoFrame(*received(pair)))()

    def in_a_row(pair) -> None:
        clouds = outputs.published['points2']
        for _ in range(IN_A_ROW):
            stage(StereoFrame(*received(pair)))
        while outputs.published['points2'] < clouds + IN_A_ROW:
            if processor.failed:
                raise SystemExit(f'ours failed: {processor.last_error}')
            time.sleep(1e-4)

    return alone, in_a_row


def make_floor(node):
    """Publish what ours does, made once."""
    publishers, messages = advertise(node), premade()

    def publish(pair) -> None:
        received(pair)
        for name in TOPICS:
            publishers[name].publish(messages[name])

    return publish


def premade() -> dict[str, object]:
    """One message per topic, built by the product from the stored answer."""
    calibration = calibrate(
        calibration_of(camera_info(0.0)), calibration_of(camera_info(-FOCAL_PX * BASELINE_M))
    )
    grey = np.zeros((HEIGHT, WIDTH), np.uint8)
    settings = StereoSettings(device='cpu')
    command = StereoCommand(
        left=grey, right=grey, rig=calibration.rig, settings=settings, outputs=set(Output)
    )
    answer = FrameAnswer(StereoPipeline('cpu').run(command), Header(), camera_info(0.0), settings)
    return {name: STEREO_OUTPUTS[name].build(answer) for name in TOPICS}


def advertise(node) -> dict:
    """Publishers as the product has them, each known to the reader."""
    publishers = {
        name: node.create_publisher(STEREO_OUTPUTS[name].type, name, output_qos())
        for name in TOPICS
    }
    wait_until(node, lambda: all(p.get_subscription_count() for p in publishers.values()))
    return publishers


def wait_until(node, condition) -> None:
    """Let discovery go on until the condition holds."""
    deadline = time.monotonic() + DISCOVERY_S
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f'the reader was not found in {DISCOVERY_S:.0f} s')
        rclpy.spin_once(node, timeout_sec=0.05)


def make_plain(node):
    """What the tutorials do."""
    bridge, match, publishers = CvBridge(), StoredMatch().answer, advertise(node)
    names = ('x', 'y', 'z', 'rgb')
    fields = [PointField(name=n, offset=4 * i, datatype=7, count=1) for i, n in enumerate(names)]

    def publish(pair) -> None:
        left, right = received(pair)
        header = left.header
        color = bridge.imgmsg_to_cv2(left, 'bgr8')
        bridge.imgmsg_to_cv2(right, 'bgr8')
        disparity = match.disparity
        depth = FOCAL_PX * BASELINE_M / disparity
        rows, columns = np.indices(disparity.shape)
        x = (columns - 640.0) * depth / FOCAL_PX
        y = (rows - 360.0) * depth / FOCAL_PX
        blue, green, red = (color[..., i].astype(np.uint32) for i in range(3))
        rgb = (red << 16 | green << 8 | blue).view(np.float32)
        points = np.stack([x, y, depth, rgb], axis=-1).reshape(-1, 4).astype(np.float32)
        image = bridge.cv2_to_imgmsg(np.nan_to_num(disparity), '32FC1', header)
        publishers['disparity'].publish(DisparityImage(header=header, image=image, f=FOCAL_PX))
        publishers['depth/image'].publish(
            bridge.cv2_to_imgmsg(depth.astype(np.float32), '32FC1', header)
        )
        publishers['confidence/image'].publish(
            bridge.cv2_to_imgmsg(match.confidence, '32FC1', header)
        )
        publishers['points2'].publish(point_cloud2.create_cloud(header, fields, points))

    return publish


def read_forever() -> None:
    """The reader process: takes every topic and drops it."""
    rclpy.init()
    node = rclpy.create_node('reader')
    for name in TOPICS:
        node.create_subscription(STEREO_OUTPUTS[name].type, name, lambda _: None, 1)
    rclpy.spin(node)


def time_ways(ways: dict, pair, frames: int) -> dict[str, float]:
    """Median milliseconds per frame, from serialised images to the last publish.

    ways: each with how many frames it is. They take turns, so that whatever else the machine does
    hits them alike.
    """
    samples = {name: [] for name in ways}
    for _ in range(frames + WARM_UP):
        for name, (way, count) in ways.items():
            start = time.perf_counter()
            way(pair)
            samples[name].append(1e3 * (time.perf_counter() - start) / count)
    return {name: statistics.median(times[WARM_UP:]) for name, times in samples.items()}


def measure(frames: int) -> list[dict]:
    """One row per way of doing it."""
    keep_large_blocks()  # this and one thread: as in the process of stereo_node
    torch.set_num_threads(1)
    rclpy.init()
    node = rclpy.create_node('bench')
    alone, in_a_row = make_ours(node)
    ways = {
        'ours, one by one': (alone, 1),
        'ours, in a row': (in_a_row, IN_A_ROW),
        'floor': (make_floor(node), 1),
        'plain idiom': (make_plain(node), 1),
    }
    times = time_ways(ways, serialised_pair(), frames)
    return [
        {
            'path': name,
            'ms per frame': f'{ms:.1f}',
            'ms above floor': f'{ms - times["floor"]:.1f}',
            'ratio to floor': f'{ms / times["floor"]:.2f}',
        }
        for name, ms in times.items()
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('--frames', type=int, default=30)
    parser.add_argument('--json', type=Path)
    parser.add_argument('--reader', action='store_true', help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.reader:
        read_forever()
        return
    reader = subprocess.Popen([sys.executable, __file__, '--reader'])
    try:
        rows = measure(options.frames)
    finally:
        reader.kill()
        reader.wait()
    print_table('Frame cost without the matcher, 1280x720 rgb8', rows, options.json)


if __name__ == '__main__':
    main()
