# SPDX-License-Identifier: Apache-2.0
"""Which panels a frame gets, and which figures stand beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from vizion3d_ros.report.metrics import absolute_error, relative_error
from vizion3d_ros.report.montage import (
    NO_TRUTH,
    Panel,
    Scale,
    chart,
    depth_scale,
    disparity_scale,
    error_chart,
    photo,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from vizion3d_ros.report.montage import FloatMap
    from vizion3d_ros.report.summary import Maps, Report

PERCENT_ERROR = Scale(0.0, 5.0, '%', cv2.COLORMAP_PLASMA)
PIXEL_ERROR = Scale(0.0, 3.0, 'px', cv2.COLORMAP_PLASMA)
CONFIDENCE = Scale(0.0, 1.0, '', cv2.COLORMAP_VIRIDIS)


def stereo_panels(maps: Maps) -> list[Panel]:
    """
    Draw what the frame holds: photo, ground truth, depth (else disparity), error, confidence.

    Ground truth and answer share one scale, that of the ground truth where there is one.
    Raises InputError if ground truth and answer differ in size.
    """
    panels = [] if maps.left is None else [photo('Left image', maps.left)]
    panels += _depth_panels(maps) or _disparity_panels(maps)
    if maps.confidence is not None:
        answered = np.where(maps.confidence > 0, maps.confidence, np.nan)
        panels.append(chart('Confidence', answered, CONFIDENCE))
    return panels


def figures(report: Report) -> list[tuple[str, str]]:
    """Pick the figures that explain the picture, as (name, value) for people."""
    chosen = [
        ('Valid share', 'valid_share', _percent),
        ('Depth error, median', 'depth_error_median', _percent),
        ('Depth error, p95', 'depth_error_p95', _percent),
        ('bad-1.0', 'bad_1', _percent),
        ('bad-2.0', 'bad_2', _percent),
        ('EPE', 'epe', '{:.3f} px'.format),
        ('Latency, median', 'latency_ms_p50', '{:.0f} ms'.format),
    ]
    values = [(name, report.get(key), text) for name, key, text in chosen]
    return [(name, text(value)) for name, value, text in values if value is not None]


def _percent(share: float) -> str:
    return f'{100 * share:.2f} %'


def _depth_panels(maps: Maps) -> list[Panel]:
    if maps.depth_m is None:
        return []
    panels = _answer_panels('depth', maps.depth_m, maps.true_depth_m, depth_scale)
    if maps.true_depth_m is not None:
        error = 100 * relative_error(maps.true_depth_m, maps.depth_m)
        title = 'Error: |depth - truth| / truth'
        panels.append(error_chart(title, error, maps.true_depth_m, PERCENT_ERROR))
    return panels


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
    scale = (None if truth is None else scale_of(truth, 1.0)) or scale_of(answer, 10.0)
    if scale is None:
        return []
    panels = [chart(name.capitalize(), answer, scale)]
    if truth is not None:
        panels.insert(0, chart(f'Ground truth {name}', truth, scale, empty=NO_TRUTH))
    return panels
