# SPDX-License-Identifier: Apache-2.0
"""
What one CameraInfo says that no camera can be.

Only what cannot be is refused: principal points may lie outside of cropped images, pixels may be
a little oblong.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from vizion3d_ros.contracts.calibration.camera import CameraCalibration, is_given
from vizion3d_ros.contracts.calibration.faults import Fault, Severity

PROJECTION = '[fx 0 cx tx; 0 fy cy 0; 0 0 1 0]'
FIXED = {1: 0.0, 4: 0.0, 8: 0.0, 9: 0.0, 10: 1.0, 11: 0.0}  # of P; P[3] and P[7] are a rig's
VIEW_DEG = (0.5, 175.0)
OBLONG = 0.1  # relative
MISTAKEN_SIZES = (1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 2, 2.0, 3.0, 4.0)
FAR_OFF = 1.4  # times as far as the middle, or as near, in both directions; no lens is so askew
SHAPES = (1.2, 2.0)  # width over height
CENTRED = 0.05  # relative; real principal points lie up to 10 % off, made-up ones less
PROPORTIONAL = 0.01


def camera_faults(camera: CameraCalibration) -> list[Fault]:
    """List all faults of one camera; their texts are to follow the words "camera_info"."""
    defect = camera.defect()
    if defect:
        return [Fault(Severity.NO_OUTPUT, defect)]
    checks = (_elements, _view, _principal_point, _region, _oblong, _other_size_in_k)
    return [fault for check in checks for fault in check(camera)]


def _elements(camera: CameraCalibration) -> Iterator[Fault]:
    p = camera.p
    wrong = {
        index: expected
        for index, expected in FIXED.items()
        if abs(p[index] - expected) > (1e-3 * p[0] if index in (1, 4) else 1e-6)
    }
    if wrong:
        left_out = wrong == {10: 1.0} and p[10] == 0
        got = ' and '.join(f'P[{index}] = {p[index]:g}' for index in wrong)
        expected = ' and '.join(f'{number:g}' for number in wrong.values())
        yield Fault(
            Severity.DOUBT if left_out else Severity.NO_DEPTH,
            f'has {got} where {expected} is expected: fill P as {PROJECTION}',
        )


def _view(camera: CameraCalibration) -> Iterator[Fault]:
    text = unlikely_view('fx', camera.p[0], camera.width)
    if text:
        yield Fault(Severity.NO_DEPTH, text)


def unlikely_view(name: str, focal_px: float, width: int) -> str:
    """Say that no lens has such a focal length; empty if one may. width: of the whole sensor."""
    view_deg = math.degrees(2 * math.atan(width / (2 * focal_px)))
    if not width or VIEW_DEG[0] <= view_deg <= VIEW_DEG[1]:
        return ''
    return (
        f'has {name} = {focal_px:g} px for images {width} px wide, a view of {view_deg:.3g} '
        f'degrees, expected {VIEW_DEG[0]:g} to {VIEW_DEG[1]:g}: give focal lengths in pixels'
    )


def _principal_point(camera: CameraCalibration) -> Iterator[Fault]:
    text = unlikely_point('P', camera, camera.p[2], camera.p[6])
    if text:
        yield Fault(Severity.NO_DEPTH, text)


def _region(camera: CameraCalibration) -> Iterator[Fault]:
    x, y, width, height = camera.roi
    right, lower = x + (width or camera.width), y + (height or camera.height)
    if camera.width and camera.height and (right > camera.width or lower > camera.height):
        yield Fault(
            Severity.DOUBT,
            f'has a roi up to ({right}, {lower}) px in images of {camera.width}x{camera.height}: '
            'give width and height of the whole sensor, or leave roi 0 if K and P are of the '
            'images as they come',
        )


def unlikely_point(name: str, camera: CameraCalibration, x: float, y: float) -> str:
    """Say that (x, y), of the whole sensor, is no principal point; empty if it may be one."""
    width, height = camera.width, camera.height
    if not (width and height):
        return ''
    text = (
        not_in_pixels(x, y, width, height)
        or _of_another_size(name, camera, x, y)
        or _turned(x, y, width, height)
        or far_outside(x, y, width, height)
    )
    return f'has in {name} the principal point ({x:g}, {y:g}) px, {text}' if text else ''


def not_in_pixels(x: float, y: float, width: int, height: int) -> str:
    """Say that (x, y) is a principal point in other units than pixels; empty if it may be one."""
    if max(abs(x), abs(y)) > 1 or min(width, height) < 8:
        return ''
    return (
        f'in images of {width}x{height}, which have their middle near ({width / 2:g}, '
        f'{height / 2:g}): give cx and cy in pixels'
    )


def misplaced(x: float, y: float, width: int, height: int) -> str:
    """Say that (x, y) is no principal point of images of that size; empty if it may be one."""
    other = middle_of_another_size(x, y, width, height)
    if not other and _turned(x, y, width, height):
        other = f'the middle of images of {height}x{width}'
    if other:
        return (
            f'{other}, in images of {width}x{height}: use the calibration of this resolution; if '
            'the images are cut out of larger ones, leave cx and cy out, as depth does not need '
            'them'
        )
    return not_in_pixels(x, y, width, height)


def far_outside(x: float, y: float, width: int, height: int) -> str:
    """Say that (x, y) is farther away than any crop explains; empty if it is not."""
    if -width <= x <= 2 * width and -height <= y <= 2 * height:
        return ''
    return (
        f'more than a whole image away from images of {width}x{height}: correct cx and cy, or '
        'width and height'
    )


def middle_of_another_size(x: float, y: float, width: int, height: int) -> str:
    """Say of which other size (x, y) is the middle, smaller or larger; empty if of none."""
    for factor in MISTAKEN_SIZES:
        if _is_middle(x, y, factor * width, factor * height):
            return f'the middle of images of {factor * width:.0f}x{factor * height:.0f}'
    return ''


def _middle_of_any_size(x: float, y: float, width: int, height: int) -> str:
    """Say the same of sizes that nobody would guess; a crop is known by its roi."""
    across, down = 2 * x / width, 2 * y / height
    larger, smaller = min(across, down) > FAR_OFF, max(across, down) < 1 / FAR_OFF
    if y > 0 and SHAPES[0] < x / y < SHAPES[1] and (larger or smaller):
        return f'the middle of images of about {2 * x:.0f}x{2 * y:.0f}'
    return ''


def _of_another_size(name: str, camera: CameraCalibration, x: float, y: float) -> str:
    place = x, y, camera.width, camera.height
    other = middle_of_another_size(*place) or _middle_of_any_size(*place)
    if not other:
        return ''
    other += f', but camera_info says {camera.width}x{camera.height}'
    if max(camera.binning) > 1 and x < camera.width / 2:
        return (
            f'{other} with binning {max(camera.binning)}: {name} is binned already, so set '
            'binning to 0, and width and height to those of the images'
        )
    return (
        f'{other}: use the calibration of this resolution; if the images are cut out of '
        'larger ones, say so in roi'
    )


def _turned(x: float, y: float, width: int, height: int) -> str:
    if abs(width - height) < 0.2 * max(width, height) or not _is_middle(x, y, height, width):
        return ''
    return (
        f'the middle of images of {height}x{width}, but camera_info says {width}x{height}: width '
        'and height are swapped, or the images were turned without their calibration'
    )


def _is_middle(x: float, y: float, width: float, height: float) -> bool:
    return abs(2 * x / width - 1) < CENTRED and abs(2 * y / height - 1) < CENTRED


def _oblong(camera: CameraCalibration) -> Iterator[Fault]:
    text = oblong(camera.p[0], camera.p[5])
    if text:
        yield Fault(Severity.DOUBT, f'{text}; else correct P')


def oblong(fx: float, fy: float) -> str:
    """Say that these focal lengths are of pixels that are no squares; empty if they may be."""
    if abs(fx / fy - 1) <= OBLONG:
        return ''
    return (
        f'has fx = {fx:g} and fy = {fy:g} px, {100 * abs(fx / fy - 1):.0f} % apart, where '
        'cameras have square pixels: right only if the images were stretched'
    )


def _other_size_in_k(camera: CameraCalibration) -> Iterator[Fault]:
    pairs = [(camera.k[i], camera.p[j]) for i, j in ((0, 0), (4, 5), (2, 2), (5, 6))]
    if not (is_given(camera.k) and all(p for _, p in pairs)):
        return
    for factor in MISTAKEN_SIZES:
        if all(abs(k / (factor * p) - 1) < PROPORTIONAL for k, p in pairs):
            yield Fault(
                Severity.DOUBT,
                f'has K (fx {camera.k[0]:g}, cx {camera.k[2]:g}) exactly {factor:g} times as '
                f'large as P (fx {camera.p[0]:g}, cx {camera.p[2]:g}): one of them is of another '
                'image size, and P is used; correct the wrong one',
            )
