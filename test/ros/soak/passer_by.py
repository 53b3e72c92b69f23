# SPDX-License-Identifier: Apache-2.0
"""Who looks at the depth for a moment, as `ros2 topic echo` does: a process that listens reliably."""

import sys

import rclpy
from sensor_msgs.msg import Image
from spun_node import SpunNode


def main(images):
    context = rclpy.Context()
    context.init()
    peer = SpunNode(context, 'passer_by')
    seen = []
    peer.node.create_subscription(Image, 'depth/image', seen.append, 10)
    peer.wait_for(lambda: len(seen) >= images, what=f'{images} depth images')
    peer.close()
    context.try_shutdown()


if __name__ == '__main__':
    main(int(sys.argv[1]))
