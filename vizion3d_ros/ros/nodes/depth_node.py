# SPDX-License-Identifier: Apache-2.0
"""
What the stereo and the mono node share: lifecycle, inputs opened on demand, one worker, reports.

executor: subscriptions ─ newest frame ─┐
worker:                  incoming.images ─ pipeline ─┐
publishing thread:                   messages.outgoing ─ publishers
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, TypeVar

import torch
from rclpy.clock import Clock, ClockType

from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.contracts.settings.node_settings import NodeSettings, StreamSettings
from vizion3d_ros.engine.device import own_stream
from vizion3d_ros.requests.checkpoints import check_networks
from vizion3d_ros.requests.pipelines import ServicePipelines
from vizion3d_ros.ros.health.backend_loader import BackendLoader
from vizion3d_ros.ros.health.backend_watch import BackendWatch
from vizion3d_ros.ros.health.diagnostics import Diagnostics, Task
from vizion3d_ros.ros.health.status import Components, backend_task
from vizion3d_ros.ros.log import forward_logs
from vizion3d_ros.ros.nodes.lifecycle import ANEW, IDLE, ManagedNode
from vizion3d_ros.ros.nodes.reports import Reports, what_is_wrong
from vizion3d_ros.ros.nodes.running import CLOSE_TIMEOUT
from vizion3d_ros.ros.nodes.time_jumps import ClockWatch
from vizion3d_ros.ros.parameters import LiveSettings
from vizion3d_ros.ros.serving.controls import offer_reset, offer_set_enabled
from vizion3d_ros.ros.serving.depth_services import DepthService
from vizion3d_ros.ros.serving.server import ServiceServer
from vizion3d_ros.ros.serving.services import NodeServices
from vizion3d_ros.ros.stream.inputs import NO_LISTENER, InputSubscriptions
from vizion3d_ros.ros.stream.processor import FrameProcessor
from vizion3d_ros.ros.stream.topics import OutputPublishers, OutputTopic, check_topics, transported
from vizion3d_ros.worker import PublishStage, Worker

POLL_PERIOD = 0.5
PAUSED = 'paused by ~/set_enabled'
NO_NETWORK = 'the network is not loaded'

Settings = TypeVar('Settings', bound=StreamSettings)


class DepthNode(ManagedNode, Generic[Settings]):
    """A node that turns images into depth topics; subclasses say which images and how."""

    IMAGES: tuple[str, ...]  # the inputs that are images to compute with
    INPUTS: Mapping[str, type]
    OUTPUTS: ClassVar[Mapping[str, OutputTopic]]
    SERVICE: ClassVar[type[DepthService[Any, Any]]]
    SNAPSHOTS: ClassVar[bool] = True

    def __init__(self, name: str, model: type[Settings]) -> None:
        """Declare parameters; nothing moves before `begin`."""
        super().__init__(name)
        forward_logs(self.get_logger())
        self.live = LiveSettings(self, model, self._on_settings, check_networks)
        self.components: Components | None = None
        self.quiet_since, self._active = 0.0, False
        self._diagnostics = Diagnostics(self, lambda: self.settings.diagnostic_updater)
        self._reports = Reports(self.get_logger(), self.is_logged)
        self._server = ServiceServer(self)
        self._node_services = NodeServices(
            self._server,
            self.SERVICE,
            lambda: self.components,
            lambda: self.usable_settings,
            self.update_inputs if self.SNAPSHOTS else None,
        )
        offer_reset(self._server, self.restart)
        offer_set_enabled(self._server, self.set_enabled)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.live.current

    @property
    def usable_settings(self) -> Settings:
        """The same, but for a network that is not loaded the one that is."""
        components = self.components
        return components.loader.usable(self.settings) if components else self.settings

    @property
    @abstractmethod
    def hardware_id(self) -> str:
        """What the diagnostics are about: the camera, by the frame of its camera_info."""

    @property
    @abstractmethod
    def known_camera(self) -> Any:
        """The rig or camera of the topics, for requests that bring none; None before it is."""

    @abstractmethod
    def make_pipeline(self, settings: Settings) -> Any:
        """Make the pipeline, nothing loaded yet."""

    @abstractmethod
    def make_processor(
        self, pipeline: Any, outputs: OutputPublishers
    ) -> FrameProcessor[Any, Settings]:
        """Make what the worker runs for every frame."""

    @abstractmethod
    def reset(self) -> None:
        """Drop whatever waits, so that nothing old comes out later."""

    @abstractmethod
    def forget(self) -> None:
        """Drop whatever waits, and count inputs from now on."""

    @abstractmethod
    def on_parameters(self, settings: Settings) -> None:
        """Follow changed parameters."""

    @abstractmethod
    def tasks(self, components: Components) -> dict[str, Task]:
        """Report the state; what is not OK is logged as well, unless `is_logged`."""

    def is_logged(self, name: str, text: str) -> bool:
        """Whether the processor has logged this text of a task already."""
        return name in ('output', 'backend')

    def begin(self, callbacks: Mapping[str, Callable[[Any], None]]) -> None:
        """Start polling and, with autostart, become active; callbacks: one for each input."""
        switchable = self.IMAGES if isinstance(self.settings, NodeSettings) else ()
        inputs = transported(self.INPUTS, switchable, self.settings)
        check_topics(self, inputs, self.OUTPUTS)
        self.inputs = InputSubscriptions(self, inputs, callbacks, switchable)
        self._clock_watch = ClockWatch(self, self.reset_frames)
        # Simulated time may never come, and then this timer has to say so.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = self.create_timer(POLL_PERIOD, self._poll, clock=steady)
        self.start(self.settings.autostart)

    def hand_over(self, frame: Any) -> bool:
        """Give the worker a frame; False while there is none, or no calibration that is new."""
        if self.components is None or self.inputs.awaits_calibration:
            return False
        self.components.worker.put_frame(frame)
        self._node_services.feed(frame, self.components)
        return True

    def reset_frames(self) -> None:
        """Let nothing come of images from before now."""
        self.reset()
        if self.components is not None:
            self.components.drop_frames()

    def update_inputs(self) -> None:
        """Subscribe to the inputs while an output has a listener and a network is there."""
        if self.components is None:
            return
        self.inputs.follow_latched()
        if not self.components.loader.is_ready:
            self.inputs.close(NO_NETWORK)  # a source that waits for listeners goes on waiting
            return
        listened_to = self.components.outputs.wanted(self.settings.lazy)
        wanted = listened_to or self._node_services.want_frame
        if wanted and not self.inputs.is_open:
            self.quiet_since = time.monotonic()
            self.inputs.open()
        elif not wanted and (self.inputs.is_open or self.inputs.idle != self._why_idle()):
            self._stop_listening()

    def restart(self) -> str:
        """Drop all that waits and count anew; calibrations and the network stay."""
        self.forget()
        self._server.restart()
        if self.components is not None:
            self.components.restart()
        return 'all that waited is dropped, and counters begin anew'

    def set_enabled(self, enabled: bool) -> str:
        """Take images again, or none; raises BackendError unless the node is active."""
        components = self.components
        if components is None or not self._active:
            raise BackendError(f'the node is {IDLE.get(self.state, self.state)}')
        components.outputs.enabled = enabled
        self.update_inputs()
        text = 'resumed' if enabled else PAUSED
        self.get_logger().info(text)
        return text

    def configure(self) -> None:
        """Advertise the outputs, start the worker, and have it load the network."""
        pipeline = self.make_pipeline(self.settings)
        outputs = OutputPublishers(self, self.OUTPUTS, self.update_inputs)
        processor = self.make_processor(pipeline, outputs)
        on_error, stream = processor.on_error, own_stream(pipeline.device)
        publishing = PublishStage(processor.compute, on_error, stream)
        worker = Worker(publishing, on_error)
        loader = BackendLoader(worker, pipeline.warm_up, lambda _: self._on_loaded(worker))
        service = self.SERVICE(
            ServicePipelines(pipeline),
            lambda: self.usable_settings,
            lambda: self.get_clock().now().to_msg(),
            lambda: self.known_camera,
        )
        watch = BackendWatch(worker, lambda: self.settings.backend_timeout, ANEW)
        self.components = Components(
            outputs, processor, publishing, worker, loader, watch, service
        )
        loader.follow(self.settings)

    def activate(self) -> None:
        """Open the inputs as soon as somebody listens."""
        self._enable(True)
        self.update_inputs()
        if self.components is not None and self.components.loader.is_ready:
            self._say_ready()

    def deactivate(self) -> None:
        """Take no more images; the network stays loaded."""
        self._enable(False)
        self._stop_listening()

    def destroy_node(self) -> None:
        """Stop the worker before the publishers it uses go."""
        self._clock_watch.close()
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
        if not components.close(CLOSE_TIMEOUT) and self.context.ok():
            self.get_logger().warning(f'the worker is still busy after {CLOSE_TIMEOUT} s')
        del components  # the last hold on the network
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _on_loaded(self, worker: Worker[Any]) -> None:
        """From that worker: what touches the graph is left to the executor."""
        if self.components is None or self.components.worker is not worker:
            return  # it was cleaned up meanwhile
        self._say_ready()
        if self.executor is not None:
            self.executor.create_task(self.update_inputs)

    def _say_ready(self) -> None:
        components = self.components
        if components is not None and self._active:
            device, backend = components.processor.pipeline.device, self.usable_settings.backend
            topics = ' and '.join(map(self.inputs.topic, self.IMAGES))
            self.get_logger().info(f'ready on {device} with {backend}: {topics}')

    def _enable(self, enabled: bool) -> None:
        self._active = enabled
        if self.components is not None:
            self.components.outputs.enabled = enabled
        if enabled:
            self.inputs.open_early()
        else:
            self.inputs.close_all()

    def _stop_listening(self) -> None:
        self.inputs.close(self._why_idle())
        self.reset_frames()

    def _why_idle(self) -> str:
        if not self._active:
            return IDLE['inactive']
        paused = self.components is not None and not self.components.outputs.enabled
        return PAUSED if paused else NO_LISTENER

    def _on_settings(self, settings: Settings) -> None:
        self.on_parameters(settings)
        if self.components is not None:
            self.components.loader.follow(settings)
        self.update_inputs()

    def _poll(self) -> None:
        """Say why nothing comes out, follow listeners where events are missing, report."""
        if self._reports.come_late():
            self.inputs.forgive()
        tasks = {'lifecycle': self.lifecycle_task(self.OUTPUTS), 'clock': self._clock_watch.task()}
        if self.components is not None:
            self.inputs.look_around()
            self.components.loader.attend(self.settings, self.live.put_back)
            tasks |= self.tasks(self.components)
            tasks['backend'] = backend_task(self.components)
            self._node_services.expire(what_is_wrong(tasks))
            self.update_inputs()
        self._reports.log(tasks)
        tasks['requests'] = self._server.task()
        self._diagnostics.publish(tasks, self.hardware_id)
