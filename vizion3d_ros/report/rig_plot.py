# SPDX-License-Identifier: Apache-2.0
"""What a stereo rig will measure, as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vizion3d_ros.report.diagram import LEFT, WIDTH, Curve, diagram
from vizion3d_ros.report.montage import FAINT, PAPER, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vizion3d_ros.geometry.rig_table import RigTable
    from vizion3d_ros.report.montage import Picture

HEADER = 74
BLUE, ORANGE, RED = (176, 114, 0), (0, 120, 220), (60, 60, 190)  # BGR
BEYOND = 1.2  # how far the axes reach beyond the outermost depths, as a factor


def rig_plot(
    table: RigTable, depths_mm: Sequence[float], share: float, lines: Sequence[str]
) -> Picture:
    """
    Draw disparity and depth error over depth, uint8 (H, W, 3) BGR.

    depths_mm: at least one, each gets a dot. share: largest error that is usable, as a fraction
    of the depth; the usable depths lie on green. lines: two to set above it.
    """
    usable = table.nearest_mm, table.farthest_mm(share)
    ends = *depths_mm, *usable
    span = min(ends) / BEYOND, max(ends) * BEYOND
    pictures = [
        diagram(title, 'depth, mm', curves, span, usable)
        for title, curves in (
            ('Disparity, px', _disparities(table, depths_mm)),
            ('Error of the depth, %', _errors(table, depths_mm, share)),
        )
    ]
    header = np.full((HEADER, 2 * WIDTH, 3), PAPER, np.uint8)
    write(header, lines[0], LEFT, 38, size=0.7, weight=2)
    write(header, lines[1], LEFT, 66, color=FAINT)
    return np.vstack([header, np.hstack(pictures)])


def _disparities(table: RigTable, depths_mm: Sequence[float]) -> list[Curve]:
    width, height = table.matched_size
    matched = Curve(
        f'at {width}x{height}', BLUE, lambda depth: table.row(depth).matched, depths_mm
    )
    if table.matching.scale == 1:
        return [matched]
    camera = table.camera
    full = f'at {camera.width}x{camera.height}'
    return [matched, Curve(full, FAINT, lambda depth: table.row(depth).disparity, depths_mm)]


def _errors(table: RigTable, depths_mm: Sequence[float], share: float) -> list[Curve]:
    matching = table.matching
    return [
        Curve(f'usable up to {100 * share:g} %', RED, lambda depth: 100 * share),
        Curve(
            f'matched {matching.disparity_error:g} px off',
            ORANGE,
            lambda depth: 100 * table.row(depth).error_share,
            depths_mm,
        ),
        Curve(
            f'one step, {matching.disparity_step:g} px',
            BLUE,
            lambda depth: 100 * table.row(depth).step_mm / depth,
            depths_mm,
        ),
    ]
