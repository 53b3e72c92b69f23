# SPDX-License-Identifier: Apache-2.0
"""The annotation node with a network of its own: Mask R-CNN, whose weights are made by a rule."""

import numpy as np
import pytest
import torch
from builtin_interfaces.msg import Time
from robots import Robot
from scene import to_ns
from sensor_msgs.msg import CameraInfo, Image
from vision_msgs.msg import Detection3DArray

from vizion3d_ros.contracts.camera import StereoRig
from vizion3d_ros.ros.testbed.camera_messages import LEFT_FRAME, camera_infos, image_message

pytestmark = [pytest.mark.ros, pytest.mark.slow]

RIG = StereoRig.from_field_of_view(80, 64, 65, 0.12)
PROGRAM = ('-m', 'vizion3d_ros.ros.nodes.annotation_node')


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    try:
        from torchvision.models.detection import maskrcnn_resnet50_fpn_v2
    except (ImportError, RuntimeError):
        pytest.skip('torchvision is not installed, or was made for another torch')
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp('weights') / 'rule.pth'
    torch.save(maskrcnn_resnet50_fpn_v2(weights=None, weights_backbone=None).state_dict(), path)
    return path


class Camera(Robot):
    """Publishes an image and the depth of a wall."""

    NODE = 'annotation_node'
    INPUTS = {  # noqa: RUF012
        'depth/image': Image,
        'depth/camera_info': CameraInfo,
        'left/image_rect': Image,
    }

    def send(self):
        stamp_ns = self.now_ns()
        image = np.random.default_rng(0).integers(0, 256, (64, 80, 3), dtype=np.uint8)
        sent = {
            'depth/camera_info': camera_infos(RIG)[0],
            'depth/image': image_message(np.full((64, 80), 2, np.float32), '32FC1', LEFT_FRAME),
            'left/image_rect': image_message(image, 'rgb8', LEFT_FRAME),
        }
        seconds, rest = divmod(stamp_ns, 10**9)
        for topic, message in sent.items():
            message.header.stamp = Time(sec=seconds, nanosec=rest)
            self.publisher(topic, type(message)).publish(message)
        return stamp_ns


def test_what_the_network_finds_has_a_box_at_its_depth(context, start_node, weights):
    parameters = {'backend': 'segmenter', 'model_backend': str(weights), 'conf_threshold': 0.01}
    start_node('', {**parameters, 'device': 'cpu', 'min_points': 1}, program=PROGRAM)
    camera = Camera(context, '', 'camera')
    camera.meet()
    answer = camera.ask(camera.listen('detections_3d', Detection3DArray))
    assert answer.header.frame_id == LEFT_FRAME and to_ns(answer.header.stamp) > 0
    for each in answer.detections:
        assert each.bbox.center.position.z == pytest.approx(2.0, abs=1e-3)
        assert 0.01 <= each.results[0].hypothesis.score <= 1
    camera.close()
