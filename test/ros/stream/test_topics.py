# SPDX-License-Identifier: Apache-2.0
"""Topics that remapping gave to two inputs, or to an input and an output."""

from types import SimpleNamespace

import pytest
from sensor_msgs.msg import CompressedImage

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.ros.stream.topics import (
    ANNOTATION_OBJECTS,
    ANNOTATION_OUTPUTS,
    MONO_INPUTS,
    MONO_OUTPUTS,
    STEREO_INPUTS,
    STEREO_OUTPUTS,
    check_topics,
)

pytestmark = pytest.mark.ros


def remapped(**remaps):
    """A node, as far as names go; slashes are underscores here."""
    names = {name.replace('__', '/'): topic for name, topic in remaps.items()}
    return SimpleNamespace(resolve_topic_name=lambda name: names.get(name, f'/{name}'))


def test_topics_as_they_are_and_one_camera_as_both_are_left_alone():
    check_topics(remapped(), STEREO_INPUTS, STEREO_OUTPUTS)
    check_topics(remapped(), MONO_INPUTS, MONO_OUTPUTS)
    check_topics(remapped(), ANNOTATION_OBJECTS['masks'], ANNOTATION_OUTPUTS)
    same = remapped(left__image_rect='/cam/image', right__image_rect='/cam/image')
    check_topics(same, STEREO_INPUTS, STEREO_OUTPUTS)
    beside = {**STEREO_INPUTS, 'left/image_rect': CompressedImage}
    check_topics(remapped(left__camera_info='/left/image_rect'), beside, STEREO_OUTPUTS)


@pytest.mark.parametrize(
    ('remaps', 'words'),
    [
        ({'left__camera_info': '/left/image_rect'}, 'left/image_rect and left/camera_info'),
        ({'left__camera_info': '/left/image_rect'}, 'of different types'),
        ({'depth__image': '/right/image_rect'}, 'but are read and written'),
        ({'points2': '/depth/image'}, 'to /depth/image, but are of different types'),
    ],
)
def test_a_topic_for_two_is_refused(remaps, words):
    with pytest.raises(InputError, match=words):
        check_topics(remapped(**remaps), STEREO_INPUTS, STEREO_OUTPUTS)
