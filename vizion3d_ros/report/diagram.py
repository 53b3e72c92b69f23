# SPDX-License-Identifier: Apache-2.0
"""Curves over two logarithmic axes, drawn with OpenCV."""

from __future__ import annotations

import math
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vizion3d_ros.report.montage import FAINT, PAPER, text_width, write

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vizion3d_ros.report.montage import Color, Picture

WIDTH, HEIGHT = 680, 500
LEFT, RIGHT, TOP, BOTTOM = 70, 626, 86, 440  # the axes, in pixels
GRID, FINE_GRID, BAND = (208, 204, 200), (232, 230, 228), (226, 242, 224)  # BGR
LABELLED = {0: range(1, 10), 1: (1, 2, 3, 5, 7), 2: (1, 2, 5), 3: (1, 2, 5)}  # by decades shown
SMALL, SWATCH = 0.45, 22
SUBPIXEL_BITS = 4


@dataclass(frozen=True, slots=True)
class Axis:
    """A logarithmic axis: values low to high, 0 < low < high, on pixels start to end."""

    low: float
    high: float
    start: int
    end: int

    def place(self, value: float) -> float:
        """Pixel of a value; one outside the axis lies at its nearer end."""
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)

    def ticks(self) -> list[tuple[float, bool]]:
        """List 1 to 9 times each power of ten in range, and whether it gets a label."""
        powers = range(math.floor(math.log10(self.low)), math.floor(math.log10(self.high)) + 1)
        labelled = LABELLED.get(round(math.log10(self.high / self.low)), (1,))
        every = [
            (digit * 10.0**power, digit in labelled) for power in powers for digit in range(1, 10)
        ]
        return [tick for tick in every if self.low <= tick[0] <= self.high]


@dataclass(frozen=True, slots=True)
class Curve:
    """A power of x times a constant, a straight line on these axes, and the x that get a dot."""

    name: str
    color: Color
    of: Callable[[float], float]
    dots: Sequence[float] = ()


def diagram(
    title: str,
    x_label: str,
    curves: Sequence[Curve],
    x_span: tuple[float, float],
    band: tuple[float, float],
) -> Picture:
    """
    Draw curves over x_span: a picture uint8 (H, W, 3) BGR of HEIGHT x WIDTH pixels.

    band: from and to which x the ground is green, nowhere if that is the wrong way round. All
    numbers > 0.
    """
    ends = [curve.of(x) for curve in curves for x in x_span]
    x, y = Axis(*x_span, LEFT, RIGHT), Axis(min(ends), max(ends), BOTTOM, TOP)
    paper = np.full((HEIGHT, WIDTH, 3), PAPER, np.uint8)
    left, right = (round(x.place(value)) for value in band)
    if left < right:
        cv2.rectangle(paper, (left, TOP), (right, BOTTOM), BAND, -1)
    _draw_grid(paper, x, y)
    for curve in curves:
        _draw_curve(paper, curve, x, y)
    _draw_titles(paper, title, x_label, curves)
    return paper


def _draw_grid(paper: Picture, x: Axis, y: Axis) -> None:
    for axis, is_x in ((x, True), (y, False)):
        for value, labelled in sorted(axis.ticks(), key=itemgetter(1)):  # labelled ones on top
            at = round(axis.place(value))
            ends = ((at, TOP), (at, BOTTOM)) if is_x else ((LEFT, at), (RIGHT, at))
            cv2.line(paper, *ends, GRID if labelled else FINE_GRID)
            if labelled:
                _draw_label(paper, f'{value:g}', at, is_x)
    cv2.rectangle(paper, (LEFT, TOP), (RIGHT, BOTTOM), FAINT)


def _draw_label(paper: Picture, label: str, at: int, is_x: bool) -> None:
    width = text_width(label, SMALL)
    x, y = (at - width // 2, BOTTOM + 20) if is_x else (LEFT - 8 - width, at + 5)
    write(paper, label, x, y, size=SMALL, color=FAINT)


def _draw_curve(paper: Picture, curve: Curve, x: Axis, y: Axis) -> None:
    def point(value: float) -> tuple[int, int]:
        return _fixed(x.place(value)), _fixed(y.place(curve.of(value)))

    ends = point(x.low), point(x.high)
    cv2.line(paper, *ends, curve.color, 2, cv2.LINE_AA, SUBPIXEL_BITS)
    for value in curve.dots:
        for radius, color in ((6, PAPER), (4, curve.color)):
            cv2.circle(paper, point(value), _fixed(radius), color, -1, cv2.LINE_AA, SUBPIXEL_BITS)


def _fixed(pixels: float) -> int:
    """Pixels as OpenCV takes fractions of them."""
    return round(pixels * 2**SUBPIXEL_BITS)


def _draw_titles(paper: Picture, title: str, x_label: str, curves: Sequence[Curve]) -> None:
    write(paper, title, LEFT, TOP - 46, size=0.62, weight=2)
    x = LEFT
    for curve in curves:
        cv2.line(paper, (x, TOP - 20), (x + SWATCH, TOP - 20), curve.color, 2, cv2.LINE_AA)
        write(paper, curve.name, x + SWATCH + 8, TOP - 15, size=SMALL)
        x += SWATCH + 8 + text_width(curve.name, SMALL) + 24
    write(paper, x_label, RIGHT - text_width(x_label, SMALL), BOTTOM + 44, size=SMALL)
