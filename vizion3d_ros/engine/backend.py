# SPDX-License-Identifier: Apache-2.0
"""What every stereo matcher, one-camera network and segmenter looks like to the pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vizion3d_ros.contracts.annotation.instances import Segmentation
    from vizion3d_ros.contracts.camera import StereoRig
    from vizion3d_ros.contracts.results import Estimate, Match
    from vizion3d_ros.contracts.settings.annotation_settings import AnnotationSettings
    from vizion3d_ros.contracts.settings.mono_settings import MonoSettings
    from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings


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


class MonoBackend(Protocol):
    """Finds the depth of every pixel of one image, metric or relative."""

    def estimate(self, image: NDArray[np.uint8], settings: MonoSettings) -> Estimate:
        """
        Estimate one image, uint8 (H, W) grey or (H, W, 3) RGB; the answer has its size.

        Raises BackendError when no checkpoint can be loaded or memory does not suffice.
        """
        ...


class Segmenter(Protocol):
    """Finds the objects of one image, each with its mask."""

    def segment(self, image: NDArray[np.uint8], settings: AnnotationSettings) -> Segmentation:
        """
        Find what is in an image, uint8 (H, W) grey or (H, W, 3) RGB, by falling confidence.

        Raises BackendError when no checkpoint can be loaded or memory does not suffice.
        """
        ...
