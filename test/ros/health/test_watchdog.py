# SPDX-License-Identifier: Apache-2.0
"""One sentence per reason why nothing comes on an input."""

import re
import time

import pytest

from vizion3d_ros.incoming.input_stats import InputStats
from vizion3d_ros.ros.health.watchdog import explain_missing, explain_silence, explain_unstamped
from vizion3d_ros.ros.stream.inputs import Endpoint, PublisherSeen

pytestmark = pytest.mark.ros

TOPIC = '/robot/left/image_rect'
IMAGE = 'sensor_msgs/msg/Image'
PERIOD_NS = 33_333_333


def endpoint(*publishers, similar=()):
    return Endpoint(TOPIC, IMAGE, tuple(publishers), similar)


def heard(frames=range(30), first_ns=0):
    stats = InputStats()
    for frame in frames:
        stats.add(first_ns + frame * PERIOD_NS)
    return stats


def test_nobody_publishes():
    text = explain_silence(endpoint(), InputStats())
    assert text == f'nobody publishes {TOPIC}: start the camera or remap the topic'


def test_topics_that_may_have_been_meant_are_offered():
    text = explain_silence(endpoint(similar=('/cam/left/image_rect',)), InputStats())
    assert text.endswith('; topics of its type: /cam/left/image_rect')


def test_a_name_that_ends_in_compressed_already_is_told_to_leave_that_out():
    twice = Endpoint(f'{TOPIC}/compressed/compressed', 'sensor_msgs/msg/CompressedImage')
    text = explain_silence(twice, InputStats())
    assert text.endswith(
        'remap the topic, leaving /compressed out of the name: it is put behind it'
    )


def test_publishers_that_nothing_comes_from_are_listed_with_their_qos():
    silent = [PublisherSeen('camera', IMAGE, qos) for qos in ('best_effort', 'reliable')]
    text = explain_silence(endpoint(*silent), InputStats())
    assert f'nothing arrived on {TOPIC}, which has 2 publisher(s)' in text
    assert '(best_effort, reliable)' in text
    assert 'transport profile' in text


def test_a_camera_that_died_is_told_with_its_last_sign_of_life():
    stats = heard()
    stats.arrived = time.monotonic() - 7.0
    text = explain_silence(endpoint(PublisherSeen('camera', IMAGE, 'reliable')), stats)
    assert re.match(rf'the last image came 7\.\d s ago on {TOPIC}', text)


@pytest.mark.parametrize(
    ('kind', 'cure'),
    [
        ('sensor_msgs/msg/CompressedImage', 'set image_transport to compressed'),
        ('sensor_msgs/msg/CameraInfo', 'remap this input'),
    ],
)
def test_another_type_on_the_topic_is_named_with_its_cure(kind, cure):
    wrong = endpoint(PublisherSeen('camera', kind, 'reliable'))
    text = explain_silence(wrong, InputStats())
    assert f'{TOPIC} carries the type {kind} (from camera), expected {IMAGE}' in text
    assert cure in text


def test_a_silent_publisher_of_the_right_type_is_told_beside_one_of_another():
    right = PublisherSeen('camera', IMAGE, 'reliable')
    other = PublisherSeen('other', 'std_msgs/msg/String', 'reliable')
    mixed = endpoint(other, right)
    assert mixed.unheard == [other]
    text = explain_silence(mixed, InputStats())
    assert 'the type std_msgs/msg/String (from other)' in text and 'nothing arrived' in text


def test_a_qos_that_does_not_fit_is_named_with_its_cure():
    deaf = endpoint(PublisherSeen('camera', IMAGE, 'best_effort', 'Best effort publisher'))
    text = explain_silence(deaf, InputStats())
    assert 'Best effort publisher' in text and 'set qos_overrides' in text


def test_a_stream_without_gaps_lacks_nothing():
    assert explain_missing(TOPIC, heard(range(100))) == ''


def test_a_camera_that_stood_still_for_a_while_lost_no_images():
    assert explain_missing(TOPIC, heard([*range(50), *range(150, 200)])) == ''


def test_images_lost_on_the_way_are_told_with_their_share():
    survivors = [frame for frame in range(150) if frame % 7 in (0, 1, 4)]
    text = explain_missing(TOPIC, heard(survivors))
    assert re.match(rf'5\d% of the images on {TOPIC} never arrive', text)
    assert 'transport profile' in text


@pytest.mark.parametrize(
    ('stamp_ns', 'images', 'words'),
    [(0, 3, 'carry the stamp 0'), (7 * 10**9, 10, 'carry the same stamp, 7.000 s'), (1, 9, '')],
)
def test_stamps_that_never_change_are_named_with_their_cure(stamp_ns, images, words):
    text = explain_unstamped(TOPIC, heard([0] * images, stamp_ns))
    assert words in text and bool(words) is ('have the driver set header.stamp' in text)


def test_stamps_that_change_are_good():
    assert explain_unstamped(TOPIC, heard()) == ''
