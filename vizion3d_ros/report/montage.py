# SPDX-License-Identifier: Apache-2.0
"""One picture of a run: photo, maps in colour with their scales, and the figures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from vizion3d_ros.report.metrics import measured

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]
    FloatMap = NDArray[np.floating[Any]]
    Color = tuple[int, int, int]
    Rows = Sequence[tuple[str, str]]

PANEL_WIDTH = 560
MARGIN, HEADING, FOOTER, BAR = 24, 34, 44, 12
PAPER, INK, FAINT, ALERT = (250, 250, 250), (40, 36, 32), (130, 124, 118), (40, 40, 190)
NO_ANSWER, NO_TRUTH = (0, 0, 0), (120, 120, 120)
DISAGREES = (220, 0, 220)
MEANINGS = {
    NO_ANSWER: 'no measurement',
    NO_TRUTH: 'no ground truth',
    DISAGREES: 'point that disagrees with the depth',
}
FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True, slots=True)
class Scale:
    """Colours of a range of values. A logarithmic one needs low > 0; reverse starts at the end."""

    low: float
    high: float
    unit: str
    colormap: int
    logarithmic: bool = False
    reverse: bool = False

    def level(self, values: FloatMap) -> FloatMap:
        """Place values of any shape on 0..1; those outside the range end at its ends."""
        low, high, placed = self.low, self.high, values
        if self.logarithmic:
            low, high = np.log(low), np.log(high)
            placed = np.log(np.maximum(values, self.low))
        return np.asarray(np.clip((placed - low) / (high - low), 0.0, 1.0))

    def color(self, level: FloatMap) -> Picture:
        """Colour levels of 0..1, float (H, W), as uint8 (H, W, 3) BGR."""
        rank = np.rint(255 * (1 - level if self.reverse else level)).astype(np.uint8)
        return np.asarray(cv2.applyColorMap(rank, self.colormap), np.uint8)

    def tick(self, position: float) -> str:
        """Label the value at this position of the bar, 0 left to 1 right."""
        if self.logarithmic:
            value = self.low * (self.high / self.low) ** position
        else:
            value = self.low + (self.high - self.low) * position
        return f'{value:.{3 if value < 1000 else 4}g} {self.unit}'.rstrip()


@dataclass(frozen=True, slots=True)
class Panel:
    """A titled picture, uint8 (H, W, 3) BGR, the scale of its colours and those outside it."""

    title: str
    picture: Picture
    scale: Scale | None = None
    marks: tuple[Color, ...] = ()


def depth_scale(depth_m: FloatMap, outliers: float) -> Scale | None:
    """
    Span the depths of a map, float (H, W) metres, near red; None without any.

    outliers: percent of the depths left out at each end.
    """
    span = _span(depth_m, outliers)
    return Scale(*span, 'm', cv2.COLORMAP_TURBO, logarithmic=True, reverse=True) if span else None


def disparity_scale(disparity: FloatMap, outliers: float) -> Scale | None:
    """Span the disparities of a map, float (H, W) pixels, near red, as `depth_scale` does."""
    span = _span(disparity, outliers)
    return Scale(*span, 'px', cv2.COLORMAP_TURBO) if span else None


def relative_scale(relative: FloatMap, outliers: float) -> Scale | None:
    """Span a relative answer, float (H, W), near bright, as `depth_scale` does."""
    span = _span(relative, outliers)
    return Scale(*span, '', cv2.COLORMAP_VIRIDIS) if span else None


def photo(title: str, image: NDArray[np.uint8]) -> Panel:
    """Show an image, uint8 (H, W) grey or (H, W, 3) RGB."""
    code = cv2.COLOR_GRAY2BGR if image.ndim == 2 else cv2.COLOR_RGB2BGR
    return Panel(title, np.asarray(cv2.cvtColor(np.ascontiguousarray(image), code), np.uint8))


def chart(title: str, values: FloatMap, scale: Scale, empty: Color = NO_ANSWER) -> Panel:
    """Show a map, float (H, W), in the colours of a scale; NaN and infinite in `empty` (BGR)."""
    finite = np.isfinite(values)
    level = scale.level(np.where(finite, values, scale.low))
    picture = scale.color(level)
    picture[~finite] = empty
    return Panel(title, picture, scale, (empty,))


def error_chart(title: str, error: FloatMap, truth: FloatMap, scale: Scale) -> Panel:
    """Show an error map (H, W): NaN is black where truth (H, W) is known, grey where not."""
    panel = chart(title, error, scale)
    panel.picture[~measured(truth)] = NO_TRUTH
    return replace(panel, marks=(NO_ANSWER, NO_TRUTH))


def montage(panels: Sequence[Panel], notes: Rows = (), remark: str = '') -> Picture:
    """
    Lay panels out in rows of up to three, a card with remark and notes (name, value) after them.

    Gives uint8 (H, W, 3) BGR. Without panels there is only the notes' card.
    """
    tiles = [_tile(panel) for panel in panels]
    height = max([tile.shape[0] for tile in tiles], default=HEADING + 320)
    marks = dict.fromkeys(mark for panel in panels for mark in panel.marks)
    tiles.append(_card(remark, notes, marks, height))
    columns = 2 if len(tiles) == 4 else min(3, len(tiles))
    tiles += [_paper(height)] * (-len(tiles) % columns)
    padded = [_extend(tile, height) for tile in tiles]
    rows = [np.hstack(padded[i : i + columns]) for i in range(0, len(padded), columns)]
    return _extend(np.vstack(rows), height * len(rows) + MARGIN, MARGIN)


def _span(values: FloatMap, outliers: float) -> tuple[float, float] | None:
    known = values[measured(values)]
    if known.size == 0:
        return None
    low, high = (float(value) for value in np.percentile(known, (outliers, 100 - outliers)))
    return low, max(high, 1.01 * low)


def _tile(panel: Panel) -> Picture:
    source_height, source_width = panel.picture.shape[:2]
    height = round(source_height * PANEL_WIDTH / source_width)
    shrinks = source_width > PANEL_WIDTH
    method = cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST
    picture = cv2.resize(panel.picture, (PANEL_WIDTH, height), interpolation=method)
    tile = _paper(HEADING + height + FOOTER)
    tile[HEADING : HEADING + height, MARGIN:] = picture
    size = 0.62 * min(1.0, PANEL_WIDTH / text_width(panel.title, 0.62, 2))
    write(tile, panel.title, MARGIN, HEADING - 10, size=size, weight=2)
    if panel.scale:
        _draw_scale(tile, panel.scale, HEADING + height + 8)
    return tile


def _draw_scale(tile: Picture, scale: Scale, top: int) -> None:
    tile[top : top + BAR, MARGIN:] = scale.color(np.linspace(0, 1, PANEL_WIDTH)[None, :])
    for position in (0.0, 0.25, 0.5, 0.75, 1.0):
        label = scale.tick(position)
        left = MARGIN + round(position * (PANEL_WIDTH - text_width(label, 0.45, 1)))
        write(tile, label, left, top + BAR + 17, size=0.45, color=FAINT)


def _card(remark: str, notes: Rows, marks: Iterable[Color], height: int) -> Picture:
    card = _paper(height)
    y = HEADING + 18
    for line in _lines(remark[:1].upper() + remark[1:], 0.62, 2):
        write(card, line, MARGIN, y, size=0.62, weight=2, color=ALERT)
        y += 32
    for name, value in notes:
        write(card, name, MARGIN, y, color=FAINT)
        write(card, value, MARGIN + 210, y)
        y += 28
    y += 10
    for mark in marks:
        cv2.rectangle(card, (MARGIN, y - 13), (MARGIN + 24, y + 3), mark, -1)
        write(card, MEANINGS[mark], MARGIN + 36, y, color=FAINT)
        y += 28
    return card


def _lines(text: str, size: float, weight: int) -> list[str]:
    """Break a text between words so that each line fits a panel."""
    lines: list[str] = []
    for word in text.split():
        longer = f'{lines[-1]} {word}' if lines else word
        if lines and text_width(longer, size, weight) <= PANEL_WIDTH:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _paper(height: int) -> Picture:
    return np.full((height, MARGIN + PANEL_WIDTH, 3), PAPER, np.uint8)


def _extend(tile: Picture, height: int, right: int = 0) -> Picture:
    below = height - tile.shape[0]
    border = cv2.copyMakeBorder(tile, 0, below, 0, right, cv2.BORDER_CONSTANT, value=PAPER)
    return np.asarray(border, np.uint8)


def text_width(text: str, size: float, weight: int = 1) -> int:
    """Width of a line of text in pixels, as `write` sets it."""
    return int(cv2.getTextSize(text, FONT, size, weight)[0][0])


def write(
    tile: Picture,
    text: str,
    x: int,
    y: int,
    *,
    size: float = 0.55,
    weight: int = 1,
    color: Color = INK,
) -> None:
    """Write on a tile, uint8 (H, W, 3), from column x on, on the base line y; color is BGR."""
    cv2.putText(tile, text, (x, y), FONT, size, color, weight, cv2.LINE_AA)
