# SPDX-License-Identifier: Apache-2.0
"""
Both depth services without any camera topic, for machines that only answer requests.

    ros2 run vizion3d_ros service_node --ros-args -p preload:=stereo -p backend:=s2m2
"""

from __future__ import annotations

import sys
from concurrent.futures import Future
from typing import Any

from builtin_interfaces.msg import Time
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from vizion3d_ros.contracts.settings.service_settings import ServiceSettings
from vizion3d_ros.pipeline import MonoPipeline, StereoPipeline
from vizion3d_ros.requests.pipelines import ServicePipelines
from vizion3d_ros.ros.health.diagnostics import Diagnostics
from vizion3d_ros.ros.log import forward_logs
from vizion3d_ros.ros.nodes.depth_node import CLOSE_TIMEOUT, run_depth_node
from vizion3d_ros.ros.parameters import LiveSettings
from vizion3d_ros.ros.serving.depth_services import DepthService, MonoService, StereoService
from vizion3d_ros.ros.serving.server import ServiceServer
from vizion3d_ros.worker import Worker

POLL_PERIOD = 0.5


class ServiceNode(Node):
    """Answers `~/run_stereo_depth` and `~/run_depth_estimation`, one request after another."""

    def __init__(self) -> None:
        """Declare parameters, load what is to be loaded at start, and serve."""
        super().__init__('service_node')
        forward_logs(self.get_logger())
        self._live = LiveSettings(self, ServiceSettings, lambda _: None)
        settings = self._live.current
        stereo, mono = StereoPipeline(settings.device), MonoPipeline(settings.device)
        if settings.preload in ('stereo', 'both'):
            stereo.warm_up(settings.stereo())
        if settings.preload in ('mono', 'both'):
            mono.warm_up(settings.mono())
        self._worker: Worker[Any] = Worker(lambda _: None, lambda _: None)
        self._server = ServiceServer(self)
        now, live = self._now, self._live
        self._offer(StereoService(ServicePipelines(stereo), lambda: live.current.stereo(), now))
        self._offer(MonoService(ServicePipelines(mono), lambda: live.current.mono(), now))
        self._diagnostics = Diagnostics(self, lambda: live.current.diagnostic_updater)
        self._device = str(stereo.device)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = self.create_timer(POLL_PERIOD, self._report, clock=steady)
        self.get_logger().info(f'ready on {stereo.device} with {settings.backend}')

    def destroy_node(self) -> None:
        """Stop the worker first."""
        self._worker.close(CLOSE_TIMEOUT)
        super().destroy_node()

    def _offer(self, service: DepthService[Any, Any]) -> None:
        def begin(request: Any) -> Future[Any]:
            return self._worker.call(lambda: service(request))

        self._server.offer(service.TYPE, service.NAME, begin)

    def _now(self) -> Time:
        return self.get_clock().now().to_msg()

    def _report(self) -> None:
        self._diagnostics.publish({'requests': self._server.task()}, self._device)


def main(args: list[str] | None = None) -> int:
    """Run the node until it is told to stop."""
    return run_depth_node(ServiceNode, args)


if __name__ == '__main__':
    sys.exit(main())
