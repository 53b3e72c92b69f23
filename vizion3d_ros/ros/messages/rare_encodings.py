# SPDX-License-Identifier: Apache-2.0
"""Images in encodings that nobody here reads become rgb8, by cv_bridge."""

from __future__ import annotations

import numpy as np
from sensor_msgs.msg import Image

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.incoming.encodings import ENCODINGS, explain_unknown
from vizion3d_ros.incoming.images import check_rows
from vizion3d_ros.ros.messages.payloads import image_message


def in_known_encoding(message: Image) -> Image:
    """
    Give an Image as it is if its encoding is known, else what cv_bridge makes of it, in rgb8.

    Raises InputError for an encoding that nobody can decode, and a step that is wrong.
    """
    if message.encoding in ENCODINGS or not (message.width and message.height):
        return message
    unknown = explain_unknown(message.encoding)
    check_rows(message)
    # Imported on first need: its binary does not load, or crashes, beside another NumPy.
    try:
        from cv_bridge import CvBridge

        decoded = CvBridge().imgmsg_to_cv2(message, desired_encoding='rgb8')
    except Exception as error:
        raise InputError(f'{unknown} (cv_bridge: {error})') from error
    expected = message.height, message.width, 3
    if decoded.dtype != np.uint8 or decoded.shape != expected:  # of a step that is too small
        raise InputError(
            f'image of {message.width}x{message.height} {message.encoding} pixels has a step of '
            f'{message.step} bytes, of which cv_bridge makes {decoded.dtype} {decoded.shape}: '
            'the driver fills step wrongly'
        )
    return image_message(message.header, decoded, 'rgb8')
