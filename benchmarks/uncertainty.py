# SPDX-License-Identifier: Apache-2.0
"""
Are 68 % of the errors within one deviation of depth/uncertainty, and 95 % within two?

    python benchmarks/uncertainty.py [DATA] [--json FILE]

DATA as in sgbm_accuracy.py. Z^2 / (f * B) is in depth errors and deviations alike, so they are
compared in pixels of disparity. Matched pixels with ground truth, as in sgbm_confidence.py; every
pair and preset counts alike. Baseline: one deviation for all pixels, the one that has 68 % of all
errors. Held out: the two numbers of geometry/uncertainty.py fitted without that pair.

Fitted to what each confidence needs. Errors have heavier tails than a normal distribution: the
deviation that holds 68 % of those of one confidence, and half of what holds 95 %, are up to ten
times apart where confidence is low. Their geometric mean errs by the same factor on both.
"""

from __future__ import annotations

import argparse
import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from machine import print_table
from sgbm_confidence import PRESETS, Answers, all_answers

from vizion3d_ros.geometry.uncertainty import (
    LEAST_CONFIDENCE,
    LEAST_PX,
    PX_PER_ODDS,
    disparity_deviation,
)

WANTED = np.array([0.68, 0.95])
BINS = [LEAST_CONFIDENCE, 0.2, 0.35, 0.5, 0.6, 0.7, 0.78, 0.84, 0.88]
BINS += [0.91, 0.93, 0.95, 0.96, 0.97, 0.98, 0.99, 1.0]
LEAST_TRIED, ODDS_TRIED = np.arange(0.1, 0.5, 0.02), np.arange(0.2, 4.0, 0.1)


def main() -> None:
    arguments = parse_arguments()
    if arguments.data is None:
        print('skipped: uncertainty needs pairs with ground truth; set VIZION3D_TEST_DATA')
        return
    matched = list(matched_pairs(arguments.data, PRESETS))
    print_table('Errors within 1 and 2 deviations, %', list(rows(matched)), arguments.json)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    recordings = os.environ.get('VIZION3D_TEST_DATA')
    parser.add_argument('data', type=Path, nargs='?', default=recordings or None)
    parser.add_argument('--json', type=Path, metavar='FILE', help='also write the table there')
    return parser.parse_args()


def matched_pairs(data: Path, presets: Sequence[str]) -> Iterator[Answers]:
    for preset in presets:
        yield from all_answers(data, preset)


def inside(answers: Answers) -> np.ndarray:
    """Shares of the errors within one and two deviations, (2,)."""
    deviation = disparity_deviation(torch.from_numpy(answers.confidence)).numpy()
    return shares(answers.error, deviation)


def shares(error: np.ndarray, deviation: np.ndarray | float) -> np.ndarray:
    return np.array([(error < count * deviation).mean() for count in (1, 2)])


def rows(matched: list[Answers]) -> Iterator[dict[str, object]]:
    everywhere = float(np.quantile(np.concatenate([a.error for a in matched]), WANTED[0]))
    columns = {'ours': [], 'held out': [], 'one for all': []}
    for name in sorted({a.pair for a in matched}):
        own = [a for a in matched if a.pair == name]
        numbers = fit([a for a in matched if a.pair != name])
        told = {
            'ours': [inside(a) for a in own],
            'held out': [within(a, numbers) for a in own],
            'one for all': [shares(a.error, everywhere) for a in own],
        }
        for column, values in told.items():
            columns[column] += values
        yield row(name, told, f'{numbers[0]:.2f} + {numbers[1]:.1f} odds')
    yield row('all', columns, f'{LEAST_PX} + {PX_PER_ODDS} odds (ours)')
    yield row('all: fitted anew', {}, '{:.2f} + {:.1f} odds'.format(*fit(matched)))


def row(name: str, told: dict[str, list[np.ndarray]], numbers: str) -> dict[str, object]:
    figures = {
        column: ' / '.join(f'{100 * share:.1f}' for share in np.mean(told[column], axis=0))
        if column in told
        else ''
        for column in ('ours', 'held out', 'one for all')
    }
    return {'pair': name, **figures, 'held-out deviation, px': numbers}


def fit(matched: list[Answers]) -> tuple[float, float]:
    """Least deviation and deviation per odds, nearest to what the confidences need."""
    error = np.concatenate([a.error for a in matched])
    odds_of_each = np.concatenate([odds(a) for a in matched])
    bins = np.digitize(odds_of_each, 1 / np.array(BINS[1:-1]) - 1)
    inside = [bins == number for number in np.unique(bins)]
    where = np.array([odds_of_each[chosen].mean() for chosen in inside])
    needed = np.log([needed_px(error[chosen]) for chosen in inside])
    weight = np.array([chosen.mean() for chosen in inside])

    def loss(numbers: tuple[float, float]) -> float:
        off = np.log(numbers[0] + numbers[1] * where) - needed
        return float((weight * np.square(off)).sum())

    return min(itertools.product(LEAST_TRIED, ODDS_TRIED), key=loss)


def odds(answers: Answers) -> np.ndarray:
    """Of an error above 1 px."""
    return 1 / np.maximum(answers.confidence, LEAST_CONFIDENCE) - 1


def needed_px(error: np.ndarray) -> float:
    """The deviation between the two that hold 68 % of the errors once, and 95 % twice."""
    once, twice = np.quantile(error, WANTED)
    return float(np.sqrt(once * twice / 2))


def within(answers: Answers, numbers: tuple[float, float]) -> np.ndarray:
    return shares(answers.error, numbers[0] + numbers[1] * odds(answers))


if __name__ == '__main__':
    main()
