# SPDX-License-Identifier: Apache-2.0
"""What can be told of one camera without another: dark, saturated, blank, stuck."""

from __future__ import annotations

import math

from vizion3d_ros.diagnosis.exposure import (
    explain_exposure,
    is_black,
    is_blank,
    is_dark,
    is_saturated,
    saturated_share,
)
from vizion3d_ros.diagnosis.repeats import FEWEST_REPEATS, Repeats
from vizion3d_ros.diagnosis.sensor_noise import shows_noise
from vizion3d_ros.diagnosis.verdict import Verdict
from vizion3d_ros.diagnosis.views import Pixels, sample, shrink, to_grey

LOOK_SECONDS = 0.5
ALIVE = 3  # looks in a row at a picture that stands but for its noise: it is a sensor's
FROZEN_SECONDS = 2.0


class MonoDoctor:
    """Looks at the images of one stream; its verdict may be read from any thread."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self.verdict = Verdict()
        self.looked = -math.inf
        self._repeats = Repeats()
        self._last: Pixels | None = None
        self._noisy = 0

    def look(self, image: Pixels, now: float) -> None:
        """Look at an image, uint8 (H, W) or (H, W, 3), if it is time to; now: seconds."""
        if now - self.looked < LOOK_SECONDS:
            return
        self.looked = now
        sampled = sample(image)
        useless = explain_image(image)
        frozen = self._frozen(sampled, now)
        self.verdict.values = {
            'mean brightness': round(float(sampled.mean())),
            'saturated share': round(saturated_share(sampled), 3),
        }
        self.verdict.update([useless or frozen])

    def _frozen(self, sampled: Pixels, now: float) -> str:
        """Tell the same pixels of a sensor that is known by its noise; others may just stand."""
        self._repeats.update(sampled, now)
        last, self._last = self._last, sampled
        if last is None or last.shape != sampled.shape:
            self._noisy = 0
        elif self._noisy < ALIVE:
            self._noisy = self._noisy + 1 if shows_noise(last, sampled) else 0
        seconds = self._repeats.seconds(now)
        repeats = self._repeats.count >= FEWEST_REPEATS and seconds >= FROZEN_SECONDS
        if not repeats or self._noisy < ALIVE:
            return ''
        return (
            f'image is frozen: the same pixels come under new stamps for {seconds:.0f} s: restart '
            'the camera or its driver'
        )


def explain_image(image: Pixels) -> str:
    """Say that an image, uint8 (H, W) or (H, W, 3), shows nothing to judge depth by; else ''."""
    sampled = sample(image)
    blank = is_blank(shrink(to_grey(image))[0])
    dark = is_dark(sampled) and (blank or is_black(sampled))
    lens = explain_exposure('image', sampled, dark, is_saturated(sampled))
    if lens or not blank:
        return lens
    return (
        'image shows nothing but noise, as of a plain wall: turn the camera to something with '
        'texture, or uncover and clean its lens'
    )
