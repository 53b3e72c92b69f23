# SPDX-License-Identifier: Apache-2.0
"""
The stereo node: assembles the parts and moves them through the lifecycle.

executor thread: subscriptions ─ sync ─ newest pair ─┐
worker thread:                        messages_in ─ pipeline ─ messages_out ─ publishers
"""

from __future__ import annotations

import math
import sys
import time

from rclpy.clock import Clock, ClockType, JumpThreshold, TimeJump
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from sensor_msgs.msg import CameraInfo, Image

from vizion3d_ros.contracts.errors import DepthError
from vizion3d_ros.contracts.settings import StereoSettings
from vizion3d_ros.pipeline import StereoPipeline
from vizion3d_ros.ros.camera_info import CameraInfoCache
from vizion3d_ros.ros.diagnostics import OK, Diagnostics
from vizion3d_ros.ros.log import forward_logs
from vizion3d_ros.ros.parameters import LiveSettings
from vizion3d_ros.ros.processor import StereoFrame, StereoProcessor
from vizion3d_ros.ros.run import run_node
from vizion3d_ros.ros.status import StereoStatus
from vizion3d_ros.ros.sync import StereoSync
from vizion3d_ros.ros.topics import InputSubscriptions, OutputPublishers
from vizion3d_ros.worker import Worker

POLL_PERIOD = 0.5
CLOSE_TIMEOUT = 1.0
REPEAT_SECONDS = 10.0


class StereoNode(LifecycleNode):
    """Turns `left|right/image_rect` and `left|right/camera_info` into depth topics."""

    def __init__(self) -> None:
        """Declare parameters and, with autostart, become active."""
        super().__init__('stereo_node')
        forward_logs(self.get_logger())
        self._settings = LiveSettings(self, StereoSettings, self._on_settings)
        settings = self._settings.current
        self._infos = CameraInfoCache(settings.baseline_m)
        self._sync = StereoSync(settings.sync, self._on_pair)
        self._waiting: StereoFrame | None = None
        self._quiet_since = 0.0
        self._status: StereoStatus | None = None
        self._warned: dict[str, float] = {}
        self._inputs = InputSubscriptions(
            self,
            {
                'left/image_rect': self._sync.add_left,
                'right/image_rect': self._sync.add_right,
                'left/camera_info': self._on_left_info,
                'right/camera_info': self._on_right_info,
            },
        )
        self._jumps = self.get_clock().create_jump_callback(
            JumpThreshold(min_forward=None, min_backward=Duration(nanoseconds=-1)),
            post_callback=self._on_time_jump,
        )
        if settings.autostart:
            self._start()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the matcher and advertise the outputs."""
        settings = self._settings.current
        try:
            self._pipeline = StereoPipeline(settings.device)
            self._pipeline.warm_up(settings)
        except DepthError as error:
            self.get_logger().error(f'cannot be configured: {error}')
            return TransitionCallbackReturn.FAILURE
        self._outputs = OutputPublishers(self, self._follow_listeners)
        self._diagnostics = Diagnostics(self, hardware_id=str(self._pipeline.device))
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start the worker, and the inputs as soon as somebody listens."""
        processor = StereoProcessor(
            self._pipeline, self._infos, self._outputs, lambda: self._settings.current
        )
        worker: Worker[StereoFrame] = Worker(processor, processor.on_error)
        self._status = StereoStatus(
            self._inputs, self._sync, self._infos, self._outputs, processor, worker
        )
        # Simulated time may never come, and then this timer has to say so.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = self.create_timer(POLL_PERIOD, self._poll, clock=steady)
        self._follow_listeners()
        self.get_logger().info(
            f'ready on {self._pipeline.device} with {self._settings.current.backend}: '
            f'{self._inputs.topic("left/image_rect")} and '
            f'{self._inputs.topic("right/image_rect")}'
        )
        return TransitionCallbackReturn.SUCCESS

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Take no more pairs; the matcher stays loaded."""
        if self._status is None:
            return TransitionCallbackReturn.SUCCESS
        self._stop_listening()
        self.destroy_timer(self._timer)
        worker, self._status = self._status.worker, None
        if not worker.close(CLOSE_TIMEOUT) and self.context.ok():
            self.get_logger().warning(f'the matcher is still busy after {CLOSE_TIMEOUT} s')
        return TransitionCallbackReturn.SUCCESS

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Withdraw the outputs and let go of the matcher."""
        self._outputs.destroy()
        self._diagnostics.destroy()
        del self._pipeline
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End from any state."""
        return self.on_deactivate(state)

    def destroy_node(self) -> None:
        """Stop the worker before the publishers it uses go."""
        self._jumps.unregister()
        self.on_deactivate(LifecycleState('', 0))
        super().destroy_node()

    def _start(self) -> None:
        if self.trigger_configure() is not TransitionCallbackReturn.SUCCESS:
            sys.exit(1)  # the reason is in the log
        self.trigger_activate()

    def _on_left_info(self, info: CameraInfo) -> None:
        self._infos.add_left(info)
        self._release_waiting()

    def _on_right_info(self, info: CameraInfo) -> None:
        self._infos.add_right(info)
        self._release_waiting()

    def _on_pair(self, left: Image, right: Image) -> None:
        self._quiet_since = time.monotonic()
        self._waiting = StereoFrame(left, right)
        self._release_waiting()

    def _release_waiting(self) -> None:
        """Hand the newest pair over once both camera_info are there; a late one costs nothing."""
        if self._waiting and self._status and self._infos.known:
            self._status.worker.put_frame(self._waiting)
            self._waiting = None

    def _follow_listeners(self) -> None:
        """Subscribe to the inputs while an output has a listener."""
        if self._status is None:
            return
        wanted = bool(self._outputs.wanted(self._settings.current.lazy, cloud_rate=0))
        if wanted and not self._inputs.is_open:
            self._quiet_since = time.monotonic()
            self._inputs.open()
        elif not wanted and self._inputs.is_open:
            self._stop_listening()

    def _stop_listening(self) -> None:
        """Close the inputs and forget what waits, so that no old pair comes out later."""
        self._inputs.close()
        self._sync.reset()
        self._waiting = None

    def _on_settings(self, settings: StereoSettings) -> None:
        self._sync.configure(settings.sync)
        self._infos.set_baseline(settings.baseline_m)
        self._follow_listeners()

    def _on_time_jump(self, jump: TimeJump) -> None:
        self.get_logger().info('time went back: waiting images dropped, pairing starts anew')
        self._sync.reset()

    def _poll(self) -> None:
        """Say why nothing comes out, follow listeners where events are missing, report."""
        self._follow_listeners()
        if self._status is None:
            return
        tasks = self._status.tasks(self._quiet_since)
        for name in ('sync', 'calibration'):
            level, text, _ = tasks[name]
            if level != OK:
                self._warn_now_and_then(name, text)
        self._diagnostics.publish(tasks)

    def _warn_now_and_then(self, name: str, text: str) -> None:
        # The throttle of rclpy goes by line of code: one task would silence the other.
        now = time.monotonic()
        if now - self._warned.get(name, -math.inf) >= REPEAT_SECONDS:
            self._warned[name] = now
            self.get_logger().warning(f'{name}: {text}')


def main(args: list[str] | None = None) -> None:
    """Run the node until it is told to stop."""
    run_node(StereoNode, args)


if __name__ == '__main__':
    main()
