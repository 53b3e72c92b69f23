# SPDX-License-Identifier: Apache-2.0
"""What every stereo matcher looks like to the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vizion3d_ros.contracts.camera import StereoRig
    from vizion3d_ros.contracts.results import Match
    from vizion3d_ros.contracts.settings import StereoSettings


class StereoBackend(Protocol):
    """Finds, for every left pixel, the column offset of the same point on the right."""

    def match(
        self,
        left: NDArray[np.uint8],
        right: NDArray[np.uint8],
        rig: StereoRig,
        settings: StereoSettings,
    ) -> Match:
        """
        Match one pair; left and right are uint8 (H, W) or (H, W, 3) of equal shape.

        Raises BackendError when matching is impossible with these settings.
        """
        ...
