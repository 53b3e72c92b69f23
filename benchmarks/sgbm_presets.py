# SPDX-License-Identifier: Apache-2.0
"""
Time against error of the semi-global backend: what each preset costs, and what else was possible.

    python benchmarks/sgbm_presets.py [DATA] [--json FILE]

DATA as in sgbm_accuracy.py. The figures are means over the pairs: density and bad-2 (a missing
answer counts as wrong) in percent of the ground truth, bad-1 and EPE of the answered pixels. Times
are the fastest of nine calls each, taken in turns with plain OpenCV 3way on grey images: the first
pair resized to 640x480 with 96 disparities, and to 1280x720 with 176. "of plain" is the ratio
at 1280x720, which says more than milliseconds where other work is running.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from machine import print_table
from measure import fastest_in_turns
from sgbm_accuracy import find_scenes

from vizion3d_ros.contracts.camera import Intrinsics, StereoRig
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.engine.sgbm.matcher import SgbmBackend
from vizion3d_ros.report.metrics import disparity_scores

SIZES = {(640, 480): 96, (1280, 720): 176}  # width, height: disparities searched
REPEATS = 9
PLAIN = 'OpenCV 3way'
Matcher = Callable[[np.ndarray, np.ndarray, int], np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    recordings = os.environ.get('VIZION3D_TEST_DATA')
    parser.add_argument('data', type=Path, nargs='?', default=recordings or None)
    parser.add_argument('--json', type=Path, metavar='FILE', help='also write the table there')
    arguments = parser.parse_args()
    if arguments.data is None:
        print('skipped: sgbm_presets needs pairs with ground truth; set VIZION3D_TEST_DATA')
        return
    scenes = find_scenes(arguments.data)
    if not scenes:
        raise SystemExit(f'no pair with disparity.npz in {arguments.data}')
    print_table('Presets of the semi-global backend', table(scenes), arguments.json)


def table(scenes: list[Path]) -> list[dict[str, object]]:
    matchers = {PLAIN: plain} | {name: ours(wanted) for name, wanted in variants().items()}
    times = {size: times_of(matchers, scenes[0], size) for size in SIZES}
    rows = []
    for name, matcher in matchers.items():
        scores = np.mean([score(scene, matcher) for scene in scenes], axis=0)
        row: dict[str, object] = {
            'settings': name,
            **dict(zip(('density %', 'bad-2 %'), np.round(100 * scores[:2], 2), strict=True)),
            'bad-1 of answered %': round(100 * scores[2], 2),
            'epe px': round(scores[3], 3),
        }
        row |= {f'ms {w}x{h}': round(times[w, h][name]) for w, h in SIZES}
        row['of plain'] = round(times[1280, 720][name] / times[1280, 720][PLAIN], 2)
        rows.append(row)
    return rows


def variants() -> dict[str, dict[str, object]]:
    presets = {f'{name}': {'preset': name} for name in ('fast', 'balanced', 'quality')}
    dense = {f'{name}, dense': {**wanted, 'fill': 'dense'} for name, wanted in presets.items()}
    shares = ((0.5, 1.0), (0.75, 0.75), (0.75, 1.0), (1.0, 0.5))
    others = {
        f'width {width:g}, height {height:g}': {'width_scale': width, 'height_scale': height}
        for width, height in shares
    }
    return presets | dense | others | {'quality, hh': {'preset': 'quality', 'sgbm_mode': 'hh'}}


def ours(wanted: dict[str, object]) -> Matcher:
    backend = SgbmBackend()

    def match(left: np.ndarray, right: np.ndarray, count: int) -> np.ndarray:
        height, width = left.shape[:2]
        settings = StereoSettings.model_validate({'sgbm': {'disparity_range': count, **wanted}})
        rig = StereoRig(left=Intrinsics.from_field_of_view(width, height, 60.0), baseline_m=None)
        return backend.match(left, right, rig, settings).disparity

    return match


def plain(left: np.ndarray, right: np.ndarray, count: int) -> np.ndarray:
    """Plain OpenCV with the penalties of our defaults, without its speckle filter."""
    sgbm = StereoSettings().sgbm
    matcher = cv2.StereoSGBM_create(
        minDisparity=0,
        numDisparities=count,
        blockSize=sgbm.correlation_window_size,
        P1=round(sgbm.P1),
        P2=round(sgbm.P2),
        disp12MaxDiff=sgbm.disp12_max_diff,
        preFilterCap=sgbm.prefilter_cap,
        uniquenessRatio=round(sgbm.uniqueness_ratio),
        mode=cv2.STEREO_SGBM_MODE_SGBM_3WAY,
    )
    found = matcher.compute(*(cv2.cvtColor(view, cv2.COLOR_BGR2GRAY) for view in (left, right)))
    return np.where(found < 0, np.float32(np.nan), found / np.float32(16))


def read(scene: Path) -> list[np.ndarray]:
    return [cv2.imread(str(scene / f'{side}.png')) for side in ('left', 'right')]


def times_of(matchers: dict[str, Matcher], scene: Path, size: tuple[int, int]) -> dict[str, float]:
    views = [cv2.resize(view, size, interpolation=cv2.INTER_AREA) for view in read(scene)]

    def call(matcher: Matcher) -> Callable[[], object]:
        return lambda: matcher(*views, SIZES[size])

    calls = {name: call(matcher) for name, matcher in matchers.items()}
    for warm_up in calls.values():
        warm_up()
    return fastest_in_turns(calls, REPEATS)


def score(scene: Path, matcher: Matcher) -> tuple[float, float, float, float]:
    truth = np.load(scene / 'disparity.npz')['disparity']
    count = 16 * int(np.ceil((np.nanmax(truth) + 1) / 16))
    scores = disparity_scores(truth, matcher(*read(scene), count))
    return scores.density, scores.bad_2, scores.bad_1_answered, scores.epe


if __name__ == '__main__':
    main()
