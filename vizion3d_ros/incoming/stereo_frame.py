# SPDX-License-Identifier: Apache-2.0
"""A pair of messages, and the command that is made of it with the calibration of the rig."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vizion3d_ros.contracts.commands import Output, StereoCommand
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.geometry.rectify import rectify
from vizion3d_ros.incoming.camera_info import KnownRig
from vizion3d_ros.incoming.images import pair_to_arrays


@dataclass(frozen=True, slots=True)
class StereoFrame:
    """A pair as it waits for the worker, nothing decoded; messages as in messages.py."""

    left: Any
    right: Any

    @property
    def image(self) -> Any:
        """The left image: all outputs are its pixels."""
        return self.left


def stereo_command(
    frame: StereoFrame, known: KnownRig | None, settings: StereoSettings, needs: frozenset[Output]
) -> StereoCommand | None:
    """
    Turn both messages into arrays, rectified if that is asked for; None without a usable rig.

    Raises InputError for images that cannot be decoded, CalibrationError for a lens that cannot
    be rectified, and pydantic.ValidationError for images of another size than the calibration's.
    """
    if known is None or known.calibration.rig is None:
        return None
    left, right = pair_to_arrays(frame.left, frame.right, settings.mono16_bits)
    if settings.rectify:
        left, right = rectify(left, known.left), rectify(right, known.right)
    rig = known.calibration.rig
    return StereoCommand(left=left, right=right, rig=rig, settings=settings, outputs=needs)
