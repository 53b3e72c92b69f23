# SPDX-License-Identifier: Apache-2.0
"""
One encoded image to pixels; its size is checked from the header before anything is decoded.

    file ─ read_picture ─ bytes ─ decode_picture ─┬─ header, checksums (Pillow)
                                                  └─ pixels (OpenCV; JPEG: Pillow)
"""

from __future__ import annotations

import re
import struct
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal, overload

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from vizion3d_ros.contracts.errors import InputError

FORMATS = ('PNG', 'JPEG', 'BMP', 'TIFF', 'WEBP', 'PPM')
EXPECTED = 'expected an image (PNG, JPEG, BMP, TIFF, WebP or PNM)'
JPEGS = ('JPEG', 'MPO')  # MPO: a JPEG with more pictures behind it, as some telephones write
# A stereo pair must stay as the sensor saw it, whatever a file says about being turned.
AS_STORED = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_IGNORE_ORIENTATION
TIFF_ORDERS = {b'II*\0': '<', b'MM\0*': '>'}
TIFF_ENTRY, TURNED = 12, 274  # bytes of an entry of its header, and the one that says so
# What is wrong with a file is told by InputError, and not once more in Pillow's words.
warnings.filterwarnings('ignore', category=UserWarning, module=r'PIL\.')

Picture = NDArray[np.uint8]
Stored = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """The largest image that is read: pixels as its header says, bytes as encoded."""

    max_pixels: int = 89_000_000  # beyond, Pillow warns of what may be an attack
    max_bytes: int = 500 * 2**20


GENEROUS = PictureLimits()


def read_picture(path: Path, name: str, limits: PictureLimits = GENEROUS) -> Picture:
    """
    Read one image file, as decode_picture does: uint8 (H, W, 3) RGB, or (H, W) grey.

    Raises InputError, which begins with name, if there is no such file or it is not allowed.
    """
    try:
        if path.is_dir():
            raise InputError(f'{name}: {EXPECTED}, got a folder')
        if not path.is_file():
            raise InputError(f'{name}: no such file')
        _check_bytes(path.stat().st_size, name, limits)
        encoded = path.read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(f'{name}: cannot be read: {error}') from error
    return decode_picture(encoded, name, limits)


@overload
def decode_picture(encoded: bytes, name: str, limits: PictureLimits = ...) -> Picture: ...


@overload
def decode_picture(
    encoded: bytes, name: str, limits: PictureLimits, *, keep_words: Literal[True]
) -> Stored: ...


def decode_picture(
    encoded: bytes, name: str, limits: PictureLimits = GENEROUS, *, keep_words: bool = False
) -> Stored:
    """
    Decode one image: uint8 (H, W, 3) RGB, or (H, W) if it is stored in grey.

    16-bit images keep their upper eight bits, or with keep_words all as uint16; transparency is
    dropped, an orientation mark is ignored. Raises InputError, which begins with name, for what
    is no image, exceeds the limits, is cut short or damaged.
    """
    _check_bytes(len(encoded), name, limits)
    encoded = _unmarked(encoded)
    width, height, kind = _check_header(encoded, name, limits)
    try:
        picture = _decode_jpeg(encoded) if kind in JPEGS else _decode(encoded, keep_words)
    except (OSError, cv2.error) as error:
        raise InputError(f'{name}: {kind} image is damaged: {error}') from error
    kept = picture is not None and picture.dtype in (np.uint8, np.uint16)
    if picture is None or not kept or picture.shape[:2] != (height, width):
        raise InputError(
            f'{name}: {kind} image is damaged, or its values are none of 8 or 16 bits: save it '
            'again, as a PNG'
        )
    return picture


def _check_bytes(count: int, name: str, limits: PictureLimits) -> None:
    if count > limits.max_bytes:
        raise InputError(
            f'{name}: expected at most {limits.max_bytes} bytes, got {count}: use a smaller image'
        )


def _unmarked(encoded: bytes) -> bytes:
    """Take the mark that it is turned out of a TIFF: OpenCV and Pillow would follow it."""
    order = TIFF_ORDERS.get(encoded[:4])
    if order is None:
        return encoded
    try:
        (start,) = struct.unpack_from(f'{order}I', encoded, 4)
        (count,) = struct.unpack_from(f'{order}H', encoded, start)
        for entry in range(start + 2, start + 2 + TIFF_ENTRY * count, TIFF_ENTRY):
            if struct.unpack_from(f'{order}H', encoded, entry) == (TURNED,):
                upright = struct.pack(f'{order}H', 1)
                return encoded[: entry + 8] + upright + encoded[entry + 10 :]
    except struct.error:  # cut short, which the decoder tells
        pass
    return encoded


def _check_header(encoded: bytes, name: str, limits: PictureLimits) -> tuple[int, int, str]:
    """Width, height and format, before any pixel is decoded; checksums where there are some."""
    too_large = f'{name}: expected at most {limits.max_pixels} pixels'
    try:
        with Image.open(BytesIO(encoded), formats=FORMATS) as image:
            width, height = image.size
            if width * height > limits.max_pixels:
                raise InputError(f'{too_large}, got {width}x{height}: use a smaller image')
            image.verify()
            return width, height, image.format or ''
    except UnidentifiedImageError as error:
        got = f'{len(encoded)} bytes of something else' if encoded else 'nothing'
        raise InputError(f'{name}: {EXPECTED}, got {got}') from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        pixels = re.search(r'\d+', str(error))  # Pillow says how many before its own limit
        raise InputError(
            f'{too_large}, got {pixels and pixels[0]}: use a smaller image'
        ) from error
    except InputError:
        raise
    except Exception as error:  # Pillow raises all kinds for a damaged file
        raise InputError(f'{name}: image is damaged: {error}') from error


def _decode(encoded: bytes, keep_words: bool) -> Stored | None:
    flags = AS_STORED | cv2.IMREAD_ANYDEPTH if keep_words else AS_STORED
    image: Stored | None = cv2.imdecode(np.frombuffer(encoded, np.uint8), flags)
    if image is None or image.ndim == 2:
        return image
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _decode_jpeg(encoded: bytes) -> Picture:
    """Decode by Pillow: OpenCV before 5 fills what is missing of a cut file with anything."""
    with Image.open(BytesIO(encoded), formats=FORMATS) as image:
        return np.array(image if image.mode == 'L' else image.convert('RGB'))
