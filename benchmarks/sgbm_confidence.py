# SPDX-License-Identifier: Apache-2.0
"""
Does confidence rank the errors, and is it the probability that it says?

    python benchmarks/sgbm_confidence.py [DATA] [--preset NAME] [--fit] [--json FILE]

DATA as in sgbm_accuracy.py. Errors are counted over matched pixels with ground truth; what was
filled has a fixed confidence of its own and is left out.

Ranking: the least sure pixels are left out one after the other, and the share of errors above
1 px of the rest is averaged over all shares kept. AUSE is that average minus the one of the
oracle, which leaves out the largest errors first; the baseline, chance, leaves out any.
Calibration: the share of errors below 1 px among pixels of about one confidence; all pairs
count alike.

--fit refits the weights over all presets: once with all pairs, and for every pair without it,
whose AUSE is then told ("held out").
"""

from __future__ import annotations

import argparse
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from machine import print_table
from sgbm_accuracy import find_scenes

from vizion3d_ros.contracts.camera import Intrinsics, StereoRig
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.engine.sgbm.confidence import cues
from vizion3d_ros.engine.sgbm.matcher import FILLED_CONFIDENCE, SgbmBackend

PRESETS = 'fast', 'balanced', 'quality'
BINS = np.linspace(0, 1, 11)  # a confidence of 1 is never given
SAMPLES = 20000  # per pair and preset, so that every pair counts alike
RIDGE = 1e-4
NEWTON_STEPS = 25


@dataclass(frozen=True)
class Answers:
    """Matched pixels of one pair with truth: arrays (n,), cues (n, 4) with a column of ones."""

    pair: str
    error: np.ndarray
    confidence: np.ndarray
    cues: np.ndarray


class CueBackend(SgbmBackend):
    """Keeps the cues of the last pair, (h, w, 3)."""

    def _match_pair(self, pair, settings, width, height):
        found, evidence = super()._match_pair(pair, settings, width, height)
        self.cues = cv2.merge(cues(found, evidence, width / found.shape[1]))
        return found, evidence


def main() -> None:
    arguments = parse_arguments()
    if arguments.data is None:
        print('skipped: sgbm_confidence needs pairs with ground truth; set VIZION3D_TEST_DATA')
        return
    matched = {name: all_answers(arguments.data, name) for name in presets(arguments)}
    ranking = list(rank(matched[arguments.preset]))
    print_table(f'Ranking by confidence, {arguments.preset}', ranking, arguments.json)
    print()
    print_table('Calibration', list(reliability(matched)))
    if arguments.fit:
        print()
        print_table('Weights', list(refit(matched)))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    recordings = os.environ.get('VIZION3D_TEST_DATA')
    parser.add_argument('data', type=Path, nargs='?', default=recordings or None)
    parser.add_argument('--preset', choices=PRESETS, default='balanced')
    parser.add_argument('--fit', action='store_true', help='refit, also without each pair')
    parser.add_argument('--json', type=Path, metavar='FILE', help='also write the ranking there')
    return parser.parse_args()


def presets(arguments: argparse.Namespace) -> tuple[str, ...]:
    return PRESETS if arguments.fit else (arguments.preset,)


def all_answers(data: Path, preset: str) -> list[Answers]:
    scenes = find_scenes(data)
    if not scenes:
        raise SystemExit(f'no pair with disparity.npz in {data}')
    return [answers(scene, preset) for scene in scenes]


def answers(scene: Path, preset: str) -> Answers:
    left, right = (cv2.imread(str(scene / f'{side}.png')) for side in ('left', 'right'))
    truth = np.load(scene / 'disparity.npz')['disparity']
    height, width = truth.shape
    count = 16 * int(np.ceil((np.nanmax(truth) + 1) / 16))
    settings = StereoSettings.model_validate(
        {'sgbm': {'disparity_range': count, 'preset': preset}}
    )
    rig = StereoRig(left=Intrinsics.from_field_of_view(width, height, 60.0), baseline_m=None)
    backend = CueBackend()
    result = backend.match(left, right, rig, settings)
    error = np.abs(result.disparity - truth)
    chosen = np.flatnonzero(
        np.isfinite(error) & (result.confidence != np.float32(FILLED_CONFIDENCE))
    )
    chosen = np.random.default_rng(0).permutation(chosen)[:SAMPLES]
    enlarged = cv2.resize(backend.cues, (width, height)).reshape(-1, 3)[chosen]
    return Answers(
        scene.name,
        error.ravel()[chosen],
        result.confidence.ravel()[chosen],
        np.column_stack([enlarged, np.ones(len(chosen))]),
    )


def rank(matched: list[Answers]) -> Iterator[dict[str, object]]:
    rows = [
        (100 * (a.error > 1).mean(), 100 * ause(a.confidence, a.error), 100 * chance(a.error))
        for a in matched
    ]
    names = [a.pair for a in matched]
    for name, row in zip([*names, 'mean'], [*rows, np.mean(rows, axis=0)], strict=True):
        yield {
            'pair': name,
            'bad-1 of matched %': f'{row[0]:.1f}',
            'AUSE': f'{row[1]:.2f}',
            'AUSE of chance': f'{row[2]:.2f}',
        }


def ause(confidence: np.ndarray, error: np.ndarray) -> float:
    """Area between the sparsification curves of confidence and of the oracle, in shares."""
    bad = (error > 1).astype(float)
    kept = np.arange(1, len(bad) + 1)
    by_confidence = bad[np.argsort(-confidence, kind='stable')]
    curves = [np.cumsum(order) / kept for order in (by_confidence, np.sort(bad))]
    return float((curves[0] - curves[1]).mean())


def chance(error: np.ndarray) -> float:
    return ause(np.random.default_rng(1).random(len(error)), error)


def reliability(matched: dict[str, list[Answers]]) -> Iterator[dict[str, object]]:
    for preset, pairs in matched.items():
        sure = np.concatenate([a.confidence for a in pairs])
        right = np.concatenate([a.error < 1 for a in pairs])
        for low, high in itertools.pairwise(BINS):
            inside = (sure >= low) & (sure < high)
            if inside.any():
                yield {
                    'preset': preset,
                    'confidence': f'{low:.1f} to {high:.1f}',
                    'mean': f'{sure[inside].mean():.2f}',
                    'errors below 1 px': f'{right[inside].mean():.2f}',
                    'pixels %': f'{100 * inside.mean():.1f}',
                }


def refit(matched: dict[str, list[Answers]]) -> Iterator[dict[str, object]]:
    pairs = [a for answered in matched.values() for a in answered]
    yield {'fitted on': 'all pairs', 'weights and bias': fit(pairs).round(3), 'held out': ''}
    for name in sorted({a.pair for a in pairs}):
        weights = fit([a for a in pairs if a.pair != name])
        held = [100 * ause(a.cues @ weights, a.error) for a in pairs if a.pair == name]
        told = ' / '.join(f'{value:.2f}' for value in held)
        yield {
            'fitted on': f'all but {name}',
            'weights and bias': weights.round(3),
            'held out': f'AUSE {told} ({" / ".join(matched)})',
        }


def fit(pairs: list[Answers]) -> np.ndarray:
    """Weights of the cues and the bias, (4,): logistic regression by Newton's method."""
    cue = np.concatenate([a.cues for a in pairs])
    right = np.concatenate([a.error < 1 for a in pairs]).astype(float)
    weights = np.zeros(cue.shape[1])
    ridge = RIDGE * len(right) * np.diag([1.0, 1.0, 1.0, 0.0])
    for _ in range(NEWTON_STEPS):
        chance = 1 / (1 + np.exp(-cue @ weights))
        slope = cue.T @ (chance - right) + ridge @ weights
        curvature = (cue * (chance * (1 - chance))[:, None]).T @ cue + ridge
        weights -= np.linalg.solve(curvature, slope)
    return weights


if __name__ == '__main__':
    main()
