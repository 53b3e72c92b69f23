# SPDX-License-Identifier: Apache-2.0
"""16-bit images whose words hold fewer bits than mono16_bits says."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

from vizion3d_ros.incoming.encodings import ENCODINGS
from vizion3d_ros.incoming.images import words_of
from vizion3d_ros.incoming.messages import Image

LOOK_SECONDS = 0.5
LOOK_ROWS = 4
ENOUGH_LOOKS = 5  # exposure may begin dark
LOST_BITS = 4  # 16 grey levels are left, or fewer
BLACK = 16  # says nothing of the bits
OF_CAMERAS = (8, 10, 12)

logger = logging.getLogger(__name__)


class SignificantBits:
    """
    Notices 16-bit images whose words hold fewer bits than mono16_bits says.

    They look nearly black, with too few grey levels left to match by. `doubt` says so, '' if all
    is well; `suspected` is true as soon as it may come to that.
    """

    def __init__(self) -> None:
        self.doubt = ''
        self.suspected = False
        self._encoding = ''
        self._looked = -math.inf
        self._looks = self._greatest = 0

    def look(self, image: Image, mono16_bits: int, now: float) -> None:
        """Look, twice a second, at an image that could be decoded; now: of time.monotonic()."""
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        if image.encoding != self._encoding:
            self._encoding, self._looks, self._greatest = image.encoding, 0, 0
        self._greatest = max(self._greatest, _greatest(image))
        self._looks += 1
        before, doubt = self.doubt, _explain(self._encoding, self._greatest, mono16_bits)
        self.suspected = bool(doubt)
        self.doubt = doubt if self._looks >= ENOUGH_LOOKS else ''
        if self.doubt and not before:
            logger.warning('%s', self.doubt)


def explain_bits(images: Sequence[Image], mono16_bits: int) -> str:
    """Say of the images of one request that their words hold fewer bits; '' if they do not."""
    greatest = {image.encoding: 0 for image in images}
    for image in images:
        greatest[image.encoding] = max(greatest[image.encoding], _greatest(image))
    return '; '.join(filter(None, (_explain(*each, mono16_bits) for each in greatest.items())))


def _greatest(image: Image) -> int:
    """The greatest of the 16-bit words of an image; 0 if it has none, or is empty."""
    encoding = ENCODINGS.get(image.encoding)
    if encoding is None or encoding.word_bytes != 2 or not image.width:
        return 0
    return int(words_of(image)[::LOOK_ROWS].max())


def _explain(encoding: str, greatest: int, mono16_bits: int) -> str:
    bits = greatest.bit_length()
    if greatest < BLACK or bits > mono16_bits - LOST_BITS:
        return ''
    likely = min(of_camera for of_camera in OF_CAMERAS if of_camera >= bits)
    levels = (greatest >> (mono16_bits - 8)) + 1
    return (
        f'no value of the {encoding} images exceeds {greatest}, so mono16_bits: '
        f'{mono16_bits} leaves {levels} of 256 grey levels: set mono16_bits: {likely}, or the '
        'number of bits of the camera'
    )
