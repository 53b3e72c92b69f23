# SPDX-License-Identifier: Apache-2.0
"""Images between sensor_msgs/Image and NumPy arrays."""

import cv2
import numpy as np
from sensor_msgs.msg import Image

from .encodings import DEPTHS, convert, layout


class CvBridgeError(TypeError):
    """A conversion is not possible."""


class CvBridge:
    """Converts images; it holds no state."""

    def imgmsg_to_cv2(self, img_msg, desired_encoding='passthrough'):
        """
        Return the image as an array of its own, shape (h, w) or (h, w, c), native byte order.

        `desired_encoding` is 'passthrough' or the encoding to convert to.
        """
        try:
            image = _array(img_msg)
            if desired_encoding == 'passthrough':
                return image
            return convert(image, img_msg.encoding, desired_encoding)
        except (ValueError, cv2.error) as error:
            raise CvBridgeError(str(error)) from error

    def cv2_to_imgmsg(self, cvim, encoding='passthrough', header=None):
        """
        Return a message with a copy of the array, shape (h, w) or (h, w, c).

        The encoding is only a name for what the array holds, nothing is converted: 'passthrough'
        derives one such as 8UC3, any other must fit the array's type and channels.
        """
        if not isinstance(cvim, np.ndarray):
            raise TypeError('Your input type is not a numpy array')
        msg = Image(height=cvim.shape[0], width=cvim.shape[1])
        if header is not None:
            msg.header = header
        msg.encoding = _encoding_for(cvim, encoding)
        msg.is_bigendian = cvim.dtype.byteorder == '>'
        msg.data.frombytes(cvim.tobytes())
        msg.step = len(msg.data) // msg.height
        return msg


def _array(msg):
    """Copy the pixels out of the message, without the padding that `step` allows for."""
    dtype, channels = layout(msg.encoding)
    stored = dtype.newbyteorder('>' if msg.is_bigendian else '<')
    row_items = msg.step // dtype.itemsize
    rows = np.ndarray((msg.height, row_items), stored, msg.data)
    image = rows[:, : msg.width * channels].astype(dtype, order='C')
    return image if channels == 1 else image.reshape(msg.height, msg.width, channels)


def _encoding_for(array, encoding):
    channels = array.shape[2] if array.ndim > 2 else 1
    names = {np.dtype(t): name for name, t in DEPTHS.items()}
    actual = f'{names[array.dtype.newbyteorder("=")]}C{channels}'
    if encoding == 'passthrough':
        return actual
    try:
        fits = layout(encoding) == (array.dtype.newbyteorder('='), channels)
    except ValueError as error:
        raise CvBridgeError(str(error)) from error
    if not fits:
        raise CvBridgeError(
            f'encoding specified as {encoding}, but image has incompatible type {actual}'
        )
    return encoding
