# SPDX-License-Identifier: Apache-2.0
"""Which panels a frame gets, and which figures stand beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from vizion3d_ros.contracts.topic_names import RELATIVE
from vizion3d_ros.report.metrics import absolute_error, percentiles, relative_error
from vizion3d_ros.report.montage import (
    NO_TRUTH,
    Panel,
    Scale,
    chart,
    depth_scale,
    disparity_scale,
    error_chart,
    photo,
    relative_scale,
)
from vizion3d_ros.report.spots import spots
from vizion3d_ros.report.summary import agreeing

if TYPE_CHECKING:
    from collections.abc import Callable

    from vizion3d_ros.report.montage import FloatMap
    from vizion3d_ros.report.summary import Maps, Report

PERCENT_ENDS = (0.2, 1.0, 5.0)
PIXEL_ERROR = Scale(0.0, 3.0, 'px', cv2.COLORMAP_PLASMA)
CONFIDENCE = Scale(0.0, 1.0, '', cv2.COLORMAP_VIRIDIS)


def frame_panels(maps: Maps, remark: str = '') -> list[Panel]:
    """
    Draw what the frame holds: photo, ground truth, depth (else disparity), error, confidence.

    Of one camera also the sparse depth, on the photo, and the relative answer with the remark on
    it; the depth that comes of both is then next, before its ground truth. Ground truth and answer
    share one scale, that of the ground truth where there is one. Raises InputError if they differ
    in size.
    """
    measured = _depth_panels(maps) or _disparity_panels(maps)
    if maps.relative is not None:
        measured[:2] = measured[1::-1]
    panels = [*_photo(maps), *_relative_panel(maps, remark), *measured]
    if maps.confidence is not None:
        answered = np.where(maps.confidence > 0, maps.confidence, np.nan)
        panels.append(chart('Confidence', answered, CONFIDENCE))
    return panels


def figures(report: Report) -> list[tuple[str, str]]:
    """Pick the figures that explain the picture, as (name, value) for people."""
    chosen: list[tuple[str, str, Callable[[Any], str]]] = [
        ('Valid share', 'valid_share', _percent),
        ('Depth error, median', 'depth_error_median', _percent),
        ('Depth error, p95', 'depth_error_p95', _percent),
        ('bad-1.0', 'bad_1', _percent),
        ('bad-2.0', 'bad_2', _percent),
        ('EPE', 'epe', '{:.3f} px'.format),
        ('Points that agree', 'scale_fit', _agreement),
        ('Residual, median', 'scale_fit', lambda fit: _percent(fit['residual'])),
        ('Latency, median', 'latency_ms_p50', '{:.0f} ms'.format),
    ]
    values = [(name, report.get(key), text) for name, key, text in chosen]
    rows = [(name, text(value)) for name, value, text in values if value is not None]
    return [*(_relative_figures(report) if report.get('answer') == RELATIVE else ()), *rows]


def _relative_figures(report: Report) -> list[tuple[str, str]]:
    frames = f'{report["frames_answered"]} of {report["frames_sent"]}'
    return [('Answer', 'relative, no metres'), ('Frames answered', frames)]


def _percent(share: float) -> str:
    return f'{100 * share:.2f} %'


def _agreement(fit: Report) -> str:
    return f'{100 * (agreeing(fit) or 0.0):.0f} % of {fit["points"]:.0f}'


def _photo(maps: Maps) -> list[Panel]:
    if maps.left is None:
        return []
    if maps.sparse is None:
        return [photo('Left image', maps.left)]
    scale = _common_scale(maps.sparse.depth_m, maps.true_depth_m, depth_scale)
    if scale is None:
        return [photo('Left image', maps.left)]
    return [spots('Left image and sparse depth', maps.left, maps.sparse, maps.depth_m, scale)]


def _relative_panel(maps: Maps, remark: str) -> list[Panel]:
    if maps.relative is None:
        return []
    scale = relative_scale(maps.relative, 1.0)
    title = f'Relative answer ({remark})' if remark else 'Relative answer'
    return [] if scale is None else [replace(chart(title, maps.relative, scale), marks=())]


def _depth_panels(maps: Maps) -> list[Panel]:
    if maps.depth_m is None:
        return []
    panels = _answer_panels('depth', maps.depth_m, maps.true_depth_m, depth_scale)
    if maps.true_depth_m is not None:
        error = 100 * relative_error(maps.true_depth_m, maps.depth_m)
        title = 'Error: |depth - truth| / truth'
        panels.append(error_chart(title, error, maps.true_depth_m, _percent_scale(error)))
    return panels


def _percent_scale(error: FloatMap) -> Scale:
    (most,) = percentiles(error[np.isfinite(error)], (95,))
    end = next((end for end in PERCENT_ENDS if most <= end), PERCENT_ENDS[-1])
    return Scale(0.0, end, '%', cv2.COLORMAP_PLASMA)


def _disparity_panels(maps: Maps) -> list[Panel]:
    if maps.disparity is None:
        return []
    panels = _answer_panels('disparity', maps.disparity, maps.true_disparity, disparity_scale)
    if maps.true_disparity is not None:
        error = absolute_error(maps.true_disparity, maps.disparity)
        title = 'Error: |disparity - truth|'
        panels.append(error_chart(title, error, maps.true_disparity, PIXEL_ERROR))
    return panels


def _answer_panels(
    name: str,
    answer: FloatMap,
    truth: FloatMap | None,
    scale_of: Callable[[FloatMap, float], Scale | None],
) -> list[Panel]:
    scale = _common_scale(answer, truth, scale_of)
    if scale is None:
        return []
    panels = [chart(name.capitalize(), answer, scale)]
    if truth is not None:
        panels.insert(0, chart(f'Ground truth {name}', truth, scale, empty=NO_TRUTH))
    return panels


def _common_scale(
    answer: FloatMap, truth: FloatMap | None, scale_of: Callable[[FloatMap, float], Scale | None]
) -> Scale | None:
    return (None if truth is None else scale_of(truth, 1.0)) or scale_of(answer, 10.0)
