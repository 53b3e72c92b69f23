# SPDX-License-Identifier: Apache-2.0
"""Encodings that only a distribution's cv_bridge knows; the one of .venv knows none of them."""

import sys
import types

import numpy as np
import pytest
from scene import image_message
from sensor_msgs.msg import Image

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.incoming.images import image_to_array
from vizion3d_ros.ros.messages.rare_encodings import in_known_encoding

pytestmark = pytest.mark.ros

RGB = np.arange(6 * 4 * 3, dtype=np.uint8).reshape(6, 4, 3)


def rare(step=4):
    return Image(height=6, width=4, encoding='nv21', step=step, data=bytes(9 * step))


def bring(monkeypatch, answer):
    """A cv_bridge that makes answer of every image, when rgb8 is asked of it."""

    class CvBridge:
        def imgmsg_to_cv2(self, message, desired_encoding):
            assert desired_encoding == 'rgb8'
            return answer

    monkeypatch.setitem(sys.modules, 'cv_bridge', types.SimpleNamespace(CvBridge=CvBridge))


def test_what_cv_bridge_reads_goes_on_as_rgb8(monkeypatch):
    bring(monkeypatch, RGB)
    message = rare()
    message.header.frame_id = 'left'
    known = in_known_encoding(message)
    assert (known.encoding, known.header.frame_id) == ('rgb8', 'left')
    np.testing.assert_array_equal(image_to_array(known), RGB)


def test_a_known_encoding_is_left_to_us(monkeypatch):
    bring(monkeypatch, None)
    message = image_message(RGB[..., 0], 1)
    assert in_known_encoding(message) is message


@pytest.mark.parametrize('answer', [RGB[:, :2], RGB.astype(np.uint16), RGB[..., 0]], ids=str)
def test_a_shape_that_is_not_the_image_s_is_a_wrong_step(answer, monkeypatch):
    bring(monkeypatch, answer)
    with pytest.raises(InputError, match=r'nv21 pixels has a step of 4 bytes.*fills step wrongly'):
        in_known_encoding(rare())


def test_what_nobody_reads_is_named():
    with pytest.raises(InputError, match=r"'nv21'.*\(cv_bridge: "):
        in_known_encoding(rare())
    with pytest.raises(InputError, match='nv21'):
        image_to_array(rare())
