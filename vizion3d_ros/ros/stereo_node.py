# SPDX-License-Identifier: Apache-2.0
"""
The stereo node: assembles the parts and moves them through the lifecycle.

executor thread: subscriptions ─ sync ─ newest pair ─┐
worker thread:                        messages_in ─ pipeline ─ messages_out ─ publishers
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from rclpy.clock import Clock, ClockChange, ClockType, JumpThreshold, TimeJump
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn
from sensor_msgs.msg import CameraInfo, Image

from vizion3d_ros.contracts.errors import explain
from vizion3d_ros.contracts.stereo_settings import StereoSettings
from vizion3d_ros.pipeline import StereoPipeline
from vizion3d_ros.ros.camera_info import CameraInfoCache
from vizion3d_ros.ros.diagnostics import ERROR, OK, Diagnostics
from vizion3d_ros.ros.log import forward_logs
from vizion3d_ros.ros.parameters import LiveSettings
from vizion3d_ros.ros.processor import StereoFrame, StereoProcessor
from vizion3d_ros.ros.run import run_node
from vizion3d_ros.ros.status import StereoStatus
from vizion3d_ros.ros.sync import StereoSync
from vizion3d_ros.ros.throttle import Throttle
from vizion3d_ros.ros.topics import InputSubscriptions, OutputPublishers
from vizion3d_ros.worker import Worker

if TYPE_CHECKING:  # its name changed between distributions
    from rclpy.lifecycle import LifecycleState

POLL_PERIOD = 0.5
CLOSE_TIMEOUT = 1.0

Transition = Callable[['StereoNode', 'LifecycleState'], TransitionCallbackReturn]


def reported(transition: Transition) -> Transition:
    """Log why a transition failed, which rclpy does not, and leave nothing half done."""

    @functools.wraps(transition)
    def run(node: StereoNode, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return transition(node, state)
        except Exception as error:  # whatever a driver, a compiler or a checkpoint comes up with
            node.get_logger().error(f'{transition.__name__} failed: {explain(error)}')
            node.release()
            return TransitionCallbackReturn.ERROR

    return run


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
        self._parts: StereoStatus | None = None
        self._throttle = Throttle()
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
        # Simulated time may never come, and then this timer has to say so.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = self.create_timer(POLL_PERIOD, self._poll, clock=steady)
        if settings.autostart:
            self._start()

    @reported
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the matcher, advertise the outputs, start the worker."""
        settings = self._settings.current
        pipeline = StereoPipeline(settings.device)
        pipeline.warm_up(settings)
        outputs = OutputPublishers(self, self._follow_listeners)
        processor = StereoProcessor(pipeline, self._infos, outputs, lambda: self._settings.current)
        worker: Worker[StereoFrame] = Worker(processor, processor.on_error)
        diagnostics = Diagnostics(self, hardware_id=str(pipeline.device))
        self._parts = StereoStatus(
            self._inputs, self._sync, self._infos, outputs, processor, worker, diagnostics
        )
        return TransitionCallbackReturn.SUCCESS

    @reported
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Open the inputs as soon as somebody listens."""
        self._enable(True)
        self._follow_listeners()
        device = self._parts.diagnostics.hardware_id if self._parts else ''
        topics = (self._inputs.topic(f'{side}/image_rect') for side in ('left', 'right'))
        self.get_logger().info(
            f'ready on {device} with {self._settings.current.backend}: {" and ".join(topics)}'
        )
        return TransitionCallbackReturn.SUCCESS

    @reported
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Take no more pairs; the matcher stays loaded."""
        self._enable(False)
        self._stop_listening()
        return TransitionCallbackReturn.SUCCESS

    @reported
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Withdraw the outputs and let go of the matcher and its memory."""
        self.release()
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End from any state."""
        self.release()
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start over from unconfigured."""
        self.release()
        return TransitionCallbackReturn.SUCCESS

    def destroy_node(self) -> None:
        """Stop the worker before the publishers it uses go."""
        self._jumps.unregister()
        self.release()
        super().destroy_node()

    def release(self) -> None:
        """Let go of all that on_configure made, as far as it is there."""
        self._enable(False)
        self._stop_listening()
        parts, self._parts = self._parts, None
        if parts is None:
            return
        if not parts.worker.close(CLOSE_TIMEOUT) and self.context.ok():
            self.get_logger().warning(f'the matcher is still busy after {CLOSE_TIMEOUT} s')
        parts.outputs.destroy()
        parts.diagnostics.destroy()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _enable(self, enabled: bool) -> None:
        if self._parts is not None:
            self._parts.outputs.enabled = enabled

    def _start(self) -> None:
        for transition in (self.trigger_configure, self.trigger_activate):
            if transition() is not TransitionCallbackReturn.SUCCESS:
                sys.exit(1)  # the reason is in the log

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
        if self._waiting and self._parts and self._infos.known:
            self._parts.worker.put_frame(self._waiting)
            self._waiting = None

    def _follow_listeners(self) -> None:
        """Subscribe to the inputs while an output has a listener."""
        if self._parts is None:
            return
        wanted = bool(self._parts.outputs.wanted(self._settings.current.lazy, cloud_rate=0))
        if wanted and not self._inputs.is_open:
            self._quiet_since = time.monotonic()
            self._inputs.open()
        elif not wanted and self._inputs.is_open:
            self._stop_listening()

    def _stop_listening(self) -> None:
        """Close the inputs and forget what waits, so that no old pair comes out later."""
        self._inputs.close()
        self._forget_pairs()

    def _forget_pairs(self) -> None:
        self._sync.reset()
        self._waiting = None
        if self._parts is not None:
            self._parts.worker.clear()

    def _on_settings(self, settings: StereoSettings) -> None:
        self._sync.configure(settings.sync)
        self._infos.set_baseline(settings.baseline_m)
        self._follow_listeners()

    def _on_time_jump(self, jump: TimeJump) -> None:
        reason = 'time went back'
        if jump.clock_change in (ClockChange.ROS_TIME_ACTIVATED, ClockChange.ROS_TIME_DEACTIVATED):
            reason = 'the clock changed'
        self.get_logger().info(f'{reason}: waiting images dropped, pairing starts anew')
        self._forget_pairs()

    def _poll(self) -> None:
        """Say why nothing comes out, follow listeners where events are missing, report."""
        if self._parts is None:
            return
        self._follow_listeners()
        tasks = self._parts.tasks(self._quiet_since)
        for name in ('sync', 'calibration'):
            level, text, _ = tasks[name]
            if level != OK and self._throttle.allows(f'{name}: {text}'):
                self._log(level, f'{name}: {text}')
        self._parts.diagnostics.publish(tasks)

    def _log(self, level: bytes, text: str) -> None:
        if level == ERROR:  # rclpy wants a line of code for each severity
            self.get_logger().error(text)
        else:
            self.get_logger().warning(text)


def main(args: list[str] | None = None) -> int:
    """Run the node until it is told to stop."""
    # Arithmetic per pixel is bound by memory, and a pool of threads stalls each time a camera
    # driver or rviz2 takes one of its cores. A network on the CPU asks for more by itself.
    torch.set_num_threads(1)
    return run_node(StereoNode, args)


if __name__ == '__main__':
    sys.exit(main())
