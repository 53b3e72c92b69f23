# SPDX-License-Identifier: Apache-2.0
"""How a stereo pair becomes a command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sensor_msgs.msg import Image

from vizion3d_ros.contracts.commands import Output, StereoCommand
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.geometry.rectify import rectify
from vizion3d_ros.pipeline import StereoPipeline
from vizion3d_ros.ros.stream.camera_info import CameraInfoCache
from vizion3d_ros.ros.stream.messages_in import pair_to_arrays
from vizion3d_ros.ros.stream.processor import DecodedFrame, FrameProcessor
from vizion3d_ros.ros.stream.topics import OutputPublishers


@dataclass(frozen=True, slots=True)
class StereoFrame:
    """A pair as it waits for the worker."""

    left: Image
    right: Image

    @property
    def image(self) -> Image:
        """The left image: all outputs are its pixels."""
        return self.left


class StereoProcessor(FrameProcessor[StereoFrame, StereoSettings]):
    """Decodes pairs with the newest calibration; without a usable one nothing is computed."""

    def __init__(
        self,
        pipeline: StereoPipeline,
        infos: CameraInfoCache,
        outputs: OutputPublishers,
        settings: Callable[[], StereoSettings],
    ) -> None:
        """settings() gives the ones to use for the pair in hand."""
        super().__init__(pipeline, outputs, settings)
        self._infos = infos

    def decode(
        self, frame: StereoFrame, settings: StereoSettings, needs: frozenset[Output]
    ) -> DecodedFrame | None:
        """Turn both messages into arrays, rectified if that is asked for."""
        known = self._infos.known
        if known is None or known.calibration.rig is None:
            return None
        left, right = pair_to_arrays(frame.left, frame.right, settings.mono16_bits)
        if settings.rectify:
            left, right = rectify(left, known.left), rectify(right, known.right)
        command = StereoCommand(
            left=left,
            right=right,
            rig=known.calibration.rig,
            settings=settings,
            outputs=needs,
        )
        return DecodedFrame(command, {'left': known.left_info, 'right': known.right_info})
