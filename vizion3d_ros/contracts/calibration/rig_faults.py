# SPDX-License-Identifier: Apache-2.0
"""What two CameraInfo say that no rectified pair can be, and baselines that no rig has."""

from __future__ import annotations

from collections.abc import Iterator

from vizion3d_ros.contracts.calibration.camera import CameraCalibration
from vizion3d_ros.contracts.calibration.faults import Fault, Severity
from vizion3d_ros.contracts.camera import Intrinsics

FOCAL_TOLERANCE = 0.005  # relative; more than this shears depth by over 0.5 % across the image
ROW_TOLERANCE_PX = 1.0  # matchers search one row, one pixel off already costs matches
NEGLIGIBLE = 1e-3  # of the baseline
BASELINE_CURE = 'fix the stereo calibration or set the parameter baseline_m'

# Rigs are 5 mm (endoscopes) to 3 m (vehicles) wide; the narrowest camera of 50 mm in centimetres
# reads 5 m.
BASELINES_M = (0.001, 4.0)
LIKELY_M = (0.01, 1.0)


def pair_faults(left: CameraCalibration, right: CameraCalibration) -> list[Fault]:
    """Say why the images cannot be matched row by row."""
    return [*_vertical(left, right), *_not_rectified(left.intrinsics(), right.intrinsics())]


def _vertical(left: CameraCalibration, right: CameraCalibration) -> Iterator[Fault]:
    across = max(abs(left.p[3]), abs(right.p[3]))
    for side, down in (('left', left.p[7]), ('right', right.p[7])):
        if abs(down) > NEGLIGIBLE * across:
            yield Fault(
                Severity.NO_OUTPUT,
                f'{side} camera_info has P[7] = {down:g} where 0 is expected: a vertical baseline '
                'is not supported; rectify as a horizontal pair, with P[3] of the right camera',
            )


def _not_rectified(left: Intrinsics, right: Intrinsics) -> list[Fault]:
    pairs = [
        ('image width', left.width, right.width, 0.0),
        ('image height', left.height, right.height, 0.0),
        ('fx', left.fx, right.fx, FOCAL_TOLERANCE * left.fx),
        ('fy', left.fy, right.fy, FOCAL_TOLERANCE * left.fy),
        ('cy', left.cy, right.cy, ROW_TOLERANCE_PX),
    ]
    return [
        Fault(
            Severity.NO_OUTPUT,
            f'{name} differs between the cameras (left {a:g}, right {b:g}): the pair is not '
            'rectified together; run image_proc with a stereo calibration',
        )
        for name, a, b, tolerance in pairs
        if abs(a - b) > tolerance
    ]


def baseline_faults(left: CameraCalibration, right: CameraCalibration) -> list[Fault]:
    """Say why P gives no baseline, or none that a rig can have."""
    texts = _swapped(left, right) or _no_baseline(left, right) or _no_rig(right)
    return [Fault(Severity.NO_DEPTH, text) for text in texts]


def _swapped(left: CameraCalibration, right: CameraCalibration) -> list[str]:
    if not (left.tx < 0 and right.tx >= 0):
        return []
    return [
        f'left camera_info has P[3] = {left.p[3]:g} and the right one {right.p[3]:g}, expected 0 '
        'and -fx * baseline: left and right are swapped; exchange their topics'
    ]


def _no_baseline(left: CameraCalibration, right: CameraCalibration) -> list[str]:
    texts = []
    if abs(left.tx) > NEGLIGIBLE * abs(right.tx):
        texts.append(
            f'left camera_info has P[3] = {left.tx:g} where 0 is expected: the left camera must '
            f'be the reference; {BASELINE_CURE}'
        )
    if right.tx == 0:
        texts.append(
            f'right camera_info has P[3] = 0, so there is no baseline (expected -fx * baseline); '
            f'{BASELINE_CURE}'
        )
    if right.tx > 0:
        texts.append(
            f'right camera_info has P[3] = {right.tx:g}, expected a negative number '
            f'(-fx * baseline): left and right may be swapped; {BASELINE_CURE}'
        )
    return texts


def _no_rig(right: CameraCalibration) -> list[str]:
    baseline_m = -right.p[3] / right.p[0]
    if is_likely(baseline_m, BASELINES_M):
        return []
    readings = [
        ('1000 times too small', 1000 * baseline_m),
        ('the bare baseline, not -fx * baseline', -right.p[3]),
        ('in inches', baseline_m * 0.0254),
        ('in centimetres', baseline_m / 100),
        ('in millimetres', baseline_m / 1000),
    ]
    likely = [f'{name} ({m:g} m)' for name, m in readings if is_likely(m, LIKELY_M)]
    guess = f'; P[3] may be {" or ".join(likely)}' if likely else ''
    return [
        f'right camera_info has P[3] = {right.p[3]:g}, a baseline of {baseline_m:g} m, expected '
        f'{BASELINES_M[0]:g} to {BASELINES_M[1]:g} m (P[3] = -fx * baseline in metres){guess}; '
        f'{BASELINE_CURE}'
    ]


def told_baseline_faults(baseline_m: float) -> list[Fault]:
    """Doubt a baseline that a person has set but no rig has; 0 = none was set."""
    if not baseline_m or is_likely(baseline_m, BASELINES_M):
        return []
    return [
        Fault(
            Severity.DOUBT,
            f'the parameter baseline_m is {baseline_m:g} m, expected {BASELINES_M[0]:g} to '
            f'{BASELINES_M[1]:g} m: it is in metres',
        )
    ]


def is_likely(length_m: float, limits_m: tuple[float, float]) -> bool:
    """Whether a length lies within both limits, which are in metres as it is."""
    return limits_m[0] <= length_m <= limits_m[1]
