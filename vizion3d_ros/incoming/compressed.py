# SPDX-License-Identifier: Apache-2.0
"""CompressedImage becomes an image: what the publishers of image_transport and cameras send."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.files.picture import PictureLimits, decode_picture
from vizion3d_ros.incoming.messages import CompressedImage, Image

OF_DEPTH = 'compressedDepth'
# image_transport writes the encoding that was sent, the codec and, of colours, how they lie. A
# mosaic is kept by PNG only; JPEG has it in grey, whatever stands in front.
MOSAIC = re.compile(r'(bayer_\w{4})(?:8|16); *(?:png|tiff) compressed *')


@dataclass(slots=True)
class DecodedImage:
    """An image as messages.py has it, of the header of another message."""

    header: Any
    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: NDArray[np.uint8]


def is_compressed(message: Image | CompressedImage) -> bool:
    """Whether a message is a CompressedImage and no Image."""
    return not hasattr(message, 'encoding')


def decompressed(message: CompressedImage, limits: PictureLimits) -> DecodedImage:
    """
    Decode to an image of 8 or 16 bits.

    Its size is checked before any pixel is decoded. Raises InputError, which names the format of
    the message, for what is no picture, exceeds the limits, is cut short or damaged.
    """
    name = f'compressed image of format {message.format!r}'
    if OF_DEPTH in message.format:
        raise InputError(f'{name}: is depth, no picture: remap to the topic of a camera')
    pixels = decode_picture(bytes(message.data), name, limits, keep_words=True)
    height, width = pixels.shape[:2]
    return DecodedImage(
        header=message.header,
        height=height,
        width=width,
        encoding=f'{_layout(message.format, pixels.ndim)}{8 * pixels.itemsize}',
        is_bigendian=0,
        step=pixels.nbytes // height,
        data=pixels.reshape(-1).astype(f'<u{pixels.itemsize}', copy=False).view(np.uint8),
    )


def decode_pair(
    left: Image | CompressedImage,
    right: Image | CompressedImage,
    decode: Callable[[Any], Image],
) -> tuple[Image, Image]:
    """Decode both, side by side if they are compressed; an InputError names the side."""
    if not is_compressed(left) and not is_compressed(right):
        return _named('left', left, decode), _named('right', right, decode)
    with ThreadPoolExecutor(1) as thread:
        other = thread.submit(_named, 'right', right, decode)
        return _named('left', left, decode), other.result()


def _named(side: str, message: Any, decode: Callable[[Any], Image]) -> Image:
    try:
        return decode(message)
    except InputError as error:
        raise InputError(f'{side}: {error}') from error


def _layout(format_: str, dimensions: int) -> str:
    """How the channels lie, in the words of an encoding without its bits."""
    if dimensions == 2:
        mosaic = MOSAIC.fullmatch(format_)
        return mosaic[1] if mosaic else 'mono'
    # Of ROS 1: handed to the codec in RGB as if it were BGR.
    return 'bgr' if 'compressed rgb' in format_ else 'rgb'
