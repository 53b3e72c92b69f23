# SPDX-License-Identifier: Apache-2.0
"""
Record what a stereo node answers: numbers, one picture, one cloud.

    ros2 run vizion3d_ros recorder --ros-args -p out:=/tmp/run -p frames:=100

Listens to the left image, the outputs and, where it is published, ground truth. Stops after
`frames` frames, when the source is gone, after `timeout` seconds of silence, or on Ctrl-C. Then
writes report.json, montage.png, cloud.ply and disparity.npy (x_left - x_right in pixels, NaN = no
answer) into the folder `out`. Exits with 1 and the reason if no depth or disparity came.
"""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import rclpy
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.event_handler import SubscriptionEventCallbacks, UnsupportedEventTypeError
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from stereo_msgs.msg import DisparityImage

from vizion3d_ros.contracts.calibration import calibrate
from vizion3d_ros.contracts.errors import DepthError
from vizion3d_ros.report import recording, summary
from vizion3d_ros.report.cloud_file import write_cloud
from vizion3d_ros.report.montage import montage
from vizion3d_ros.report.panels import figures, stereo_panels
from vizion3d_ros.ros.measurements_in import cloud_points, disparity_map, float_map
from vizion3d_ros.ros.messages_in import calibration_of, image_to_array

if TYPE_CHECKING:
    from collections.abc import Callable

    from vizion3d_ros.contracts.camera import StereoRig

QOS = QoSProfile(
    reliability=ReliabilityPolicy.BEST_EFFORT, history=HistoryPolicy.KEEP_LAST, depth=10
)
QUIET_S = 1.0  # after the last frame, outputs still on their way have this long to arrive
FILES = ('report.json', 'montage.png', 'cloud.ply', 'disparity.npy')

TOPICS: dict[str, tuple[type, Callable[[Any], Any]]] = {
    recording.LEFT: (Image, image_to_array),
    recording.DEPTH: (Image, float_map),
    recording.DISPARITY: (DisparityImage, disparity_map),
    recording.CONFIDENCE: (Image, float_map),
    recording.TRUE_DEPTH: (Image, float_map),
    recording.TRUE_DISPARITY: (Image, float_map),
}


class Recorder(Node):
    """Files every message of a run; `finished` tells when there is nothing more to wait for."""

    def __init__(self) -> None:
        """Declare parameters, clear the files of an earlier run and subscribe."""
        super().__init__('recorder')
        self.out = Path(self._parameter('out', 'out', 'Folder for the results')).resolve()
        frames = self._parameter('frames', 0, 'Frames to record; 0 = until the source ends')
        self.timeout_s = self._parameter('timeout', 10.0, 'Seconds of silence before giving up')
        self.run = recording.Recording(frames)
        self.cloud: PointCloud2 | None = None
        self._infos: dict[str, CameraInfo] = {}
        self.started = self._last_message = time.monotonic()
        self._source_seen = False
        self.out.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            (self.out / name).unlink(missing_ok=True)
        self._subscribe()

    @property
    def finished(self) -> bool:
        """Whether the run is complete, its source is gone, or silence lasted too long."""
        silence = time.monotonic() - self._last_message
        publishers = self.count_publishers(recording.LEFT)
        self._source_seen |= publishers > 0
        gone = self._source_seen and publishers == 0
        enough = 0 < self.run.frames <= self.run.frames_seen
        patience = QUIET_S if gone or enough else self.timeout_s
        return self.run.complete or silence > patience

    @property
    def rig(self) -> StereoRig | None:
        """The rig that the camera infos describe; None without them or if they are unusable."""
        if len(self._infos) < 2:
            return None
        left, right = (calibration_of(self._infos[side]) for side in ('left', 'right'))
        return calibrate(left, right).rig

    def _parameter(self, name: str, default: Any, description: str) -> Any:
        descriptor = ParameterDescriptor(description=description, read_only=True)
        return self.declare_parameter(name, default, descriptor).value

    def _subscribe(self) -> None:
        for topic, (kind, _) in TOPICS.items():
            self._listen(kind, topic, partial(self._on_frame, topic))
        self._listen(PointCloud2, recording.POINTS, self._on_cloud)
        for side in ('left', 'right'):
            keep = partial(self._infos.__setitem__, side)
            self.create_subscription(CameraInfo, f'{side}/camera_info', keep, QOS)

    def _listen(self, kind: type, topic: str, callback: Callable[[Any], None]) -> None:
        def lost(event: Any) -> None:
            self.run.add_lost(topic, event.total_count_change)

        def matched(event: Any) -> None:
            self.get_logger().info(f'{topic}: {event.current_count} publisher(s)')

        create = partial(self.create_subscription, kind, topic, callback, QOS)
        try:  # not every middleware counts its losses, and matches are news since Jazzy
            create(event_callbacks=SubscriptionEventCallbacks(message_lost=lost, matched=matched))
        except (TypeError, UnsupportedEventTypeError):
            create()

    def _on_frame(self, topic: str, message: Any) -> None:
        try:
            values = TOPICS[topic][1](message)
        except DepthError as error:
            self.get_logger().error(f'{topic}: {error}', throttle_duration_sec=5.0)
            return
        self._file(topic, message, values)

    def _on_cloud(self, message: PointCloud2) -> None:
        if self._file(recording.POINTS, message):
            self.cloud = message

    def _file(self, topic: str, message: Any, values: Any = None) -> bool:
        stamp = message.header.stamp
        received_ns = self.get_clock().now().nanoseconds
        fresh = self.run.add(topic, stamp.sec * 10**9 + stamp.nanosec, received_ns, values)
        if fresh:
            self._last_message = time.monotonic()
        return fresh


def write_results(recorder: Recorder) -> dict[str, Any]:
    """
    Write the report, and the other files as far as there is something for them.

    Gives the report. What cannot be written is said on stderr, with the reason.
    """
    report = summary.summarize(recorder.run, recorder.rig)
    (recorder.out / 'report.json').write_text(json.dumps(report, indent=2) + '\n')
    maps = summary.Maps.from_frame(recorder.run.best, recorder.rig)
    for write in (_write_picture, _write_disparity):
        _attempt(write, recorder.out, maps, report)
    _attempt(_write_cloud, recorder.out, recorder.cloud)
    return report


def _attempt(write: Callable[..., None], *arguments: Any) -> None:
    try:
        write(*arguments)
    except DepthError as error:
        print(f'[WARN] recorder: {error}', file=sys.stderr)


def _write_picture(out: Path, maps: summary.Maps, report: summary.Report) -> None:
    cv2.imwrite(str(out / 'montage.png'), montage(stereo_panels(maps), figures(report)))


def _write_disparity(out: Path, maps: summary.Maps, _: summary.Report) -> None:
    if maps.disparity is not None:
        np.save(out / 'disparity.npy', maps.disparity.astype(np.float32))


def _write_cloud(out: Path, cloud: PointCloud2 | None) -> None:
    if cloud is not None:
        write_cloud(out / 'cloud.ply', *cloud_points(cloud))


def failure(recorder: Recorder) -> str:
    """Say why there is nothing to report; empty if there is."""
    received = recorder.run.received()
    if recorder.run.answer_ages_ns:
        return ''
    if recording.LEFT in received:
        return (
            f'{received[recording.LEFT]} images came on {recording.LEFT}, but no depth and no '
            'disparity: is the stereo node running, and what does its log say?'
        )
    waited_s = time.monotonic() - recorder.started
    return (
        f'nothing came on {recording.LEFT}, {recording.DEPTH} or {recording.DISPARITY} in '
        f'{waited_s:.0f} s: is the source running, in this ROS domain and under these names?'
    )


def main(args: list[str] | None = None) -> int:
    """Record one run; gives the exit code."""
    rclpy.init(args=args)
    recorder = Recorder()
    executor = SingleThreadedExecutor()
    executor.add_node(recorder)
    try:
        while not recorder.finished:
            executor.spin_once(timeout_sec=0.2)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    recorder.destroy_node()  # before the files are written, so that the node can rest meanwhile
    rclpy.try_shutdown()
    report = write_results(recorder)
    print(f'{summary.table(report)}\nwritten to {recorder.out}')
    problem = failure(recorder)
    if problem:
        print(f'recorder: {problem}', file=sys.stderr)
    return 1 if problem else 0


if __name__ == '__main__':
    sys.exit(main())
