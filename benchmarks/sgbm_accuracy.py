# SPDX-License-Identifier: Apache-2.0
"""
Accuracy and time of the semi-global backend against plain OpenCV, on pairs with ground truth.

    python benchmarks/sgbm_accuracy.py [DATA] [--json FILE]

DATA (default: VIZION3D_TEST_DATA) holds one folder per pair: left.png, right.png and
disparity.npz (array disparity, float32 (H, W), left view, pixels, NaN = unknown). Both matchers
search the same disparities, from 0 to the largest true one. Plain OpenCV runs with the settings
of its own documentation (8 and 32 * channels * block², uniqueness 10, speckles 100 and 2), ours
with the defaults. bad-1 and bad-2 count a missing answer as wrong; epe is over the answered
pixels; time is the fastest of five runs, images in memory.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from machine import print_table

from vizion3d_ros.contracts.camera import Intrinsics, StereoRig
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.engine.sgbm.matcher import SgbmBackend
from vizion3d_ros.engine.sgbm.semiglobal import MODES
from vizion3d_ros.report.metrics import disparity_scores

REPEATS = 5
BLOCK = 5
Matcher = Callable[[np.ndarray, np.ndarray], np.ndarray]


def main() -> None:
    arguments = parse_arguments()
    if arguments.data is None:
        print('skipped: sgbm_accuracy needs pairs with ground truth; set VIZION3D_TEST_DATA')
        return
    rows = [row for scene in find_scenes(arguments.data) for row in score_scene(scene)]
    if not rows:
        raise SystemExit(f'no pair with disparity.npz in {arguments.data}')
    print_table('Semi-global backend against plain OpenCV', rows, arguments.json)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    recordings = os.environ.get('VIZION3D_TEST_DATA')
    parser.add_argument('data', type=Path, nargs='?', default=recordings or None)
    parser.add_argument('--json', type=Path, metavar='FILE', help='also write the table there')
    return parser.parse_args()


def find_scenes(data: Path) -> list[Path]:
    return sorted(truth.parent for truth in data.glob('*/disparity.npz'))


def score_scene(scene: Path) -> Iterator[dict[str, object]]:
    left, right = (cv2.imread(str(scene / f'{side}.png')) for side in ('left', 'right'))
    truth = np.load(scene / 'disparity.npz')['disparity']
    count = 16 * int(np.ceil((np.nanmax(truth) + 1) / 16))
    for name, matcher in matchers(count, left.shape).items():
        disparity, milliseconds = timed(matcher, left, right)
        scores = disparity_scores(truth, disparity)
        yield {
            'pair': f'{scene.name} ({count})',
            'matcher': name,
            'density %': f'{100 * scores.density:.1f}',
            'bad-1 %': f'{100 * scores.bad_1:.2f}',
            'bad-2 %': f'{100 * scores.bad_2:.2f}',
            'epe px': f'{scores.epe:.3f}',
            'ms': f'{milliseconds:.0f}',
        }


def matchers(count: int, shape: tuple[int, ...]) -> dict[str, Matcher]:
    modes = ('3way', 'sgbm', 'hh')
    plain = {f'OpenCV {mode}': plain_matcher(count, mode) for mode in modes}
    return plain | {f'ours {mode}': our_matcher(count, mode, shape) for mode in modes}


def plain_matcher(count: int, mode: str) -> Matcher:
    matcher = cv2.StereoSGBM_create(
        minDisparity=0,
        numDisparities=count,
        blockSize=BLOCK,
        P1=8 * 3 * BLOCK**2,
        P2=32 * 3 * BLOCK**2,
        disp12MaxDiff=1,
        preFilterCap=63,
        uniquenessRatio=10,
        speckleWindowSize=100,
        speckleRange=2,
        mode=MODES[mode],
    )
    return lambda left, right: matcher.compute(left, right).astype(np.float32) / 16


def our_matcher(count: int, mode: str, shape: tuple[int, ...]) -> Matcher:
    backend = SgbmBackend()
    settings = StereoSettings.model_validate(
        {'sgbm': {'disparity_range': count, 'sgbm_mode': mode}}
    )
    left = Intrinsics.from_field_of_view(shape[1], shape[0], 60.0)
    rig = StereoRig(left=left, baseline_m=None)
    return lambda left, right: backend.match(left, right, rig, settings).disparity


def timed(matcher: Matcher, left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, float]:
    fastest, disparity = float('inf'), left
    for _ in range(REPEATS):
        start = time.perf_counter()
        disparity = matcher(left, right)
        fastest = min(fastest, time.perf_counter() - start)
    return disparity, 1e3 * fastest


if __name__ == '__main__':
    main()
