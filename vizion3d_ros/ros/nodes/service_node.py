# SPDX-License-Identifier: Apache-2.0
"""
Both depth services without any camera topic, for machines that only answer requests.

    ros2 run vizion3d_ros service_node --ros-args -p preload:=stereo -p backend:=s2m2
    ros2 run vizion3d_ros service_node --ros-args -p rest.port:=8000 -p grpc.port:=50051
"""

from __future__ import annotations

import math
import time
from concurrent.futures import Future
from typing import Any, NoReturn

from builtin_interfaces.msg import Time
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from vizion3d_ros.contracts.errors import DownloadError, explain
from vizion3d_ros.contracts.settings.service_settings import ServiceSettings
from vizion3d_ros.doors.depth_worker import DepthWorker
from vizion3d_ros.requests.checkpoints import check_networks
from vizion3d_ros.ros.health.backend_watch import BackendWatch
from vizion3d_ros.ros.health.diagnostics import ERROR, OK, WARN, Diagnostics, Task
from vizion3d_ros.ros.health.retry import pause_after
from vizion3d_ros.ros.log import forward_logs
from vizion3d_ros.ros.nodes.running import CLOSE_TIMEOUT, run_depth_node
from vizion3d_ros.ros.parameters import LiveSettings
from vizion3d_ros.ros.serving.depth_services import DepthService, MonoService, StereoService
from vizion3d_ros.ros.serving.server import ServiceServer
from vizion3d_ros.ros.serving.web import WebDoors

ABOUT = 'Services that answer requests for depth, without any camera topic.'
POLL_PERIOD = 0.5


class ServiceNode(Node):
    """
    Answers `~/run_stereo_depth` and `~/run_depth_estimation`, one request after another.

    And by REST and gRPC, where rest.port and grpc.port say so; by one worker and its networks.
    """

    def __init__(self) -> None:
        """Declare parameters, load what is to be loaded at start, and serve."""
        super().__init__('service_node')
        forward_logs(self.get_logger())
        self._live = LiveSettings(self, ServiceSettings, self._on_settings, check_networks)
        live, self._unloaded = self._live, ''
        self._again = math.inf  # time.monotonic() of the next try
        self._worker = worker = DepthWorker(lambda: live.current)
        self._watch = BackendWatch(worker.thread, lambda: live.current.backend_timeout)
        worker.thread.load(self._preload)
        self._server = ServiceServer(self)
        rest = self._now, lambda: None  # it knows no camera
        self._offer(StereoService(worker.stereo_pipelines, lambda: live.current.stereo(), *rest))
        self._offer(MonoService(worker.mono_pipelines, lambda: live.current.mono(), *rest))
        self._web = WebDoors(worker, live.current)
        self._diagnostics = Diagnostics(self, lambda: live.current.diagnostic_updater)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = self.create_timer(POLL_PERIOD, self._report, clock=steady)

    def destroy_node(self) -> None:
        """Stop the worker first."""
        self._web.close(CLOSE_TIMEOUT)
        super().destroy_node()

    def _preload(self) -> None:
        """Load what is to be loaded at start, in the worker; the node stays up if that fails."""
        began = time.monotonic()
        try:
            self._worker.preload()
        except Exception as error:  # whatever a driver, a compiler or a checkpoint comes up with
            self._report_unloaded(error, began)
        else:
            self._unloaded = ''
            backend = self._live.current.backend
            self.get_logger().info(f'ready on {self._worker.device} with {backend}')

    def _report_unloaded(self, error: Exception, began: float) -> None:
        fault = f'preload: {explain(error)}; until then requests of that kind fail'
        if fault != self._unloaded:
            self.get_logger().error(fault)
        now, self._again = time.monotonic(), math.inf
        if not isinstance(error, DownloadError):  # that takes long, and requests would wait for it
            self._again = now + pause_after(error, now - began)
        self._unloaded = fault

    def _on_settings(self, _: ServiceSettings) -> None:
        if self._unloaded:
            self._unloaded = ''
            self._worker.thread.load(self._preload)

    def _offer(self, service: DepthService[Any, Any]) -> None:
        def begin(request: Any) -> Future[Any]:
            return self._worker.thread.call(lambda: service(request))

        self._server.offer(service.TYPE, service.NAME, begin)

    def _now(self) -> Time:
        return self.get_clock().now().to_msg()

    def _report(self) -> None:
        self._web.open()
        if self._unloaded and time.monotonic() > self._again:
            self._again = math.inf
            self._worker.thread.load(self._preload)
        tasks = {
            'requests': self._server.task(),
            'backend': self._backend(),
            'web': self._web.task(),
        }
        self._diagnostics.publish(tasks, self._worker.device)

    def _backend(self) -> Task:
        hung = self._watch.look()
        values = {'device': self._worker.device}
        if hung:
            return ERROR, hung, values
        if self._worker.thread.is_loading:
            return WARN, 'loading', values
        return (WARN, self._unloaded, values) if self._unloaded else (OK, '', values)


def main(args: list[str] | None = None) -> NoReturn:
    """Run the node until it is told to stop."""
    run_depth_node(ServiceNode, ABOUT, args)


if __name__ == '__main__':
    main()
