# SPDX-License-Identifier: Apache-2.0
"""Looks at the depth for a moment, as `ros2 topic echo` does: a process that listens reliably."""

import faulthandler
import sys

import rclpy
from sensor_msgs.msg import Image
from spun_node import SpunNode

HANG_S = 30.0  # after the 20 s in which all who wait give up


def main(images):
    faulthandler.dump_traceback_later(HANG_S, exit=True)
    context = rclpy.Context()
    context.init()
    peer = SpunNode(context, 'passer_by')
    seen = []
    peer.node.create_subscription(Image, 'depth/image', seen.append, 10)
    peer.wait_for(lambda: len(seen) >= images, what=lambda: _seen(peer.node, seen))
    peer.close()
    context.try_shutdown()


def _seen(node, seen):
    """Whether the publisher was not discovered, or gave nothing."""
    return f'{len(seen)} depth images of {node.count_publishers("depth/image")} publishers'


if __name__ == '__main__':
    main(int(sys.argv[1]))
