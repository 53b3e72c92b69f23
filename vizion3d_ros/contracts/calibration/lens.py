# SPDX-License-Identifier: Apache-2.0
"""
Distortion models as drivers write them, read as OpenCV reads their coefficients.

Polynomial: k1 k2 p1 p2, then k3, then k4 k5 k6 (rational), s1..s4 (thin prism), tx ty (tilt).
Fisheye: k1..k4 of the angle (Kannala and Brandt).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vizion3d_ros.contracts.calibration.camera import is_given
from vizion3d_ros.contracts.errors import CalibrationError

POLYNOMIAL = {
    *('plumbbob', 'radtan', 'radialtangential', 'brown', 'brownconrady', 'opencv'),
    *('rational', 'rationalpolynomial', 'thinprism', 'pinholepolynomial'),
}
FISHEYE = {
    *('equidistant', 'equi', 'fisheye', 'opencvfisheye'),
    *('kannalabrandt', 'kannalabrandt4', 'kb4'),
}
POLYNOMIAL_COUNTS, FISHEYE_COUNTS = (4, 5, 8, 12, 14), (4,)
SUPPORTED = (
    'plumb_bob or rational_polynomial with 4, 5, 8, 12 or 14, or equidistant with 4, '
    'where zeros may follow'
)


@dataclass(frozen=True, slots=True)
class Lens:
    """How a lens bends rays: fisheye even where all coefficients are 0, or polynomial."""

    fisheye: bool
    coefficients: tuple[float, ...] = ()

    @property
    def bends(self) -> bool:
        """Whether straight lines become bent."""
        return self.fisheye or bool(self.coefficients)


def read_lens(model: str, d: tuple[float, ...]) -> Lens:
    """
    Read a distortion model, however its name is written; zeros that follow say nothing.

    Coefficients that are all zero need no known model. Raises CalibrationError for other models
    and counts; its text is to follow the words "camera_info".
    """
    name = re.sub('[^a-z0-9]', '', model.lower())
    fisheye = name in FISHEYE
    if not is_given(d):
        return Lens(fisheye, (0.0,) * 4 if fisheye else ())
    counts = FISHEYE_COUNTS if fisheye else POLYNOMIAL_COUNTS if name in POLYNOMIAL else ()
    fitting = [n for n in counts if n <= len(d) and not any(d[n:])]
    if not fitting:
        raise CalibrationError(
            f'has the distortion_model {model!r} with {len(d)} coefficients, expected '
            f'{SUPPORTED}: correct the calibration, or rectify elsewhere and set rectify to false'
        )
    return Lens(fisheye, d[: fitting[0]])
