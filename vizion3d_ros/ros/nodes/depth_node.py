# SPDX-License-Identifier: Apache-2.0
"""
What the stereo and the mono node share: lifecycle, inputs opened on demand, one worker, reports.

executor thread: subscriptions ─ newest frame ─┐
worker thread:             messages_in ─ pipeline ─ messages_out ─ publishers
"""

from __future__ import annotations

import sys
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import torch
from rclpy.clock import Clock, ClockChange, ClockType, JumpThreshold, TimeJump
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn
from rclpy.node import Node

from vizion3d_ros.contracts.settings.node_settings import NodeSettings
from vizion3d_ros.requests.pipelines import ServicePipelines
from vizion3d_ros.ros.health.diagnostics import ERROR, OK, Diagnostics, Task
from vizion3d_ros.ros.health.status import Components
from vizion3d_ros.ros.log import forward_logs
from vizion3d_ros.ros.nodes.lifecycle import refuse_impossible, reported
from vizion3d_ros.ros.parameters import LiveSettings
from vizion3d_ros.ros.run import run_node
from vizion3d_ros.ros.serving.depth_services import DepthService
from vizion3d_ros.ros.serving.services import NodeServices
from vizion3d_ros.ros.stream.inputs import InputSubscriptions
from vizion3d_ros.ros.stream.processor import FrameProcessor
from vizion3d_ros.ros.stream.topics import OutputPublishers, OutputTopic
from vizion3d_ros.ros.throttle import Throttle
from vizion3d_ros.worker import Worker

if TYPE_CHECKING:  # its name changed between distributions
    from rclpy.lifecycle import LifecycleState

POLL_PERIOD = 0.5
CLOSE_TIMEOUT = 1.0

Settings = TypeVar('Settings', bound=NodeSettings)


class DepthNode(LifecycleNode, Generic[Settings]):
    """A node that turns images into depth topics; subclasses say which images and how."""

    IMAGES: ClassVar[tuple[str, ...]]
    """The inputs that are images to compute with."""
    INPUTS: ClassVar[Mapping[str, type]]
    OUTPUTS: ClassVar[Mapping[str, OutputTopic]]
    SERVICE: ClassVar[type[DepthService[Any, Any]]]

    def __init__(self, name: str, model: type[Settings]) -> None:
        """Declare parameters; nothing moves before `begin`."""
        super().__init__(name)
        refuse_impossible(self)
        forward_logs(self.get_logger())
        self.live = LiveSettings(self, model, self._on_settings)
        self.components: Components | None = None
        self.quiet_since = 0.0
        self._throttle = Throttle()
        self._node_services = NodeServices(
            self, self.SERVICE, lambda: self.components, lambda: self.settings, self.update_inputs
        )

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.live.current

    @property
    @abstractmethod
    def hardware_id(self) -> str:
        """What the diagnostics are about: the camera, by the frame of its camera_info."""

    @abstractmethod
    def load(self, settings: Settings) -> Any:
        """Make the pipeline, warm."""

    @abstractmethod
    def make_processor(
        self, pipeline: Any, outputs: OutputPublishers
    ) -> FrameProcessor[Any, Settings]:
        """Make what the worker runs for every frame."""

    @abstractmethod
    def reset(self) -> None:
        """Drop whatever waits, so that nothing old comes out later."""

    @abstractmethod
    def on_parameters(self, settings: Settings) -> None:
        """Follow changed parameters."""

    @abstractmethod
    def tasks(self, components: Components) -> dict[str, Task]:
        """Report the state; what is not OK is logged as well, unless `is_logged`."""

    def is_logged(self, name: str, text: str) -> bool:
        """Whether the processor has logged this text of a task already."""
        return name == 'output'

    def begin(self, callbacks: Mapping[str, Callable[[Any], None]]) -> None:
        """Start polling and, with autostart, become active; callbacks: one for each input."""
        self.inputs = InputSubscriptions(self, self.INPUTS, callbacks)
        self._jumps = self.get_clock().create_jump_callback(
            JumpThreshold(min_forward=None, min_backward=Duration(nanoseconds=-1)),
            post_callback=self._on_time_jump,
        )
        # Simulated time may never come, and then this timer has to say so.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = self.create_timer(POLL_PERIOD, self._poll, clock=steady)
        if self.settings.autostart:
            self._start()

    def hand_over(self, frame: Any) -> bool:
        """Give the worker a frame; False while there is no worker."""
        if self.components is None:
            return False
        self.components.worker.put_frame(frame)
        self._node_services.feed(frame, self.components)
        return True

    def update_inputs(self) -> None:
        """Subscribe to the inputs while an output has a listener."""
        if self.components is None:
            return
        self.inputs.follow_latched()
        listeners = self.components.outputs.wanted(self.settings.lazy, cloud_rate=0)
        wanted = bool(listeners) or self._node_services.want_frame
        if wanted and not self.inputs.is_open:
            self.quiet_since = time.monotonic()
            self.inputs.open()
        elif not wanted and self.inputs.is_open:
            self._stop_listening()

    @reported
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the network, advertise the outputs, start the worker."""
        pipeline = self.load(self.settings)
        outputs = OutputPublishers(self, self.OUTPUTS, self.update_inputs)
        processor = self.make_processor(pipeline, outputs)
        worker = Worker(processor, processor.on_error)
        diagnostics = Diagnostics(self, lambda: self.settings.diagnostic_updater)
        service = self.SERVICE(
            ServicePipelines(pipeline),
            lambda: self.settings,
            lambda: self.get_clock().now().to_msg(),
        )
        self.components = Components(outputs, processor, worker, diagnostics, service)
        return TransitionCallbackReturn.SUCCESS

    @reported
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Open the inputs as soon as somebody listens."""
        self._enable(True)
        self.update_inputs()
        device = self.components.processor.pipeline.device if self.components else ''
        topics = ' and '.join(map(self.inputs.topic, self.IMAGES))
        self.get_logger().info(f'ready on {device} with {self.settings.backend}: {topics}')
        return TransitionCallbackReturn.SUCCESS

    @reported
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Take no more images; the network stays loaded."""
        self._enable(False)
        self._stop_listening()
        return TransitionCallbackReturn.SUCCESS

    @reported
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Withdraw the outputs and let go of the network and its memory."""
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
        components, self.components = self.components, None
        if components is None:
            return
        self._node_services.give_up()
        if not components.worker.close(CLOSE_TIMEOUT) and self.context.ok():
            self.get_logger().warning(f'the worker is still busy after {CLOSE_TIMEOUT} s')
        components.outputs.destroy()
        components.diagnostics.destroy()
        del components  # the last hold on the network
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _start(self) -> None:
        for transition in (self.trigger_configure, self.trigger_activate):
            if transition() is not TransitionCallbackReturn.SUCCESS:
                sys.exit(1)  # the reason is in the log

    def _enable(self, enabled: bool) -> None:
        if self.components is not None:
            self.components.outputs.enabled = enabled
        if enabled:
            self.inputs.open_early()
        else:
            self.inputs.close_all()

    def _stop_listening(self) -> None:
        self.inputs.close()
        self._reset_frames()

    def _reset_frames(self) -> None:
        self.reset()
        if self.components is not None:
            self.components.worker.clear()

    def _on_settings(self, settings: Settings) -> None:
        self.on_parameters(settings)
        self.update_inputs()

    def _on_time_jump(self, jump: TimeJump) -> None:
        reason = 'time went back'
        if jump.clock_change in (ClockChange.ROS_TIME_ACTIVATED, ClockChange.ROS_TIME_DEACTIVATED):
            reason = 'the clock changed'
        self.get_logger().info(f'{reason}: waiting images dropped, all starts anew')
        self._reset_frames()

    def _poll(self) -> None:
        """Say why nothing comes out, follow listeners where events are missing, report."""
        if self.components is None:
            return
        tasks = self.tasks(self.components)
        self._node_services.expire(
            '; '.join(text for level, text, _ in tasks.values() if level != OK)
        )
        self.update_inputs()
        for name, (level, text, _) in tasks.items():
            told = level == OK or self.is_logged(name, text)
            if not told and self._throttle.allows(f'{name}: {text}'):
                self._log(level, f'{name}: {text}')
        tasks['requests'] = self._node_services.task()
        self.components.diagnostics.publish(tasks, self.hardware_id)

    def _log(self, level: bytes, text: str) -> None:
        if level == ERROR:  # rclpy wants a line of code for each severity
            self.get_logger().error(text)
        else:
            self.get_logger().warning(text)


def run_depth_node(make_node: Callable[[], Node], args: list[str] | None = None) -> int:
    """Run a depth node until it is told to stop; gives the exit code."""
    # Arithmetic per pixel is bound by memory, and a pool of threads stalls each time a camera
    # driver or rviz2 takes one of its cores. A network on the CPU asks for more by itself.
    torch.set_num_threads(1)
    return run_node(make_node, args)
