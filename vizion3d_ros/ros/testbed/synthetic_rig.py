# SPDX-License-Identifier: Apache-2.0
"""
A stereo camera without hardware: a moving scene with known depth, and faults on demand.

    ros2 run vizion3d_ros synthetic_rig --ros-args -p width:=1280 -p height:=720

Publishes left|right/image_rect, left|right/camera_info and, while somebody listens,
ground_truth/depth (32FC1, metres). With lidar_points above 0 also lidar/points, from a lidar that
sits beside the left camera as testbed/lidar.py says (LIDAR_POSE). With instances also
instances/image and instances/detections, what a perfect detector would say of the left image.

The scene swings to and fro every 4 s; one swing is rendered before the first frame and kept in
memory. A swing of more than 256 MiB is cut short.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from vision_msgs.msg import Detection2DArray

from vizion3d_ros.contracts import topic_names
from vizion3d_ros.contracts.camera import StereoRig
from vizion3d_ros.ros.parameters import declare
from vizion3d_ros.ros.run import run_node
from vizion3d_ros.ros.testbed.camera_messages import (
    LEFT_FRAME,
    RIGHT_FRAME,
    Encoding,
    camera_infos,
    detections_message,
    encode,
    image_message,
    lidar_message,
)
from vizion3d_ros.ros.testbed.stereo_source import (
    Extra,
    SourceFrame,
    SourceSettings,
    StereoSource,
    Transmission,
)
from vizion3d_ros.testbed.lidar import LIDAR_POSE, simulate
from vizion3d_ros.testbed.scene import PERIOD_S, SyntheticScene
from vizion3d_ros.transport import use_transport_profile

MOST_BYTES = 256 * 2**20

InfoFault = Literal[
    'none',
    'uncalibrated',
    'zero_baseline',
    'swapped_sign',
    'left_baseline',
    'focal_mismatch',
    'row_mismatch',
    'wrong_size',
    'missing',
]


class RigSettings(SourceSettings):
    """Parameters of the synthetic rig."""

    width: int = Field(640, ge=32, le=4096, description='Image width in pixels')
    height: int = Field(480, ge=32, le=4096, description='Image height in pixels')
    hfov_deg: float = Field(
        65.0, ge=20.0, le=110.0, description='Horizontal field of view in degrees'
    )
    baseline_m: float = Field(0.12, ge=0.01, le=0.5, description='Baseline in metres')
    doffs: float = Field(
        0.0, ge=-500.0, le=500.0, description='Right minus left principal point in pixels'
    )
    noise: float = Field(
        0.0, ge=0.0, le=50.0, description='Deviation of the sensor noise in grey levels'
    )
    stamp_jitter: float = Field(
        0.0, ge=0.0, le=1.0, description='Right stamps are off by up to this many seconds'
    )
    drop_rate: float = Field(
        0.0, ge=0.0, le=1.0, description='Share of frames lost, each side on its own'
    )
    lidar_points: int = Field(
        0, ge=0, le=100_000, description='Points of each scan of the lidar; 0 = no lidar'
    )
    lidar_noise: float = Field(
        0.0, ge=0.0, le=1.0, description='Deviation of the ranges of the lidar in metres'
    )
    lidar_outliers: float = Field(
        0.0, ge=0.0, le=1.0, description='Share of the points of the lidar with a wrong range'
    )
    instances: bool = Field(
        False, description='Publish true instance labels, as the masks of a detector'
    )
    encoding: Encoding = Field('rgb8', description='Encoding of both images')
    row_padding: int = Field(0, ge=0, le=4096, description='Unused bytes after each image row')
    camera_info_fault: InfoFault = Field('none', description='What is wrong with the camera infos')
    seed: int = Field(0, ge=0, le=2**31 - 1, description='Seed of textures, noise and losses')


class SyntheticRig(StereoSource):
    """Renders one swing of the scene, then plays it to and fro."""

    def __init__(self) -> None:
        """Declare parameters and start rendering."""
        super().__init__('synthetic_rig')
        self._settings = declare(self, RigSettings)
        self._truth = self.advertise(Image, 'ground_truth/depth')
        if self._settings.lidar_points:
            self._lidar = self.advertise(PointCloud2, 'lidar/points')
        if self._settings.instances:
            self._instances = self.advertise(Image, topic_names.INSTANCES)
            self._detections = self.advertise(Detection2DArray, topic_names.DETECTIONS)
        self._random = np.random.default_rng(self._settings.seed)
        self.begin(self._settings)

    def prepare(self) -> list[SourceFrame]:
        """Render from one end of the swing towards the other, as far as memory allows."""
        scene = SyntheticScene(self._rig(), self._settings.seed)
        begun = time.monotonic()
        frames = [self._render(scene, 0)]
        frame_s = time.monotonic() - begun
        swing = max(round(self._settings.rate * PERIOD_S / 2), 1) + 1
        needed = min(swing, self._settings.frames or swing)
        fitting = min(needed, max(MOST_BYTES // _size(frames[0]), 1))
        self.get_logger().info(
            f'rendering {fitting} of {needed} frames of a swing, '
            f'{self._settings.width}x{self._settings.height}: about {fitting * frame_s:.0f} s'
        )
        for index in range(1, fitting):
            if self.stopping.is_set():
                return frames
            frames.append(self._render(scene, index))
        self.get_logger().info(f'rendered in {time.monotonic() - begun:.1f} s')
        return frames + frames[-2:0:-1]

    def transmission(self) -> Transmission:
        """Lose sides and shift the right stamp at random."""
        settings = self._settings
        lost = self._random.random(2) < settings.drop_rate
        shift_s = self._random.uniform(-settings.stamp_jitter, settings.stamp_jitter)
        return Transmission(None if lost[0] else 0.0, None if lost[1] else shift_s)

    def _rig(self) -> StereoRig:
        settings = self._settings
        ideal = StereoRig.from_field_of_view(
            settings.width, settings.height, settings.hfov_deg, settings.baseline_m
        )
        return ideal.model_copy(update={'doffs': settings.doffs})

    def _render(self, scene: SyntheticScene, index: int) -> SourceFrame:
        settings = self._settings
        frame = scene.at(index / settings.rate, settings.instances)
        noise = np.random.default_rng((settings.seed, index))
        left, right = (
            image_message(
                encode(_noisy(picture, settings.noise, noise), settings.encoding),
                settings.encoding,
                frame_id,
                settings.row_padding,
            )
            for picture, frame_id in ((frame.left, LEFT_FRAME), (frame.right, RIGHT_FRAME))
        )
        infos = faulty(camera_infos(self._rig()), settings.camera_info_fault)
        truth = image_message(frame.depth_m, '32FC1', LEFT_FRAME)
        extras: list[Extra] = [(self._truth, truth)]
        if settings.lidar_points:
            extras.append((self._lidar, lidar_message(self._scan(frame.depth_m, noise))))
        if frame.instances is not None:
            extras.append((self._instances, image_message(frame.instances, 'mono8', LEFT_FRAME)))
            extras.append((self._detections, detections_message(frame.instances)))
        return SourceFrame((left, right), infos, tuple(extras))

    def _scan(
        self, depth_m: NDArray[np.float32], noise: np.random.Generator
    ) -> NDArray[np.float32]:
        settings = self._settings
        return simulate(
            depth_m,
            self._rig().left,
            LIDAR_POSE,
            settings.lidar_points,
            settings.lidar_noise,
            settings.lidar_outliers,
            noise,
        )


Infos = tuple[CameraInfo, CameraInfo]


def faulty(infos: Infos, fault: InfoFault) -> Infos | None:
    """Spoil good camera infos in the way named; None where none shall be sent."""
    if fault == 'missing':
        return None
    if fault != 'none':
        _FAULTS[fault](*infos)
    return infos


def _uncalibrated(left: CameraInfo, right: CameraInfo) -> None:
    for info in (left, right):
        info.k, info.p = [0.0] * 9, [0.0] * 12


def _zero_baseline(_: CameraInfo, right: CameraInfo) -> None:
    right.p[3] = 0.0


def _swapped_sign(_: CameraInfo, right: CameraInfo) -> None:
    right.p[3] = -right.p[3]


def _left_baseline(left: CameraInfo, right: CameraInfo) -> None:
    left.p[3], right.p[3] = right.p[3], 0.0


def _focal_mismatch(_: CameraInfo, right: CameraInfo) -> None:
    for index in (0, 5):
        right.p[index] *= 1.05


def _row_mismatch(_: CameraInfo, right: CameraInfo) -> None:
    right.p[6] += 5.0


def _wrong_size(left: CameraInfo, right: CameraInfo) -> None:
    for info in (left, right):
        info.width, info.height = info.width * 2, info.height * 2


_FAULTS: dict[str, Callable[[CameraInfo, CameraInfo], None]] = {
    'uncalibrated': _uncalibrated,
    'zero_baseline': _zero_baseline,
    'swapped_sign': _swapped_sign,
    'left_baseline': _left_baseline,
    'focal_mismatch': _focal_mismatch,
    'row_mismatch': _row_mismatch,
    'wrong_size': _wrong_size,
}


def _noisy(
    picture: NDArray[np.uint8], deviation: float, random: np.random.Generator
) -> NDArray[np.uint8]:
    if deviation == 0:
        return picture
    noise = random.standard_normal(picture.shape, np.float32) * np.float32(deviation)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def _size(frame: SourceFrame) -> int:
    messages = (*frame.images, *(message for _, message in frame.extras))
    return sum(len(message.data) for message in messages if hasattr(message, 'data'))


def main(args: list[str] | None = None) -> int:
    """Run until told to stop, or until all frames are sent."""
    use_transport_profile()
    return run_node(SyntheticRig, __doc__, args)


if __name__ == '__main__':
    sys.exit(main())
