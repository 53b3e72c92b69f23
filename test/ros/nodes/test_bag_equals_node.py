# SPDX-License-Identifier: Apache-2.0
"""What is made of a bag is, bit for bit, what the node makes of the same messages."""

from array import array
from functools import partial

import cv2
import numpy as np
import pytest
from harness import SCENE
from rclpy.serialization import deserialize_message, serialize_message
from scene import FRAME_ID, OUTPUTS, TX, image_message, info_message, stamped, to_ns
from sensor_msgs.msg import CompressedImage

pytestmark = pytest.mark.ros
bags = pytest.importorskip('rosbags.rosbag2', reason='needs the package rosbags')
typesys = pytest.importorskip('rosbags.typesys', reason='needs the package rosbags')

IMAGE, INFO = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CameraInfo'
PACKED = 'sensor_msgs/msg/CompressedImage'
TOPICS = (
    *('depth/image', 'depth/camera_info', 'disparity', 'points2', 'confidence/image'),
    *('visibility/image', 'depth/uncertainty'),
)


WORDS = {'mono16_bits': 12, 'image_transport': 'compressed'}


@pytest.fixture(scope='module')
def nodes(start_node):
    return {'': start_node(''), '/packed': start_node('/packed', WORDS)}


def raw(side, stamp_ns):
    return f'/{side}/image_rect', IMAGE, image_message(SCENE[side], stamp_ns)


def packed(side, stamp_ns):
    """Words of 12 bits as a camera of image_transport sends them."""
    message = stamped(CompressedImage, stamp_ns, FRAME_ID)
    message.format = 'mono16; png compressed '
    words = SCENE[side].astype(np.uint16) << 4
    message.data = array('B', cv2.imencode('.png', words)[1].tobytes())
    return f'/packed/{side}/image_rect/compressed', PACKED, message


def record(folder, stamp_ns, image):
    """A bag with the messages that the robot sends."""
    store = typesys.get_typestore(typesys.Stores.ROS2_JAZZY)
    writer = bags.Writer(folder, version=8, storage_plugin=bags.StoragePlugin.MCAP)
    with writer:
        for side, tx in (('left', 0.0), ('right', TX)):
            name, kind, message = image(side, stamp_ns)
            info = info_message(tx)
            info.header.stamp = message.header.stamp
            beside = f'{name.partition(f"/{side}/")[0]}/{side}/camera_info'
            for topic, type_, content in ((name, kind, message), (beside, INFO, info)):
                connection = writer.add_connection(topic, type_, typestore=store)
                writer.write(connection, stamp_ns, serialize_message(content))


def send_packed(robot):
    robot.send_infos()
    stamp_ns = robot.now_ns()
    for side in SCENE:
        topic, _, message = packed(side, stamp_ns)
        robot.publisher(topic, CompressedImage).publish(message)
    return stamp_ns


@pytest.mark.parametrize(
    ('namespace', 'image', 'settings'),
    [('', raw, {}), ('/packed', packed, {'mono16_bits': 12})],
    ids=['raw', 'compressed words'],
)
def test_a_bag_gives_what_the_node_gives(meet, tmp_path, namespace, image, settings):
    from vizion3d_ros.bags.convert import Conversion, convert
    from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings

    _, robot = meet(namespace)
    heard = robot.listen_to({name: OUTPUTS[name] for name in TOPICS})
    if namespace:
        robot.send = partial(send_packed, robot)
    live = robot.ask_all(heard)
    stamp_ns = to_ns(live['depth/image'].header.stamp)
    record(tmp_path / 'bag', stamp_ns, image)
    outcome = convert(
        Conversion(tmp_path / 'bag', tmp_path / 'out', StereoSettings(**settings), topics=TOPICS)
    )
    assert (outcome.pairs, outcome.faults) == (1, [])
    with bags.Reader(tmp_path / 'out') as reader:
        made = {each.topic: raw for each, _, raw in reader.messages()}
    assert sorted(made) == sorted(f'{namespace}/{name}' for name in TOPICS)
    for name in TOPICS:
        # Not their bytes: what pads them to the next word is whatever was in memory.
        message = deserialize_message(bytes(made[f'{namespace}/{name}']), OUTPUTS[name])
        assert message == live[name], name
