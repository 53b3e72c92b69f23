# SPDX-License-Identifier: Apache-2.0
"""
How much of a plain wall is answered, in percent of the pixels: all of it is invented.

    python benchmarks/sgbm_blank_wall.py [--json FILE]

The wall is 150 grey levels with darker corners (90), 640x480 pixels, rounded to uint8 after
noise that is independent in both images, and in the last column smeared over 3x3 pixels; 96
disparities from zero. Plain OpenCV and our defaults are those of sgbm_accuracy.py.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from machine import print_table
from sgbm_accuracy import Matcher, matchers

SHAPE = 480, 640
DISPARITIES = 96
NOISE = (0.0, 0.5, 1.0, 2.0, 3.0)  # standard deviation in grey levels
SMEARED = 2.0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--json', type=Path, metavar='FILE', help='also write the table there')
    rows = [score(name, matcher) for name, matcher in matchers(DISPARITIES, SHAPE).items()]
    print_table('Invented share of a blank wall', rows, parser.parse_args().json)


def score(name: str, matcher: Matcher) -> dict[str, object]:
    row: dict[str, object] = {'matcher': name}
    for noise in NOISE:
        row[f'noise {noise:g}: %'] = answered(matcher(*wall(noise)))
    row[f'{SMEARED:g}, smeared: %'] = answered(matcher(*wall(SMEARED, smeared=True)))
    return row


def answered(disparity: np.ndarray) -> str:
    return f'{100 * (disparity >= 0).mean():.1f}'


def wall(noise: float, smeared: bool = False) -> list[np.ndarray]:
    """Left and right image, uint8 (480, 640)."""
    y, x = (np.linspace(-1, 1, length) for length in SHAPE)
    shade = 150 - 30 * (x[None] ** 2 + y[:, None] ** 2)
    random = np.random.default_rng(0)
    noises = [random.normal(0, 1, SHAPE) for _ in range(2)]
    if smeared:
        noises = [3 * cv2.blur(independent, (3, 3)) for independent in noises]
    return [np.rint(shade + noise * one).astype(np.uint8) for one in noises]


if __name__ == '__main__':
    main()
