# SPDX-License-Identifier: Apache-2.0
"""Calibration files that are no calib.txt: what they are, and how their numbers are given."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import yaml

from vizion3d_ros.contracts.calibration.rig_faults import BASELINES_M, is_likely
from vizion3d_ros.contracts.camera import MM_PER_METRE

HOW = 'give the calibration by numbers'


def explain_other(text: str) -> str:
    """Say what calibration this is, if it is a known one of another kind; else empty."""
    return _k_txt(text) or _ros_yaml(text) or _others(text)


def _k_txt(text: str) -> str:
    """Nine numbers of K, row by row, then the baseline in metres."""
    words = text.replace(',', ' ').split()
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        return ''
    if len(numbers) == 9:
        return f'is a K.txt without the baseline behind K: {HOW}, --fx, --cx, --cy, --baseline-mm'
    if len(numbers) != 10:
        return ''
    fx, _, cx, _, fy, cy, *_, baseline_m = numbers
    if not (all(map(math.isfinite, numbers)) and min(fx, fy) > 0 and _is_baseline(baseline_m)):
        return (
            f'is a K.txt with fx {fx:g}, fy {fy:g} and the baseline {baseline_m:g}, expected '
            f'positive pixels and {BASELINES_M[0]:g} to {BASELINES_M[1]:g} metres: {HOW}, --fx, '
            '--cx, --cy and --baseline-mm'
        )
    return f'is a K.txt: {_by_numbers(fx, fy, cx, cy, baseline_m)}'


def _is_baseline(baseline_m: float) -> bool:
    """Whether a rig may be that wide."""
    return is_likely(baseline_m, BASELINES_M)


def _ros_yaml(text: str) -> str:
    if 'projection_matrix' not in text:
        return ''
    start = 'is a camera_info YAML of ROS, of one camera'
    numbers = _projection(text)
    if numbers is None or numbers[0] <= 0:
        return f'{start}, whose projection_matrix cannot be read: {HOW}'
    fx, _, cx, tx, _, fy, cy, *_ = numbers
    if tx and not _is_baseline(-tx / fx):
        return (
            f'{start}, whose projection_matrix[3] is {tx:g}, expected 0 (the left one) or -fx * '
            f'baseline in metres (the right one): {HOW}, --fx {fx:g} --fy {fy:g} --cx {cx:g} --cy '
            f'{cy:g} --baseline-mm MM'
        )
    if tx < 0:
        return f'{start}, the right one: {_by_numbers(fx, fy, cx, cy, -tx / fx)}'
    return (
        f'{start}, the left one, which has no baseline: that is -projection_matrix[3] / fx of the '
        f'right one; {HOW}, --fx {fx:g} --fy {fy:g} --cx {cx:g} --cy {cy:g} --baseline-mm MM'
    )


def _projection(text: str) -> list[float] | None:
    try:
        data = yaml.safe_load(text)['projection_matrix']['data']
        numbers = [float(number) for number in data]
    except (yaml.YAMLError, KeyError, TypeError, ValueError, RecursionError):
        return None
    return numbers if len(numbers) == 12 else None


def _by_numbers(fx: float, fy: float, cx: float, cy: float, baseline_m: float) -> str:
    return (
        f'{HOW}, --fx {fx:g} --fy {fy:g} --cx {cx:g} --cy {cy:g} '
        f'--baseline-mm {baseline_m * MM_PER_METRE:g}'
    )


OTHERS: Mapping[str, str] = {
    r'^%YAML|<opencv_storage>': 'a file of OpenCV',
    r'^P(_rect_)?\d*: ': 'a calibration of KITTI',
    r'^\s*<': 'an XML or HTML file',
    r'^\[[A-Za-z]\w*\]\s*$': 'an INI file, as ZED cameras have it',
    r'^\s*[{\[]': 'a JSON file',
    r'^\w+:': 'a YAML file',
}


def _others(text: str) -> str:
    for pattern, what in OTHERS.items():
        if re.search(pattern, text, re.MULTILINE):
            return f'looks like {what}: {HOW}, --fx, --cx, --cy and --baseline-mm'
    return ''
