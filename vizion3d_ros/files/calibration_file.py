# SPDX-License-Identifier: Apache-2.0
"""
Reads Middlebury `calib.txt` files; their millimetres become metres.

Format: one key=value per line; cam0 (left) and cam1 (right) are camera matrices
[fx 0 cx; 0 fy cy; 0 0 1] in pixels, doffs = cx1 - cx0 in pixels, baseline in mm, width and
height in pixels (Scharstein et al., GCPR 2014). Other keys are ignored, and so are comments
behind #, // or %, lines that begin with ;, and what is noted behind a number.
"""

from __future__ import annotations

import codecs
import math
import re
from dataclasses import dataclass
from pathlib import Path

from vizion3d_ros.contracts.camera import MM_PER_METRE, Intrinsics, StereoRig
from vizion3d_ros.contracts.errors import CalibrationError
from vizion3d_ros.files.other_calibrations import explain_other

TOLERANCE_PX = 0.01
COMMENT = re.compile(r'^\s*;.*|\s*(#|//|%).*')
NOTE = re.compile(r'(?<=\S)(\s*(\(.*\)|mm|px|pixels?|millimet(er|re)s?))+$')
CALIB = re.compile(r'^\s*cam0\s*=', re.IGNORECASE | re.MULTILINE)
MOST_QUOTED = 60
MOST_BYTES = 2**20
MATRIX = 'a matrix [fx 0 cx; 0 fy cy; 0 0 1] in pixels'


@dataclass(frozen=True, slots=True)
class CalibrationFile:
    """
    What the file says; ndisp, vmin, vmax: disparities in pixels before doffs, None = not given.

    ndisp: bound on the disparities of the scene. vmin, vmax: its least and greatest disparity.
    """

    rig: StereoRig
    ndisp: int | None = None
    vmin: float | None = None
    vmax: float | None = None


def read_calibration(path: Path) -> CalibrationFile:
    """Read a calibration file; CalibrationError names the file and what is wrong with it."""
    try:
        with path.open('rb') as file:
            text = _decoded(file.read(MOST_BYTES))
    except UnicodeDecodeError as error:
        raise CalibrationError(f'{path}: expected a Middlebury calib.txt, got no text') from error
    except OSError as error:
        raise CalibrationError(f'{path}: expected a Middlebury calib.txt: {error}') from error
    return parse_calibration(text, str(path))


def _decoded(content: bytes) -> str:
    """Read any of what editors write; UnicodeDecodeError for what is no text."""
    # Editors of Windows begin with a mark, and its PowerShell writes two bytes a character.
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode('utf-16')
    if 0 in content:
        raise UnicodeDecodeError('utf-8', content, content.index(0), len(content), 'no letter')
    try:
        return content.decode('utf-8-sig')
    except UnicodeDecodeError:
        if any(byte < 32 and byte not in b'\t\n\r' for byte in content):
            raise
        return content.decode('latin-1')  # letters of a comment; all that is read is ASCII


def parse_calibration(text: str, name: str = 'calib.txt') -> CalibrationFile:
    """Parse the text of a calibration file; CalibrationError quotes `name`, the key and value."""
    return _Fields(text, name).calibration()


@dataclass(frozen=True, slots=True)
class _Camera:
    fx: float
    fy: float
    cx: float
    cy: float


class _Fields:
    """The keys of one file; every reader names file, key, what was expected and what came."""

    def __init__(self, text: str, name: str) -> None:
        self._name = name
        self._values: dict[str, str] = {}
        other = '' if CALIB.search(text) else explain_other(text)
        if other:
            raise CalibrationError(f'{name}: {other}; expected a Middlebury calib.txt')
        lines = (COMMENT.sub('', line).strip() for line in text.splitlines())
        for line in filter(None, lines):
            key, equals, value = line.partition('=')
            if not equals:
                got = line[:MOST_QUOTED]
                raise CalibrationError(f'{name}: expected lines key=value, got {got!r}')
            self._take(key.strip().lower(), NOTE.sub('', value.strip()))

    def _take(self, key: str, value: str) -> None:
        if self._values.setdefault(key, value) != value:
            raise CalibrationError(
                f'{self._name}: {key[:MOST_QUOTED]} is given twice, as '
                f'{_quoted(self._values[key])} and as {_quoted(value)}: leave one of them'
            )

    def calibration(self) -> CalibrationFile:
        """Read all keys this package uses."""
        left, right = self._camera('cam0'), self._camera('cam1')
        self._check_rectified(left, right)
        size = {'width': self._whole('width'), 'height': self._whole('height')}
        camera = Intrinsics(**size, fx=left.fx, fy=left.fy, cx=left.cx, cy=left.cy)
        baseline_m = self._positive('baseline', 'a positive number of millimetres') / MM_PER_METRE
        rig = StereoRig(left=camera, baseline_m=baseline_m, doffs=self._doffs(left, right))
        ndisp = self._whole('ndisp') if self._has('ndisp') else None
        vmin, vmax = (self._number(key) if self._has(key) else None for key in ('vmin', 'vmax'))
        return CalibrationFile(rig, ndisp, vmin, vmax)

    def _has(self, key: str) -> bool:
        return key in self._values

    def _value(self, key: str, expected: str) -> str:
        if key not in self._values:
            raise CalibrationError(
                f'{self._name}: the key {key} is missing; expected {key}= and {expected}'
            )
        return self._values[key]

    def _fault(self, key: str, expected: str) -> CalibrationError:
        return CalibrationError(
            f'{self._name}: {key} must be {expected}, got {_quoted(self._values[key])}'
        )

    def _number(self, key: str, expected: str = 'a number of pixels') -> float:
        number = _to_number(self._value(key, expected))
        if number is None:
            raise self._fault(key, expected)
        return number

    def _positive(self, key: str, expected: str) -> float:
        number = self._number(key, expected)
        if number <= 0:
            raise self._fault(key, expected)
        return number

    def _whole(self, key: str) -> int:
        expected = 'a positive whole number of pixels'
        number = self._positive(key, expected)
        if number != round(number):
            raise self._fault(key, expected)
        return round(number)

    def _camera(self, key: str) -> _Camera:
        text = self._value(key, MATRIX)
        text, bracket, _ = text.partition(']')
        if not (text.startswith('[') and bracket):
            raise self._fault(key, MATRIX)
        rows = [re.split(r'[\s,]+', row.strip()) for row in text[1:].split(';')]
        numbers = [_to_number(cell) for row in rows for cell in row]
        if [len(row) for row in rows] != [3, 3, 3] or None in numbers:
            raise self._fault(key, MATRIX)
        fx, skew, cx, zero, fy, cy, *last = (number or 0.0 for number in numbers)
        if fx <= 0 or fy <= 0 or [skew, zero, *last] != [0, 0, 0, 0, 1]:
            raise self._fault(key, f'{MATRIX}, fx and fy positive')
        return _Camera(fx, fy, cx, cy)

    def _check_rectified(self, left: _Camera, right: _Camera) -> None:
        for part in ('fx', 'fy', 'cy'):
            a, b = getattr(left, part), getattr(right, part)
            if abs(a - b) > TOLERANCE_PX:
                raise CalibrationError(
                    f'{self._name}: {part} of cam0 and cam1 must be equal in a rectified pair, '
                    f'got {a:g} and {b:g}'
                )

    def _doffs(self, left: _Camera, right: _Camera) -> float:
        derived = right.cx - left.cx
        if not self._has('doffs'):
            return derived
        stated = self._number('doffs')
        if abs(stated - derived) > TOLERANCE_PX:
            raise self._fault('doffs', f'cx of cam1 minus cx of cam0, {derived:g} pixels')
        return stated


def _quoted(text: str) -> str:
    return repr(text if len(text) <= MOST_QUOTED else f'{text[:MOST_QUOTED]}...')


def _to_number(text: str) -> float | None:
    """Read a finite number; None if the text is no such thing."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
