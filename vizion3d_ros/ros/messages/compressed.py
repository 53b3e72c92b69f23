# SPDX-License-Identifier: Apache-2.0
"""CompressedImage becomes Image: what the publishers of image_transport and cameras send."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

from sensor_msgs.msg import CompressedImage, Image

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.files.picture import PictureLimits, decode_picture
from vizion3d_ros.ros.messages.payloads import image_message
from vizion3d_ros.ros.messages.rare_encodings import in_known_encoding

AnyImage = Image | CompressedImage

OF_DEPTH = 'compressedDepth'
# image_transport writes the encoding that was sent, the codec and, of colours, how they lie. A
# mosaic is kept by PNG only; JPEG has it in grey, whatever stands in front.
MOSAIC = re.compile(r'(bayer_\w{4})(?:8|16); *(?:png|tiff) compressed *')


def as_image(message: AnyImage, limits: PictureLimits) -> Image:
    """
    Give an Image in a known encoding; decode a CompressedImage to one, of 8 or 16 bits.

    Its size is checked before any pixel is decoded. Raises InputError, which names the format of
    the message, for what is no picture, exceeds the limits, is cut short or damaged.
    """
    if isinstance(message, Image):
        return in_known_encoding(message)
    name = f'compressed image of format {message.format!r}'
    if OF_DEPTH in message.format:
        raise InputError(f'{name}: is depth, no picture: remap to the topic of a camera')
    pixels = decode_picture(bytes(message.data), name, limits, keep_words=True)
    bits = 8 * pixels.itemsize
    return image_message(message.header, pixels, f'{_layout(message.format, pixels.ndim)}{bits}')


def pair_as_images(left: AnyImage, right: AnyImage, limits: PictureLimits) -> tuple[Image, Image]:
    """Give both as as_image does, decoded side by side; an InputError names the side."""
    if isinstance(left, Image) and isinstance(right, Image):
        return _named('left', left, limits), _named('right', right, limits)
    with ThreadPoolExecutor(1) as thread:
        other = thread.submit(_named, 'right', right, limits)
        return _named('left', left, limits), other.result()


def _named(side: str, message: AnyImage, limits: PictureLimits) -> Image:
    try:
        return as_image(message, limits)
    except InputError as error:
        raise InputError(f'{side}: {error}') from error


def _layout(format_: str, dimensions: int) -> str:
    """How the channels lie, in the words of an encoding without its bits."""
    if dimensions == 2:
        mosaic = MOSAIC.fullmatch(format_)
        return mosaic[1] if mosaic else 'mono'
    # Of ROS 1: handed to the codec in RGB as if it were BGR.
    return 'bgr' if 'compressed rgb' in format_ else 'rgb'
