# SPDX-License-Identifier: Apache-2.0
"""What is made of a bag is, bit for bit, what the node makes of the same messages."""

import pytest
from harness import SCENE
from rclpy.serialization import deserialize_message, serialize_message
from scene import OUTPUTS, TX, image_message, info_message, to_ns

pytestmark = pytest.mark.ros
bags = pytest.importorskip('rosbags.rosbag2', reason='needs the package rosbags')
typesys = pytest.importorskip('rosbags.typesys', reason='needs the package rosbags')

IMAGE, INFO = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CameraInfo'
TOPICS = (
    *('depth/image', 'depth/camera_info', 'disparity', 'points2', 'confidence/image'),
    *('visibility/image', 'depth/uncertainty'),
)


@pytest.fixture(scope='module')
def nodes(start_node):
    return {'': start_node('')}


def record(folder, stamp_ns):
    """A bag with the messages that the robot sends."""
    store = typesys.get_typestore(typesys.Stores.ROS2_JAZZY)
    writer = bags.Writer(folder, version=8, storage_plugin=bags.StoragePlugin.MCAP)
    with writer:
        for side, tx in (('left', 0.0), ('right', TX)):
            info = info_message(tx)
            info.header.stamp = image_message(SCENE[side], stamp_ns).header.stamp
            for name, kind, message in (
                ('image_rect', IMAGE, image_message(SCENE[side], stamp_ns)),
                ('camera_info', INFO, info),
            ):
                topic = writer.add_connection(f'/{side}/{name}', kind, typestore=store)
                writer.write(topic, stamp_ns, serialize_message(message))


def test_a_bag_gives_what_the_node_gives(robot, tmp_path):
    from vizion3d_ros.bags.convert import Conversion, convert
    from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings

    live = robot.ask_all(robot.listen_to({name: OUTPUTS[name] for name in TOPICS}))
    stamp_ns = to_ns(live['depth/image'].header.stamp)
    record(tmp_path / 'bag', stamp_ns)
    outcome = convert(
        Conversion(tmp_path / 'bag', tmp_path / 'out', StereoSettings(), topics=TOPICS)
    )
    assert (outcome.pairs, outcome.faults) == (1, [])
    with bags.Reader(tmp_path / 'out') as reader:
        made = {each.topic: raw for each, _, raw in reader.messages()}
    assert sorted(made) == sorted(f'/{name}' for name in TOPICS)
    for name in TOPICS:
        # Not their bytes: what pads them to the next word is whatever was in memory.
        assert deserialize_message(bytes(made[f'/{name}']), OUTPUTS[name]) == live[name], name
