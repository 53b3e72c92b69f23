# SPDX-License-Identifier: Apache-2.0
"""
The stereo node: pairs left and right images, and makes a command of the newest pair.

    left, right ─ StereoSync ─ StereoFrame ─ worker ─ StereoProcessor ─ StereoCommand ─ outputs
    camera_info ─ CameraInfoCache ───────────────────────┘
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import NoReturn, cast

from sensor_msgs.msg import CameraInfo

from vizion3d_ros.contracts import topic_names
from vizion3d_ros.contracts.camera import StereoRig
from vizion3d_ros.contracts.commands import Output, StereoCommand
from vizion3d_ros.contracts.results import StereoResult
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.diagnosis.stereo_doctor import StereoDoctor
from vizion3d_ros.incoming.camera_info import CameraInfoCache
from vizion3d_ros.incoming.compressed import decode_pair
from vizion3d_ros.incoming.stereo_frame import StereoFrame, stereo_command
from vizion3d_ros.incoming.sync import StereoSync
from vizion3d_ros.pipeline import StereoPipeline
from vizion3d_ros.requests.pictures import picture_limits
from vizion3d_ros.ros.health.diagnostics import NO_HARDWARE, Task
from vizion3d_ros.ros.health.picture_status import pictures_task
from vizion3d_ros.ros.health.status import Components, output_task
from vizion3d_ros.ros.health.stereo_status import StereoStatus
from vizion3d_ros.ros.messages.compressed import AnyImage, as_image
from vizion3d_ros.ros.nodes.depth_node import DepthNode
from vizion3d_ros.ros.nodes.running import run_depth_node
from vizion3d_ros.ros.serving.depth_services import StereoService
from vizion3d_ros.ros.stream.filters import FilteredPairs
from vizion3d_ros.ros.stream.processor import DecodedFrame, FrameProcessor
from vizion3d_ros.ros.stream.topics import STEREO_INPUTS, STEREO_OUTPUTS, OutputPublishers

ABOUT = 'Metric depth, disparity and coloured points from the images of a stereo rig.'


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
        self.doctor = StereoDoctor()

    def decode(
        self, frame: StereoFrame, settings: StereoSettings, needs: frozenset[Output]
    ) -> DecodedFrame | None:
        """Turn both messages into arrays, rectified if that is asked for."""
        known = self._infos.known
        if known is None or known.calibration.rig is None:
            return None
        decode = partial(as_image, limits=picture_limits(settings.requests))
        messages = decode_pair(frame.left, frame.right, decode)
        command = stereo_command(StereoFrame(*messages), known, settings, needs)
        if command is None:
            return None
        return DecodedFrame(
            messages[0], command, {'left': known.left_info, 'right': known.right_info}
        )

    def examine(self, command: StereoCommand, result: StereoResult) -> None:
        """Let the doctor look at the pair."""
        self.doctor.look(command, result, time.monotonic())


class StereoNode(DepthNode[StereoSettings]):
    """Turns `left|right/image_rect` and `left|right/camera_info` into depth topics."""

    IMAGES = (topic_names.LEFT, topic_names.RIGHT)
    INPUTS = STEREO_INPUTS
    OUTPUTS = STEREO_OUTPUTS
    SERVICE = StereoService

    def __init__(self) -> None:
        """Declare parameters and, with autostart, become active."""
        super().__init__('stereo_node', StereoSettings)
        self._infos = CameraInfoCache(self.settings.baseline_m)
        self._sync = StereoSync(
            self.settings.sync, self._on_pair, self.reset_frames, FilteredPairs
        )
        self._waiting: StereoFrame | None = None
        self.begin(
            {
                topic_names.LEFT: self._sync.add_left,
                topic_names.RIGHT: self._sync.add_right,
                topic_names.LEFT_INFO: self._on_left_info,
                topic_names.RIGHT_INFO: self._on_right_info,
            }
        )

    @property
    def hardware_id(self) -> str:
        """The frame of the left camera."""
        known = self._infos.known
        return known.left_info.header.frame_id if known else NO_HARDWARE

    @property
    def known_camera(self) -> StereoRig | None:
        """The rig, once both cameras have told theirs."""
        known = self._infos.known
        return known.calibration.rig if known else None

    def make_pipeline(self, settings: StereoSettings) -> StereoPipeline:
        """Choose the device."""
        return StereoPipeline(settings.device)

    def make_processor(
        self, pipeline: StereoPipeline, outputs: OutputPublishers
    ) -> StereoProcessor:
        """Decode with the newest calibration and settings."""
        return StereoProcessor(pipeline, self._infos, outputs, lambda: self.usable_settings)

    def reset(self) -> None:
        """Drop images without a partner, and the pair without a calibration."""
        self._sync.reset()
        self._waiting = None

    def forget(self) -> None:
        """Drop images without a partner, and count from now on."""
        self._sync.restart()
        self._waiting = None

    def on_parameters(self, settings: StereoSettings) -> None:
        """Pair and calibrate by changed parameters."""
        self._sync.configure(settings.sync)
        self._infos.set_baseline(settings.baseline_m)

    def tasks(self, components: Components) -> dict[str, Task]:
        """Report pairing, calibration and output."""
        settings = self.settings
        status = StereoStatus(self.inputs, self._sync, self._infos)
        return {
            'sync': status.pairing(self.quiet_since),
            'calibration': status.calibration(settings),
            'pictures': pictures_task(cast(StereoProcessor, components.processor).doctor),
            'output': output_task(components, self.inputs, settings, settings.sync.timeout),
        }

    def _on_left_info(self, info: CameraInfo) -> None:
        self._infos.add_left(info)
        self._release_waiting()

    def _on_right_info(self, info: CameraInfo) -> None:
        self._infos.add_right(info)
        self._release_waiting()

    def _on_pair(self, left: AnyImage, right: AnyImage) -> None:
        self.quiet_since = time.monotonic()
        self._waiting = StereoFrame(left, right)
        self._release_waiting()

    def _release_waiting(self) -> None:
        """Hand the newest pair over once both camera_info are there; a late one costs nothing."""
        if self._waiting and self._infos.known and self.hand_over(self._waiting):
            self._waiting = None


def main(args: list[str] | None = None) -> NoReturn:
    """Run the node until it is told to stop."""
    run_depth_node(StereoNode, ABOUT, args)


if __name__ == '__main__':
    main()
