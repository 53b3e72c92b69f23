# SPDX-License-Identifier: Apache-2.0
"""
Shows what a running node publishes, live, without rviz: image, depth, confidence, cloud, state.

    ros2 run vizion3d_ros view                     a window
    ros2 run vizion3d_ros view --web               for a browser, at the address that it logs
    ros2 run vizion3d_ros view --save drive.rrd    a file, for `rerun drive.rrd`

Needs the package rerun-sdk. Namespaces and remaps as for any node: --ros-args -r __ns:=/head.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from vizion3d_ros.contracts import topic_names
from vizion3d_ros.contracts.errors import DepthError
from vizion3d_ros.incoming.images import image_to_array
from vizion3d_ros.ros.messages.rare_encodings import in_known_encoding
from vizion3d_ros.ros.run import run_node
from vizion3d_ros.ros.testbed.viewer import GRPC_PORT, WEB_PORT, opened
from vizion3d_ros.transport import use_transport_profile

MOST_POINTS = 100_000
LEVELS = {DiagnosticStatus.OK: 'OK', DiagnosticStatus.WARN: '**WARN**'}


class View(Node):
    """Subscribes to what it shows, newest message only, and hands it to rerun."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Open the window, the server or the file; InputError without rerun."""
        super().__init__('view')
        self._rerun, where = opened(options)
        self.get_logger().info(where)
        self._state: dict[str, str] = {}
        shown: dict[str, tuple[type, Callable[[Any], None]]] = {
            topic_names.LEFT: (Image, self._show_image),
            topic_names.IMAGE: (Image, self._show_image),
            topic_names.DEPTH: (Image, self._show_depth),
            topic_names.DEPTH_INFO: (CameraInfo, self._show_camera),
            topic_names.CONFIDENCE: (Image, self._show_confidence),
            topic_names.POINTS: (PointCloud2, self._show_cloud),
            '/diagnostics': (DiagnosticArray, self._show_state),
        }
        for topic, (kind, show) in shown.items():
            # Cameras may offer no more; large maps lose a fragment, and so all, without.
            effort = (
                'BEST_EFFORT' if topic in (topic_names.LEFT, topic_names.IMAGE) else 'RELIABLE'
            )
            newest = QoSProfile(depth=1, reliability=ReliabilityPolicy[effort])
            self.create_subscription(kind, topic, partial(self._at_its_time, show), newest)

    def _at_its_time(self, show: Callable[[Any], None], message: Any) -> None:
        stamp = message.header.stamp
        self._rerun.set_time('stamp', timestamp=stamp.sec + 1e-9 * stamp.nanosec)
        try:
            show(message)
        except DepthError as error:
            self.get_logger().warning(str(error), throttle_duration_sec=10.0)

    def _show_image(self, message: Image) -> None:
        self._rerun.log(
            'camera/image', self._rerun.Image(image_to_array(in_known_encoding(message)))
        )

    def _show_depth(self, message: Image) -> None:
        meter = 1.0 if message.encoding == '32FC1' else 1000.0
        self._rerun.log('camera/depth', self._rerun.DepthImage(_values(message), meter=meter))

    def _show_confidence(self, message: Image) -> None:
        grey = (255 * _values(message)).astype(np.uint8)
        self._rerun.log('confidence', self._rerun.Image(grey))

    def _show_camera(self, message: CameraInfo) -> None:
        projection = np.array(message.p).reshape(3, 4)[:, :3]
        size = [message.width, message.height]
        pinhole = self._rerun.Pinhole(image_from_camera=projection, resolution=size)
        self._rerun.log('camera', pinhole)

    def _show_cloud(self, message: PointCloud2) -> None:
        table = np.frombuffer(message.data, np.float32).reshape(-1, message.point_step // 4)
        table = table[np.isfinite(table[:, 2])]
        table = table[:: max(1, len(table) // MOST_POINTS)]
        column = next(field.offset // 4 for field in message.fields if field.name == 'rgb')
        colour = table[:, column].copy().view(np.uint32)
        colours = np.stack([colour >> shift & 255 for shift in (16, 8, 0)], axis=1)
        points = self._rerun.Points3D(table[:, :3], colors=colours.astype(np.uint8))
        self._rerun.log('cloud', points)

    def _show_state(self, message: DiagnosticArray) -> None:
        """Everything that was reported, each with the newest that was said of it."""
        for status in message.status:
            level = LEVELS.get(status.level, '**ERROR**')
            self._state[status.name] = f'| {level} | {status.name} | {status.message} |'
        table = ['| | | |', '|---|---|---|', *(row for _, row in sorted(self._state.items()))]
        text = self._rerun.TextDocument('\n'.join(table), media_type='text/markdown')
        self._rerun.log('diagnostics', text)


def _values(message: Image) -> Any:
    """Numbers of a 32FC1 or 16UC1 image, (H, W)."""
    kind = np.float32 if message.encoding == '32FC1' else np.uint16
    rows = np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)
    used = message.width * np.dtype(kind).itemsize
    return np.nan_to_num(np.ascontiguousarray(rows[:, :used]).view(kind))


def main(args: list[str] | None = None) -> int:
    """Run until told to stop."""
    use_transport_profile()
    parser = argparse.ArgumentParser(prog='view', add_help=False)
    where = parser.add_mutually_exclusive_group()
    where.add_argument('--web', action='store_true')
    where.add_argument('--save', metavar='FILE')
    parser.add_argument('--web-port', type=int, default=WEB_PORT)
    parser.add_argument('--grpc-port', type=int, default=GRPC_PORT)
    options, rest = parser.parse_known_args(sys.argv[1:] if args is None else args)
    return run_node(partial(View, options), __doc__, rest)


if __name__ == '__main__':
    sys.exit(main())
