# SPDX-License-Identifier: Apache-2.0
"""
Plays stored stereo pairs as a camera would.

    ros2 run vizion3d_ros play_pair --ros-args -p folder:=/data/motorcycle -p rate:=2.0

`folder` holds left.png and right.png (or im0.png and im1.png), optionally calib.txt and
disparity.npz or disp0.pfm; or sub-folders of that kind, played in the order of their names and
all held in memory. Publishes left|right/image_rect, left|right/camera_info and, where it is known
and somebody listens, ground_truth/disparity (32FC1, x_left - x_right in pixels before doffs, NaN =
unknown).
"""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import Field
from sensor_msgs.msg import Image

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.files.pair import HOLDS, StereoPair, find_pairs, load_pair
from vizion3d_ros.ros.parameters import declare
from vizion3d_ros.ros.run import run_node
from vizion3d_ros.ros.testbed.camera_messages import (
    LEFT_FRAME,
    RIGHT_FRAME,
    Encoding,
    camera_infos,
    encode,
    image_message,
)
from vizion3d_ros.ros.testbed.stereo_source import Extra, SourceFrame, SourceSettings, StereoSource
from vizion3d_ros.transport import use_transport_profile


class PlayerSettings(SourceSettings):
    """Parameters of the player."""

    rate: float = Field(2.0, ge=0.1, le=1000.0, description='Pairs per second')
    folder: str = Field('', description=f'Folder with {HOLDS}, or with such folders')
    loop: bool = Field(True, description='Begin again after the last pair; false = exit')
    encoding: Encoding = Field('rgb8', description='Encoding of both images')


class PairPlayer(StereoSource):
    """Loads all pairs, then plays them."""

    def __init__(self) -> None:
        """Declare parameters and start loading; InputError if there is no pair."""
        super().__init__('play_pair')
        self._truth = self.advertise(Image, 'ground_truth/disparity')
        settings = declare(self, PlayerSettings)
        if not settings.folder:
            raise InputError(f'parameter folder is empty: expected a folder that holds {HOLDS}')
        self._encoding = settings.encoding
        self._folders = find_pairs(Path(settings.folder).expanduser())
        count = len(self._folders)
        if not settings.loop and not 0 < settings.frames < count:
            settings = settings.model_copy(update={'frames': count})
        self.begin(settings)

    def prepare(self) -> list[SourceFrame]:
        """Load every pair."""
        frames = []
        for folder in self._folders:
            if self.stopping.is_set():
                break
            frames.append(self._frame(load_pair(folder)))
        return frames

    def _frame(self, pair: StereoPair) -> SourceFrame:
        if pair.rig.baseline_m is None:
            self.get_logger().warning(
                f'{pair.folder} has no calib.txt: baseline unknown, disparity only'
            )
        left, right = (
            image_message(encode(picture, self._encoding), self._encoding, frame_id)
            for picture, frame_id in ((pair.left, LEFT_FRAME), (pair.right, RIGHT_FRAME))
        )
        extras: tuple[Extra, ...] = ()
        if pair.disparity is not None:
            extras = ((self._truth, image_message(pair.disparity, '32FC1', LEFT_FRAME)),)
        return SourceFrame((left, right), camera_infos(pair.rig), extras)


def main(args: list[str] | None = None) -> int:
    """Run until told to stop, or until all frames are sent."""
    use_transport_profile()
    return run_node(PairPlayer, __doc__, args)


if __name__ == '__main__':
    sys.exit(main())
