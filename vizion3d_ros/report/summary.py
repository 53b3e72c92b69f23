# SPDX-License-Identifier: Apache-2.0
"""A recording as numbers: the report, and the report as a table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vizion3d_ros.report import metrics, recording

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from vizion3d_ros.contracts.camera import StereoRig
    from vizion3d_ros.contracts.metric_scale import SparseDepth
    from vizion3d_ros.report.recording import Frame, Recording

    FloatMap = NDArray[np.floating[Any]]

Report = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Maps:
    """
    One frame, ready to be scored and drawn; None = did not come.

    left: uint8 (H, W) or (H, W, 3) RGB. The others are float (H, W): depth in metres, disparity
    in pixels as x_left - x_right (without doffs), confidence in 0..1; NaN = no measurement.
    relative: inverse depth up to scale and shift. sparse: measured points in the left image.
    """

    left: NDArray[np.uint8] | None = None
    depth_m: FloatMap | None = None
    disparity: FloatMap | None = None
    confidence: FloatMap | None = None
    true_depth_m: FloatMap | None = None
    true_disparity: FloatMap | None = None
    relative: FloatMap | None = None
    sparse: SparseDepth | None = None

    @classmethod
    def from_frame(
        cls, frame: Frame, rig: StereoRig | None, sparse: SparseDepth | None = None
    ) -> Maps:
        """
        Take a recorded frame, whose disparity is corrected by doffs, 0 = no measurement.

        Without recorded ground-truth depth, that of the ground-truth disparity is used. Without
        a rig, doffs is taken as 0.
        """
        doffs = rig.doffs if rig else 0.0
        disparity = frame.get(recording.DISPARITY)
        true_disparity = frame.get(recording.TRUE_DISPARITY)
        true_depth_m = frame.get(recording.TRUE_DEPTH)
        if disparity is not None:
            disparity = np.where(metrics.measured(disparity), disparity - doffs, np.nan)
        if true_depth_m is None and true_disparity is not None and rig:
            true_depth_m = depth_of(true_disparity, rig)
        return cls(
            left=frame.get(recording.LEFT),
            depth_m=frame.get(recording.DEPTH),
            disparity=disparity,
            confidence=frame.get(recording.CONFIDENCE),
            true_depth_m=true_depth_m,
            true_disparity=true_disparity,
            relative=frame.get(recording.RELATIVE),
            sparse=sparse,
        )


def depth_of(true_disparity: FloatMap, rig: StereoRig) -> FloatMap | None:
    """
    Give ground truth in metres, float (H, W), NaN = unknown; None without a baseline.

    true_disparity: float (H, W), x_left - x_right in pixels, NaN = unknown.
    """
    if rig.focal_baseline is None:
        return None
    corrected = true_disparity + rig.doffs
    corrected[corrected <= 0] = np.nan
    return rig.focal_baseline / corrected


def summarize(run: Recording, rig: StereoRig | None) -> Report:
    """
    Give the report as plain JSON values; None where there is nothing to measure.

    frames_sent is the number of frames of which anything came, until `count_sent` corrects it.
    Latency is receive time minus header stamp of the answer (depth, without a calibration
    disparity, without a scale the relative one) in milliseconds. Scores pool the kept frames,
    frames_scored of them.
    """
    frames = [Maps.from_frame(frame, rig) for frame in run.kept.values()]
    p50, p95 = metrics.percentiles([age / 1e6 for age in run.answer_ages_ns], (50, 95))
    report: Report = {
        'frames_sent': run.frames_seen,
        'frames_answered': len(run.answer_ages_ns),
        'answer': run.answer_topic if run.answer_ages_ns else None,
        'rate_hz': _rate_hz(run),
        'latency_ms_p50': p50,
        'latency_ms_p95': p95,
        'valid_share': metrics.NO_VALUE,
        'depth_error_median': metrics.NO_VALUE,
        'depth_error_p95': metrics.NO_VALUE,
        'messages_lost': sum(run.lost().values()),
        'frames_scored': 0,
        'received': run.received(),
        'lost': run.lost(),
    }
    report.update(_depth_part(frames))
    report.update(_disparity_part(frames))
    return {key: None if _is_nan(value) else value for key, value in report.items()}


def count_sent(report: Report, frames_sent: int) -> Report:
    """Correct a report by what the source says it sent on each of its topics."""
    lost = dict(report['lost'])
    for topic in recording.FROM_SOURCE:
        if topic in lost:
            lost[topic] = max(lost[topic], frames_sent - report['received'][topic])
    corrected = {'frames_sent': frames_sent, 'lost': lost, 'messages_lost': sum(lost.values())}
    return {**report, **corrected}


def table(report: Report) -> str:
    """Lay the report out in aligned lines; rows without a value are left out."""
    scored = f'{report["frames_scored"]} frames, evenly spread'
    unanswered = report['frames_sent'] - report['frames_answered']
    fit = report.get('scale_fit') or {}
    rows = [
        ('frames in', _number(report['frames_sent'], 'd'), ''),
        ('frames out', _number(report['frames_answered'], 'd'), _skipped(unanswered)),
        ('rate', _number(report['rate_hz'], '.1f', ' Hz'), ''),
        ('latency p50', _number(report['latency_ms_p50'], '.1f', ' ms'), 'stamp to arrival'),
        ('latency p95', _number(report['latency_ms_p95'], '.1f', ' ms'), ''),
        ('valid share', _percent(report['valid_share']), f'over {scored}'),
        ('depth error median', _percent(report['depth_error_median']), 'of the true depth'),
        ('depth error p95', _percent(report['depth_error_p95']), ''),
        ('density', _percent(report.get('density')), 'of the pixels with ground truth'),
        ('bad-1.0', _percent(report.get('bad_1')), 'missing answers counted as wrong'),
        ('bad-2.0', _percent(report.get('bad_2')), ''),
        ('bad-1.0 answered', _percent(report.get('bad_1_answered')), 'of the answered pixels'),
        ('bad-2.0 answered', _percent(report.get('bad_2_answered')), ''),
        ('EPE', _number(report.get('epe'), '.3f', ' px'), 'of the answered pixels'),
        ('points that agree', _percent(agreeing(fit)), _fitted(fit)),
        ('fit residual', _percent(fit.get('residual')), 'median depth error of these points'),
        ('messages lost', _number(report['messages_lost'], 'd'), _losses(report['lost'])),
    ]
    lines = [f'{name:<20}{value:>12}   {note}'.rstrip() for name, value, note in rows if value]
    return '\n'.join(lines)


def agreeing(fit: Report) -> float | None:
    """Share of the sparse depth that agrees with the fit of scale and shift; None without."""
    return fit['inliers'] / fit['points'] if fit.get('points') else None


def _rate_hz(run: Recording) -> float:
    duration_ns, answers = run.last_ns - run.first_ns, len(run.answer_ages_ns)
    return (answers - 1) * 1e9 / duration_ns if duration_ns > 0 else metrics.NO_VALUE


def _depth_part(frames: list[Maps]) -> Report:
    answers = [f.disparity if f.depth_m is None else f.depth_m for f in frames]
    part: Report = {'valid_share': metrics.valid_share(_pool(a for a in answers if a is not None))}
    part['frames_scored'] = sum(answer is not None for answer in answers)
    pairs = [(f.true_depth_m, f.depth_m) for f in frames]
    both = [(truth, depth) for truth, depth in pairs if truth is not None and depth is not None]
    if both:
        scores = metrics.depth_scores(_pool(t for t, _ in both), _pool(d for _, d in both))
        part['depth_error_median'] = scores.error_median
        part['depth_error_p95'] = scores.error_p95
    return part


def _disparity_part(frames: list[Maps]) -> Report:
    pairs = [(f.true_disparity, f.disparity) for f in frames]
    both = [(truth, found) for truth, found in pairs if truth is not None and found is not None]
    if not both:
        return {}
    scores = metrics.disparity_scores(_pool(t for t, _ in both), _pool(f for _, f in both))
    return {name: getattr(scores, name) for name in scores.__slots__}


def _pool(maps: Iterable[FloatMap]) -> FloatMap:
    flat = [values.ravel() for values in maps]
    return np.concatenate(flat) if flat else np.empty(0)


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _number(value: float | None, form: str, unit: str = '') -> str:
    return '' if value is None else f'{value:{form}}{unit}'


def _percent(share: float | None) -> str:
    return '' if share is None else f'{100 * share:.2f} %'


def _skipped(frames: int) -> str:
    return f'{frames} not answered; a busy node skips to the newest' if frames else ''


def _fitted(fit: Report) -> str:
    return f'of {fit["points"]:.0f}, with scale and shift of the newest fit' if fit else ''


def _losses(lost: dict[str, int]) -> str:
    return ', '.join(f'{topic}: {count}' for topic, count in lost.items() if count)
