# SPDX-License-Identifier: Apache-2.0
"""
Record what a stereo or mono node answers: numbers, one picture, one cloud.

    ros2 run vizion3d_ros recorder --ros-args -p out:=run -p frames:=100

Once somebody publishes the left image and its calibration, listens to it, the outputs and, where
it is published, ground truth; of a mono node also to its sparse depth and its diagnostics. Stops
after `frames` frames, when the source is gone, after `timeout` seconds of silence, or on Ctrl-C.
Then writes report.json, montage.png, cloud.ply and disparity.npy (x_left - x_right in pixels, NaN
= no answer) into the folder `out`. Exits with 1 and the reason if none of depth, disparity and
relative depth came, or if the folder cannot be written to.
"""

from __future__ import annotations

import math
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from diagnostic_msgs.msg import DiagnosticArray
from pydantic import Field
from rclpy.clock import Clock, ClockType
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from stereo_msgs.msg import DisparityImage

from vizion3d_ros.contracts import topic_names
from vizion3d_ros.contracts.base import Contract
from vizion3d_ros.contracts.calibration import calibrate
from vizion3d_ros.contracts.errors import DepthError, InputError
from vizion3d_ros.files.ply import write_cloud
from vizion3d_ros.incoming.images import calibration_of, image_to_array
from vizion3d_ros.incoming.sync import stamp_to_ns
from vizion3d_ros.report import folder, recording, summary
from vizion3d_ros.ros.compat import SubscriptionEventCallbacks, UnsupportedEventTypeError
from vizion3d_ros.ros.messages.measurements import cloud_points, disparity_map, float_map
from vizion3d_ros.ros.parameters import declare
from vizion3d_ros.ros.run import run_node
from vizion3d_ros.ros.testbed.scale_record import ScaleRecord
from vizion3d_ros.transport import use_transport_profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from rclpy.event_handler import QoSMessageLostInfo, QoSSubscriptionMatchedInfo

    from vizion3d_ros.contracts.camera import StereoRig
    from vizion3d_ros.contracts.metric_scale import SparseDepth

Message = TypeVar('Message')

QOS = QoSProfile(
    reliability=ReliabilityPolicy.BEST_EFFORT, history=HistoryPolicy.KEEP_LAST, depth=10
)
POLL_S = 0.2
INFO_S = 5.0  # our sources advertise it when they are ready; others may have none
QUIET_S = 1.0  # after the last frame, outputs still on their way have this long to arrive

TOPICS: dict[str, tuple[type, Callable[[Any], NDArray[Any]]]] = {
    topic_names.LEFT: (Image, image_to_array),
    topic_names.DEPTH: (Image, float_map),
    topic_names.DISPARITY: (DisparityImage, disparity_map),
    topic_names.CONFIDENCE: (Image, float_map),
    topic_names.RELATIVE: (Image, float_map),
    topic_names.TRUE_DEPTH: (Image, float_map),
    topic_names.TRUE_DISPARITY: (Image, float_map),
}


class RecorderSettings(Contract):
    """Parameters of the recorder, read once at start."""

    out: str = Field('out', min_length=1, description='Folder for the results, made if need be')
    frames: int = Field(
        0, ge=0, le=10**9, description='Frames to record; 0 = until the source ends'
    )
    timeout: float = Field(
        10.0, ge=0.1, le=3600.0, description='Seconds of silence before giving up'
    )
    remark: str = Field('', description='What people must know of the answer, for the picture')
    sparse_transform: list[float] = Field(
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
        min_length=7,
        max_length=7,
        description='Pose of sparse_depth/points, as sparse_depth.transform of the mono node',
    )


class Recorder(Node):
    """Files every message of a run, and ends the spinning when there is no more to wait for."""

    def __init__(self) -> None:
        """Declare parameters, clear the files of an earlier run and look for the source."""
        super().__init__('recorder')
        settings = declare(self, RecorderSettings)
        self.out = Path(settings.out).expanduser().resolve()
        self.run = recording.Recording(settings.frames)
        self.cloud: PointCloud2 | None = None
        self.scale = ScaleRecord(settings.sparse_transform)
        self._remark = settings.remark
        self._timeout_s = settings.timeout
        self._infos: dict[str, CameraInfo] = {}
        self.started = self._last_message = time.monotonic()
        self._source_seen = math.inf  # time.monotonic()
        self._listens = False
        folder.clear(self.out)
        steady = Clock(clock_type=ClockType.STEADY_TIME)  # simulated time may end with its source
        self.create_timer(POLL_S, self._poll, clock=steady)

    @property
    def finished(self) -> bool:
        """Whether the run is complete, its source is gone, or silence lasted too long."""
        silence = time.monotonic() - self._last_message
        gone = self._listens and not self.count_publishers(topic_names.LEFT)
        enough = 0 < self.run.frames <= self.run.frames_seen
        patience = QUIET_S if gone or enough else self._timeout_s
        return self.run.complete or silence > patience

    @property
    def rig(self) -> StereoRig | None:
        """The rig that the camera infos describe; None without them or if they are unusable."""
        if len(self._infos) < 2:
            return None
        left, right = (calibration_of(self._infos[side]) for side in ('left', 'right'))
        return calibrate(left, right).rig

    @property
    def sparse(self) -> SparseDepth | None:
        """Sparse depth of about the time of the best frame; InputError if it is unusable."""
        return self.scale.sparse_near(self.run.best_ns, self._infos.get('left'))

    @property
    def asides(self) -> summary.Report:
        """What else belongs into the report."""
        asides = {'remark': self._remark, 'scale_fit': self.scale.fit}
        return {name: value for name, value in asides.items() if value}

    def _poll(self) -> None:
        if not self._listens and self._source_is_ready():
            self._listens = True
            self._subscribe()
        if self.finished:
            raise ExternalShutdownException

    def _source_is_ready(self) -> bool:
        """Whether to listen: sooner, the node would miss images that nobody can send yet."""
        if self.count_publishers(topic_names.LEFT):
            self._source_seen = min(self._source_seen, time.monotonic())
        late = time.monotonic() - self._source_seen > INFO_S
        return late or self.count_publishers(topic_names.LEFT_INFO) > 0

    def _subscribe(self) -> None:
        for topic, (kind, _) in TOPICS.items():
            self._listen(kind, topic, partial(self._on_frame, topic))
        self._listen(PointCloud2, topic_names.POINTS, self._on_cloud)
        self.create_subscription(PointCloud2, topic_names.SPARSE_POINTS, self.scale.add_cloud, QOS)
        diagnosed = self.scale.add_diagnostics
        self.create_subscription(DiagnosticArray, '/diagnostics', diagnosed, QOS)
        for side in ('left', 'right'):
            keep = partial(self._infos.__setitem__, side)
            self.create_subscription(CameraInfo, f'{side}/camera_info', keep, QOS)

    def _listen(
        self, kind: type[Message], topic: str, callback: Callable[[Message], None]
    ) -> None:
        def lost(event: QoSMessageLostInfo) -> None:
            self.run.add_lost(topic, event.total_count_change)

        def matched(event: QoSSubscriptionMatchedInfo) -> None:
            self.get_logger().info(f'{topic}: {event.current_count} publisher(s)')

        create = partial(self.create_subscription, kind, topic, callback, QOS)
        # Matched events came after Humble, and not every middleware counts its losses.
        events = partial(SubscriptionEventCallbacks, message_lost=lost)
        for make_events in (partial(events, matched=matched), events):
            with suppress(TypeError, UnsupportedEventTypeError):
                create(event_callbacks=make_events())
                return
        create()

    def _on_frame(self, topic: str, message: Image | DisparityImage) -> None:
        try:
            values = TOPICS[topic][1](message)
        except DepthError as error:
            self.get_logger().error(f'{topic}: {error}', throttle_duration_sec=5.0)
            return
        self._file(topic, message, values)

    def _on_cloud(self, message: PointCloud2) -> None:
        if self._file(topic_names.POINTS, message):
            self.cloud = message

    def _file(
        self,
        topic: str,
        message: Image | DisparityImage | PointCloud2,
        values: NDArray[Any] | None = None,
    ) -> bool:
        received_ns = self.get_clock().now().nanoseconds
        fresh = self.run.add(topic, stamp_to_ns(message), received_ns, values)
        if fresh:
            self._last_message = time.monotonic()
        return fresh


def write_results(recorder: Recorder, report: summary.Report) -> None:
    """
    Write the report, and the other files as far as there is something for them.

    Raises InputError if the folder cannot be written to; why there is no cloud and no sparse
    depth in the picture is said on stderr.
    """
    maps = summary.Maps.from_frame(recorder.run.best, recorder.rig, _sparse_of(recorder))
    folder.write(recorder.out, report, maps)
    _write_cloud(recorder.out, recorder.cloud)


def _sparse_of(recorder: Recorder) -> SparseDepth | None:
    try:
        return recorder.sparse
    except DepthError as error:
        print(f'[WARN] recorder: {topic_names.SPARSE_POINTS}: {error}', file=sys.stderr)
        return None


def _write_cloud(out: Path, cloud: PointCloud2 | None) -> None:
    if cloud is None:
        return
    try:
        write_cloud(out / 'cloud.ply', *cloud_points(cloud))
    except DepthError as error:
        print(f'[WARN] recorder: {error}', file=sys.stderr)


def failure(recorder: Recorder) -> str:
    """Say why there is nothing to report; empty if there is."""
    received = recorder.run.received()
    if recorder.run.answer_ages_ns:
        return ''
    if topic_names.LEFT in received:
        return (
            f'{received[topic_names.LEFT]} images came on {topic_names.LEFT}, but no depth, '
            'disparity or relative depth: is the stereo or mono node running, and what does its '
            'log say?'
        )
    waited_s = time.monotonic() - recorder.started
    return (
        f'nothing came on {topic_names.LEFT}, {", ".join(recording.ANSWERS)} in {waited_s:.0f} s: '
        'is the source running, in this ROS domain and under these names?'
    )


def conclude(recorder: Recorder) -> int:
    """Print and write the results; gives the exit code, with its reason on stderr."""
    report = {**summary.summarize(recorder.run, recorder.rig), **recorder.asides}
    print(summary.table(report))  # first: a full disk must not take the figures, too
    try:
        write_results(recorder, report)
    except InputError as error:
        problem = str(error)
    else:
        print(f'written to {recorder.out}')
        problem = failure(recorder)
    if problem:
        print(f'recorder: {problem}', file=sys.stderr)
    return 1 if problem else 0


def main(args: list[str] | None = None) -> int:
    """Record one run; gives the exit code."""
    recorders: list[Recorder] = []

    def make() -> Recorder:
        recorders.append(Recorder())
        return recorders[0]

    use_transport_profile()
    exit_code = run_node(
        make, __doc__, args
    )  # then the node is gone: others can rest while we write
    if exit_code:
        return exit_code
    if not recorders:
        print('recorder: stopped before it could listen', file=sys.stderr)
        return 1
    return conclude(recorders[0])


if __name__ == '__main__':
    sys.exit(main())
