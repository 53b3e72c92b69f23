# SPDX-License-Identifier: Apache-2.0
"""Images and CameraInfo become arrays and calibrations; measurements.py reads depth."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.contracts.calibration import CameraCalibration
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.incoming.encodings import ENCODINGS, Encoding, explain_unknown
from vizion3d_ros.incoming.messages import CameraInfo, Image

Pixels = NDArray[np.uint8]
COLOURS = (3, 4)  # words of a pixel
MOST_DATA = 2  # times what the rows take: a driver may leave something behind them


def image_to_array(message: Image, mono16_bits: int = 16) -> Pixels:
    """
    Decode an Image to uint8 (H, W) grey or (H, W, 3) RGB; treat the answer as read-only.

    mono8 and rgb8 are views of the message, without a copy. Of 16-bit words, grey, colour or
    Bayer, the upper 8 of mono16_bits significant bits are kept. Raises InputError for a message
    whose fields contradict each other, or an encoding that is not in ENCODINGS.
    """
    if message.width == 0 or message.height == 0:
        raise InputError(
            f'image is empty: {message.width}x{message.height}, expected at least 1x1'
        )
    encoding = ENCODINGS.get(message.encoding)
    if encoding is None:
        raise InputError(explain_unknown(message.encoding))
    _check_step(message, encoding)
    if encoding.word_bytes == 2:
        pixels = _scale_to_8_bit(words_of(message), mono16_bits)
    else:
        pixels = _rows(message, encoding.pixel_bytes)
    if encoding.channels > 1:
        pixels = pixels.reshape(message.height, message.width, encoding.channels)
    conversion = encoding.conversion
    return pixels if conversion is None else _convert(pixels, conversion, message)


def pair_to_arrays(left: Image, right: Image, mono16_bits: int = 16) -> tuple[Pixels, Pixels]:
    """
    Decode both images: both uint8 (H, W) grey or both (H, W, 3) RGB.

    A grey one beside a colour one is given three equal channels. Raises InputError, which names
    the side, as image_to_array does.
    """
    pair = [_decode('left', left, mono16_bits), _decode('right', right, mono16_bits)]
    if pair[0].ndim != pair[1].ndim:
        pair = [cv2.cvtColor(p, cv2.COLOR_GRAY2RGB) if p.ndim == 2 else p for p in pair]
    return pair[0], pair[1]


def words_of(message: Image) -> NDArray[np.uint16]:
    """
    Give the words of an image whose encoding has 16 bits: uint16 (H, W * channels).

    Raises InputError for a message whose fields contradict each other.
    """
    rows = np.ascontiguousarray(_rows(message, ENCODINGS[message.encoding].pixel_bytes))
    return rows.view('>u2' if message.is_bigendian else '<u2')


def calibration_of(message: CameraInfo) -> CameraCalibration:
    """Take what decides geometry out of a CameraInfo."""
    roi = message.roi
    return CameraCalibration(
        width=message.width,
        height=message.height,
        k=tuple(map(float, message.k)),
        p=tuple(map(float, message.p)),
        binning=(message.binning_x, message.binning_y),
        roi=(roi.x_offset, roi.y_offset, roi.width, roi.height),
        distortion_model=message.distortion_model,
        d=tuple(map(float, message.d)),
        r=tuple(map(float, message.r)),
    )


def _check_step(message: Image, encoding: Encoding) -> None:
    """Raise InputError if the rows of a grey image are those of colours; padding is shorter."""
    times = message.step / (message.width * encoding.pixel_bytes)
    if encoding.channels == 1 and times in COLOURS:
        raise InputError(
            f'image step is {message.step} bytes, {times:g} times what a row of {message.width} '
            f'{message.encoding} pixels needs: these are colours by another encoding; correct it '
            'in the driver'
        )


def check_rows(message: Image) -> None:
    """Raise InputError if a message cannot hold its pixels, of a byte each at least."""
    _rows(message, 1)


def _rows(message: Image, bytes_per_pixel: int) -> Pixels:
    """View the payload as (H, W * bytes_per_pixel) bytes, row padding sliced off."""
    used = message.width * bytes_per_pixel
    if message.step < used:
        raise InputError(
            f'image step is {message.step} bytes but a row of {message.width} {message.encoding} '
            f'pixels needs {used}: the driver fills step wrongly'
        )
    if len(message.data) < message.step * message.height:
        raise InputError(
            f'image data has {len(message.data)} bytes but step * height = '
            f'{message.step} * {message.height} needs {message.step * message.height}: '
            'the message is truncated'
        )
    if message.step and len(message.data) >= MOST_DATA * message.step * message.height:
        raise InputError(
            f'image data has {len(message.data)} bytes, but as {message.encoding} with a step of '
            f'{message.step} {message.height} rows are {message.step * message.height}: the '
            'encoding or the step is that of smaller pixels; correct it in the driver'
        )
    flat = np.frombuffer(message.data, dtype=np.uint8, count=message.step * message.height)
    return flat.reshape(message.height, message.step)[:, :used]


def _scale_to_8_bit(words: NDArray[np.uint16], significant_bits: int) -> Pixels:
    return np.minimum(words >> (significant_bits - 8), 255).astype(np.uint8)


def _convert(pixels: Pixels, conversion: int, message: Image) -> Pixels:
    try:
        converted: Pixels = cv2.cvtColor(pixels, conversion)
    except cv2.error as error:  # odd sizes of formats that share colour between pixels
        raise InputError(
            f'a {message.encoding} image of {message.width}x{message.height} cannot be decoded: '
            'its pixels share colours, so width and height must be even and at least 2; crop it '
            'in the driver'
        ) from error
    return converted


def _decode(side: str, image: Image, mono16_bits: int) -> Pixels:
    try:
        return image_to_array(image, mono16_bits)
    except InputError as error:
        raise InputError(f'{side}: {error}') from error
