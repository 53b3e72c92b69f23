# SPDX-License-Identifier: Apache-2.0
"""What an encoding's name says: element type, channels, and how OpenCV converts between two."""

import re

import cv2
import numpy as np

DEPTHS = {
    '8U': np.uint8,
    '8S': np.int8,
    '16U': np.uint16,
    '16S': np.int16,
    '32S': np.int32,
    '32F': np.float32,
    '64F': np.float64,
}

# Colour family -> OpenCV's word for it. OpenCV names a Bayer pattern by the second row's second
# and third pixel, ROS by the first row's first two: BG there is rggb here.
FAMILIES = {
    'mono': 'GRAY',
    'rgb': 'RGB',
    'bgr': 'BGR',
    'rgba': 'RGBA',
    'bgra': 'BGRA',
    'yuv422': 'UYVY',
    'yuv422_yuy2': 'YUY2',
    'bayer_rggb': 'BayerBG',
    'bayer_bggr': 'BayerRG',
    'bayer_gbrg': 'BayerGR',
    'bayer_grbg': 'BayerGB',
}
CHANNELS = {'rgb': 3, 'bgr': 3, 'rgba': 4, 'bgra': 4, 'yuv422': 2, 'yuv422_yuy2': 2}

_COLOUR = re.compile(r'(mono|rgba?|bgra?|bayer_(?:rggb|bggr|gbrg|grbg))(8|16)')
_GENERIC = re.compile(r'(8U|8S|16U|16S|32S|32F|64F)(?:C([1-9][0-9]*))?')


def layout(encoding):
    """Return the NumPy type and the number of channels of `encoding`, or raise ValueError."""
    if match := _GENERIC.fullmatch(encoding):
        return np.dtype(DEPTHS[match[1]]), int(match[2] or 1)
    name = family(encoding)
    if name is None:
        raise ValueError(f'Unrecognized image encoding [{encoding}]')
    bits = 16 if encoding.endswith('16') else 8
    return np.dtype(DEPTHS[f'{bits}U']), CHANNELS.get(name, 1)


def family(encoding):
    """Return the colour family of `encoding`; None where the name says nothing of colour."""
    if encoding in ('yuv422', 'yuv422_yuy2'):
        return encoding
    match = _COLOUR.fullmatch(encoding)
    return match[1] if match else None


def convert(image, source, target):
    """Convert the image, shape (h, w) or (h, w, c), from encoding `source` to `target`."""
    if source == target:
        return image
    (source_type, source_channels), (target_type, target_channels) = layout(source), layout(target)
    if family(source) is None or family(target) is None:
        _require_plain(source, target, source_channels == target_channels)
    elif family(source) != family(target):
        image = cv2.cvtColor(image, _code(source, target))
    return _rescale(image, source_type, target_type)


def _require_plain(source, target, same_channels):
    if family(source) is None and family(target) is not None:
        raise ValueError(f'[{source}] is not a color format but [{target}] is')
    if not same_channels:
        raise ValueError(f'[{source}] and [{target}] differ in their number of channels')


def _code(source, target):
    start, goal = FAMILIES[family(source)], FAMILIES[family(target)]
    name = f'YUV2{goal}_{start}' if start in ('UYVY', 'YUY2') else f'{start}2{goal}'
    code = getattr(cv2, f'COLOR_{name}', None)
    if code is None:
        raise ValueError(f'Unsupported conversion from [{source}] to [{target}]')
    return code


def _rescale(image, source_type, target_type):
    """Change the element type; 8 and 16 bit map full range to full range, others keep values."""
    if source_type == target_type:
        return image
    widths = {(1, 2): 65535 / 255, (2, 1): 255 / 65535}
    scale = widths.get((source_type.itemsize, target_type.itemsize), 1.0)
    scaled = image * scale
    if target_type.kind in 'iu':
        limits = np.iinfo(target_type)
        scaled = np.clip(np.rint(scaled), limits.min, limits.max)
    return scaled.astype(target_type)
