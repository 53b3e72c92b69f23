# SPDX-License-Identifier: Apache-2.0
"""A detector of the objects in the synthetic room, and the depth of the same moment."""

import numpy as np
from builtin_interfaces.msg import Time
from robots import Robot
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray

from vizion3d_ros.contracts.camera import StereoRig
from vizion3d_ros.ros.messages.instances import measured_points
from vizion3d_ros.ros.testbed.camera_messages import (
    LEFT_FRAME,
    camera_infos,
    detections_message,
    image_message,
)
from vizion3d_ros.testbed.scene import SyntheticScene

PROGRAM = ('-m', 'vizion3d_ros.ros.nodes.annotation_node')
RIG = StereoRig.from_field_of_view(640, 480, 65, 0.12)
INFO = camera_infos(RIG)[0]
FRAME = SyntheticScene(RIG).at(0.3, instances=True)
THERE = np.unique(FRAME.instances)[1:]


class Detector(Robot):
    """Publishes depth, and the masks and classes of a detector."""

    NODE = 'annotation_node'
    INPUTS = {  # noqa: RUF012
        'depth/image': Image,
        'depth/camera_info': CameraInfo,
        'instances/detections': Detection2DArray,
        'instances/image': Image,
    }
    CLOUD = 'depth/image'

    def __init__(self, context, namespace='', name='detector'):
        super().__init__(context, namespace, name)
        self.rest()

    def rest(self):
        super().rest()
        self.cloud = image_message(FRAME.depth_m, '32FC1', LEFT_FRAME)
        self.labels = image_message(FRAME.instances, 'mono8', LEFT_FRAME)
        self.detections = detections_message(FRAME.instances)

    def send(self):
        stamp_ns = self.now_ns()
        seconds, rest = divmod(stamp_ns, 10**9)
        sent = {
            'depth/camera_info': INFO,
            'instances/detections': self.detections,
            self.CLOUD: self.cloud,
            'instances/image': self.labels,
        }
        for topic, message in sent.items():
            if message is not None:
                message.header.stamp = Time(sec=seconds, nanosec=rest)
                self.publisher(topic, type(message)).publish(message)
        return stamp_ns


class Lidar(Detector):
    """Sends the same points as a cloud in any order, NaN among them."""

    INPUTS = {  # noqa: RUF012
        'points2': PointCloud2,
        **{topic: kind for topic, kind in Detector.INPUTS.items() if topic != 'depth/image'},
    }
    CLOUD = 'points2'

    def rest(self):
        super().rest()
        points = measured_points(self.cloud, RIG.left)
        points = np.random.default_rng(1).permutation(points)
        rows = np.full((len(points) + 100, 3), np.nan, np.float32)
        rows[50:-50] = points
        self.cloud = cloud_of(rows)


def cloud_of(points):
    from sensor_msgs_py import point_cloud2

    return point_cloud2.create_cloud_xyz32(Header(frame_id=LEFT_FRAME), points)


def own_points(number, instances=FRAME.instances):
    points = measured_points(image_message(FRAME.depth_m, '32FC1', ''), RIG.left)
    return points[instances.ravel() == number]


def centre(detection):
    place = detection.bbox.center.position
    return np.array([place.x, place.y, place.z])
