# SPDX-License-Identifier: Apache-2.0
"""What the pictures themselves say of lenses, exposure and rig."""

from __future__ import annotations

import time

from vizion3d_ros.diagnosis.mono_doctor import MonoDoctor
from vizion3d_ros.diagnosis.stereo_doctor import StereoDoctor
from vizion3d_ros.ros.health.diagnostics import OK, WARN, Task

FORGET_SECONDS = 5.0


def pictures_task(doctor: StereoDoctor | MonoDoctor) -> Task:
    """Say what is wrong with the newest pictures, unless they are long gone."""
    if time.monotonic() - doctor.looked > FORGET_SECONDS:
        return OK, 'no pictures to look at', {}
    verdict = doctor.verdict
    text = verdict.text
    return (WARN, text, verdict.values) if text else (OK, 'nothing amiss', verdict.values)
