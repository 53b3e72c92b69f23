# SPDX-License-Identifier: Apache-2.0
"""The two cameras of the robot as a process of their own, which can be stopped and killed."""

import signal
import sys

import rclpy
from robots import StereoRobot


class Ended(Exception):
    """SIGTERM has come."""


def end(number, frame):
    raise Ended


def main(namespace, rate_hz):
    signal.signal(signal.SIGTERM, end)
    context = rclpy.Context()
    context.init()
    camera = StereoRobot(context, namespace, 'wall_camera')
    camera.stream(rate_hz)
    try:
        while True:
            camera.spin_once(1.0)
    except Ended:
        camera.close()
        context.try_shutdown()


if __name__ == '__main__':
    main(sys.argv[1], float(sys.argv[2]))
