# SPDX-License-Identifier: Apache-2.0
"""The encodings of colour and grey images (sensor_msgs/image_encodings), and how to read each."""

from __future__ import annotations

import re
from dataclasses import dataclass

import cv2


@dataclass(frozen=True, slots=True)
class Encoding:
    """
    How the pixels of an image lie in its message, interleaved.

    channels: words in a pixel. conversion: OpenCV's from these channels of 8 bits to RGB; None:
    as they are. word_bytes: 1, or 2 in the byte order of the message.
    """

    channels: int
    conversion: int | None = None
    word_bytes: int = 1

    @property
    def pixel_bytes(self) -> int:
        """Bytes from one pixel of a row to the next."""
        return self.channels * self.word_bytes


# OpenCV names a Bayer pattern by its second row and column, ROS by its first: RGGB is BayerBG.
# {}: bits of a word, 8 or 16.
OF_ANY_DEPTH: dict[str, tuple[int, int | None]] = {
    'mono{}': (1, None),
    '{}UC1': (1, None),
    'rgb{}': (3, None),
    'bgr{}': (3, cv2.COLOR_BGR2RGB),
    '{}UC3': (3, cv2.COLOR_BGR2RGB),
    'rgba{}': (4, cv2.COLOR_RGBA2RGB),
    'bgra{}': (4, cv2.COLOR_BGRA2RGB),
    '{}UC4': (4, cv2.COLOR_BGRA2RGB),
    'bayer_rggb{}': (1, cv2.COLOR_BayerBG2RGB),
    'bayer_bggr{}': (1, cv2.COLOR_BayerRG2RGB),
    'bayer_gbrg{}': (1, cv2.COLOR_BayerGR2RGB),
    'bayer_grbg{}': (1, cv2.COLOR_BayerGB2RGB),
}
ENCODINGS = {
    **{name.format(8): Encoding(*layout) for name, layout in OF_ANY_DEPTH.items()},
    'yuv422': Encoding(2, cv2.COLOR_YUV2RGB_UYVY),
    'uyvy': Encoding(2, cv2.COLOR_YUV2RGB_UYVY),
    'yuv422_yuy2': Encoding(2, cv2.COLOR_YUV2RGB_YUY2),
    'yuyv': Encoding(2, cv2.COLOR_YUV2RGB_YUY2),
    **{name.format(16): Encoding(*layout, 2) for name, layout in OF_ANY_DEPTH.items()},
}

_NUMBERS = re.compile(r'(8|16|32|64)(U|S|F)(C[1-9]\d*)?')


def explain_unknown(encoding: str) -> str:
    """Say why an encoding cannot be read, and which can."""
    why = ''
    if encoding.lower() in ENCODINGS:
        why = f' (expected {encoding.lower()!r})'
    elif _NUMBERS.fullmatch(encoding):
        why = ' (numbers such as depth, no picture: remap to the topic of a camera)'
    return (
        f'encoding {encoding!r} cannot be decoded to rgb8{why}: publish one of '
        f'{", ".join(ENCODINGS)}'
    )
