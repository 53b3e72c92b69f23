# SPDX-License-Identifier: Apache-2.0
"""The images of a request, however they come, to RGB pixels."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.image_source import ImageSource
from vizion3d_ros.contracts.settings.node_settings import RequestSettings
from vizion3d_ros.files.picture import (
    GENEROUS,
    Picture,
    PictureLimits,
    decode_picture,
    read_picture,
)


def picture_limits(settings: RequestSettings) -> PictureLimits:
    """What encoded images may be at most."""
    return PictureLimits(settings.max_pixels, settings.max_bytes)


def read_image(source: ImageSource, field: str, limits: PictureLimits = GENEROUS) -> Picture:
    """
    Give the pixels of one image: uint8 (H, W, 3) RGB, contiguous.

    source: path, encoded bytes, or uint8 (H, W, 3) RGB or (H, W) grey. Raises InputError, which
    begins with the name of the field, for everything that is not such an image.
    """
    if isinstance(source, np.ndarray):
        picture = _checked(source, field, limits)
    elif isinstance(source, (str, os.PathLike)):
        picture = read_picture(Path(os.fsdecode(source)), f'{field}: {source}', limits)
    else:
        picture = decode_picture(bytes(source), field, limits)
    if picture.ndim == 2:
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB), np.uint8)
    return picture


def read_pair(
    left: ImageSource, right: ImageSource, limits: PictureLimits = GENEROUS
) -> tuple[Picture, Picture]:
    """
    Give left_image and right_image as read_image does, each (H, W, 3).

    Raises InputError if their sizes differ.
    """
    with ThreadPoolExecutor(2) as threads:
        waiting = [
            threads.submit(read_image, source, field, limits)
            for source, field in ((left, 'left_image'), (right, 'right_image'))
        ]
    first, second = (future.result() for future in waiting)
    if first.shape != second.shape:
        raise InputError(
            f'right_image: is {_size(second)}, but left_image is {_size(first)}: the images of a '
            'rectified pair have one size'
        )
    return first, second


def _checked(pixels: np.ndarray, field: str, limits: PictureLimits) -> Picture:
    grey_or_rgb = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
    if pixels.dtype != np.uint8 or not grey_or_rgb or pixels.size == 0:
        raise InputError(
            f'{field}: expected uint8 of shape (H, W, 3) in RGB order or (H, W), '
            f'got {pixels.dtype} of shape {pixels.shape}'
        )
    if pixels.shape[0] * pixels.shape[1] > limits.max_pixels:
        raise InputError(
            f'{field}: expected at most {limits.max_pixels} pixels, got {_size(pixels)}: '
            'use a smaller image'
        )
    # What torch can take without a word: no negative strides, nothing that is read-only.
    return np.require(pixels, requirements=['C', 'W'])


def _size(picture: np.ndarray) -> str:
    return f'{picture.shape[1]}x{picture.shape[0]}'
