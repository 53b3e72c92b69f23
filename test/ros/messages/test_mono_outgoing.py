# SPDX-License-Identifier: Apache-2.0
"""Messages of an answer from one image: relative ones, and metric ones only where metres are."""

import numpy as np
import pytest
import torch
from builtin_interfaces.msg import Time
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from vizion3d_ros.contracts.results import Cloud, MonoResult
from vizion3d_ros.contracts.settings.mono_settings import MonoSettings
from vizion3d_ros.ros.messages import outgoing
from vizion3d_ros.ros.messages.outgoing import FrameAnswer
from vizion3d_ros.ros.stream.topics import MONO_OUTPUTS

pytestmark = pytest.mark.ros

HEADER = Header(stamp=Time(sec=12, nanosec=345), frame_id='camera_optical')
K = [5.0, 0.0, 1.0, 0.0, 5.0, 0.5, 0.0, 0.0, 1.0]
INFO = CameraInfo(header=Header(frame_id='other'), width=3, height=2, k=K)
RELATIVE = [[0.0, 1.0, 2.0], [4.0, 3.0, 0.5]]
RELATIVE_TOPICS = {'relative_depth/image', 'relative_depth/image_color'}
OF_A_FIT = {'depth/uncertainty'}  # these answers were not fitted to anything
METRIC_TOPICS = set(MONO_OUTPUTS) - RELATIVE_TOPICS - OF_A_FIT


@pytest.fixture
def answer(device):
    """Make a FrameAnswer; relative and depth_m as lists, None = the answer has none."""

    def make(relative=None, depth_m=None, info=INFO):
        maps = [None if m is None else torch.tensor(m, device=device) for m in (relative, depth_m)]
        cloud = None if depth_m is None else Cloud(torch.zeros(2, 3, 4, device=device))
        return FrameAnswer(MonoResult(*maps, cloud, 'known', ''), HEADER, info, MonoSettings())

    return make


def published(given):
    """Topics on which an answer has something to say."""
    messages = {name: topic.build(given) for name, topic in MONO_OUTPUTS.items()}
    said = {name: message for name, message in messages.items() if message is not None}
    assert all(message.header == HEADER for message in said.values())
    return set(said)


def test_a_relative_answer_says_nothing_on_metric_topics(answer):
    assert published(answer(relative=RELATIVE)) == RELATIVE_TOPICS


def test_a_metric_answer_says_nothing_on_relative_topics(answer):
    assert published(answer(depth_m=RELATIVE)) == METRIC_TOPICS


def test_a_relative_answer_with_a_scale_speaks_on_all(answer):
    assert published(answer(relative=RELATIVE, depth_m=RELATIVE)) == set(MONO_OUTPUTS) - OF_A_FIT


def test_without_a_camera_info_there_is_none_beside_the_depth(answer):
    assert published(answer(depth_m=RELATIVE, info=None)) == METRIC_TOPICS - {'depth/camera_info'}


def test_relative_depth_is_published_as_the_network_gives_it(answer):
    message = outgoing.relative_message(answer(relative=RELATIVE))
    assert (message.encoding, message.step, message.height, message.width) == ('32FC1', 12, 2, 3)
    np.testing.assert_array_equal(np.frombuffer(message.data, np.float32), np.ravel(RELATIVE))


def brightness(message):
    assert (message.encoding, message.step) == ('bgr8', 9)
    pixels = np.frombuffer(message.data, np.uint8).reshape(-1, 3)
    return pixels.astype(int).sum(axis=1)


def test_the_relative_picture_is_bright_where_it_is_near(answer):
    order = np.argsort(np.ravel(RELATIVE))
    shown = brightness(outgoing.relative_color_message(answer(relative=RELATIVE)))
    assert (np.diff(shown[order]) > 0).all()
    other = [[100 + 7 * value for value in row] for row in RELATIVE]
    rescaled = brightness(outgoing.relative_color_message(answer(relative=other)))
    np.testing.assert_array_equal(rescaled, shown)


def test_a_flat_relative_answer_has_a_picture_too(answer):
    message = outgoing.relative_color_message(answer(relative=[[2.0] * 3] * 2))
    assert len(set(brightness(message).tolist())) == 1


def test_the_camera_info_beside_the_depth_is_that_of_the_image(answer):
    info = outgoing.depth_info_message(answer(depth_m=RELATIVE))
    assert info.header == HEADER
    assert (info.width, info.height) == (3, 2)
    np.testing.assert_array_equal(info.k, INFO.k)
    assert INFO.header.frame_id == 'other', 'the cached message must not change'
