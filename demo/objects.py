#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which points are which object: a detector's masks and depth go to annotation_node over DDS.

    python demo/objects.py        or: make demo OBJECTS=1

The synthetic room gives images, depth and true masks. One table is of its true depth, so that the
figures are of the annotation alone, one of the depth that stereo matching makes of its images.
Every second round the masks are 5 px too fat on all sides, as those of networks are. Writes
objects.png, objects.ply (both of stereo depth) and objects.json into out/.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from nodes import START_S, DemoError, environment, exit_code_of, node  # noqa: E402 (beside this)
from objects_view import Score, montage, score, table, worst_of  # noqa: E402
from processes import Children  # noqa: E402

from vizion3d_ros.contracts.camera import StereoRig  # noqa: E402
from vizion3d_ros.files.ply import write_cloud  # noqa: E402
from vizion3d_ros.stereo import (  # noqa: E402
    StereoDepth,
    StereoDepthAdvancedConfig,
    StereoDepthCommand,
)
from vizion3d_ros.testbed.scene import PERIOD_S, SyntheticScene  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vizion3d_ros.testbed.scene import RenderedPair

FAT_PX = 5
MM_PER_M = 1000


class Room:
    """Camera and detector of one node, and what it answers."""

    def __init__(self, rig: StereoRig) -> None:
        """Join the graph."""
        import rclpy
        from sensor_msgs.msg import CameraInfo, Image, PointCloud2
        from vision_msgs.msg import Detection2DArray, Detection3DArray

        rclpy.init()
        self._rig = rig
        self._node = rclpy.create_node('room')
        kinds = {'depth/image': Image, 'depth/camera_info': CameraInfo, 'instances/image': Image}
        kinds['instances/detections'] = Detection2DArray
        self._publishers = {
            name: self._node.create_publisher(kind, name, 5) for name, kind in kinds.items()
        }
        self._heard: dict[str, dict[int, object]] = {}
        for name, kind in (('detections_3d', Detection3DArray), ('labeled_points', PointCloud2)):
            self._heard[name] = {}
            self._node.create_subscription(kind, name, self._hear(name), 5)

    def ask(self, depth_m: np.ndarray, masks: np.ndarray) -> tuple[object, np.ndarray]:
        """Send one moment until it is answered: detections, and points as labeled_points has."""
        import rclpy

        deadline, stamps = time.monotonic() + START_S, set()
        due = 0.0
        while time.monotonic() < deadline:
            if time.monotonic() > due:
                due = time.monotonic() + 0.5
                stamps.add(self._send(depth_m, masks))
            rclpy.spin_once(self._node, timeout_sec=0.05)
            common = set.intersection(stamps, *map(set, self._heard.values()))
            if common:
                found, cloud = (heard[max(common)] for heard in self._heard.values())
                return found, points_of(cloud)
        raise DemoError(f'annotation_node did not answer within {START_S:g} s: see its log')

    def _send(self, depth_m: np.ndarray, masks: np.ndarray) -> int:
        from vizion3d_ros.ros.testbed import camera_messages as messages

        frame_id, now = messages.LEFT_FRAME, self._node.get_clock().now()
        sent = {
            'depth/camera_info': messages.camera_infos(self._rig)[0],
            'instances/detections': messages.detections_message(masks),
            'depth/image': messages.image_message(depth_m, '32FC1', frame_id),
            'instances/image': messages.image_message(masks, 'mono8', frame_id),
        }
        for name, message in sent.items():
            message.header.stamp = now.to_msg()
            self._publishers[name].publish(message)
        return int(now.nanoseconds)

    def _hear(self, name: str):
        def hear(message) -> None:
            stamp = message.header.stamp
            self._heard[name][stamp.sec * 10**9 + stamp.nanosec] = message

        return hear


def points_of(cloud) -> np.ndarray:
    """View labeled_points as records with xyz, rgb and instance."""
    names, offsets = ['xyz', 'bgr', 'instance'], [0, 12, 16]
    formats = [('<f4', 3), ('u1', 3), '<u2']
    layout = {'names': names, 'formats': formats, 'offsets': offsets, 'itemsize': 20}
    return np.frombuffer(cloud.data, np.dtype(layout))


def demonstrate(options: argparse.Namespace) -> None:
    """Send the moments of one swing, and score what comes back."""
    options.out.mkdir(parents=True, exist_ok=True)
    rig = StereoRig.from_field_of_view(options.width, options.height, 65.0, 0.12)
    scores: dict[str, list[Score]] = {}
    os.environ.update(environment())
    with Children(environment() | dict(os.environ), ROOT, options.out) as children:
        children.start('annotation_node', node('nodes.annotation_node', {}))
        room = Room(rig)
        for kind, frame, depth_m in moments(rig, options.moments):
            for margin_px in (0, FAT_PX):
                masks = fattened(frame.instances, frame.depth_m, margin_px)
                found, points = room.ask(depth_m, masks)
                answer = depth_m, masks, found, points
                scores.setdefault(kind, []).extend(score(frame, *answer, margin_px))
                if margin_px == 0:
                    shown = frame, masks, found, points
    for kind, own in scores.items():
        print(f'{kind} depth of the synthetic room, {options.width}x{options.height}')
        print(table(own))
    montage(*shown, rig.left, options.out / 'objects.png')
    points = shown[3]
    write_cloud(options.out / 'objects.ply', points['xyz'], points['bgr'][:, ::-1])
    worst = {kind: worst_of(own) for kind, own in scores.items()}
    (options.out / 'objects.json').write_text(json.dumps(worst, indent=2) + '\n')
    for name in ('objects.png', 'objects.ply', 'objects.json'):
        print(f'  {options.out / name}')


def moments(rig: StereoRig, count: int) -> Iterator[tuple[str, RenderedPair, np.ndarray]]:
    """Give the moments of one swing twice: with the true depth, and with that of matching."""
    scene = SyntheticScene(rig)
    for moment in np.linspace(0, PERIOD_S / 2, count):
        frame = scene.at(float(moment), instances=True)
        yield 'true', frame, frame.depth_m
        yield 'stereo', frame, matched(frame, rig)


def matched(frame: RenderedPair, rig: StereoRig) -> np.ndarray:
    """Match both images: depth, float32 (H, W) metres, NaN = none."""
    command = StereoDepthCommand(
        left_image=frame.left,
        right_image=frame.right,
        model_backend='opencv-sgbm',
        advanced_config=StereoDepthAdvancedConfig(
            focal_length=rig.left.fx,
            cx=rig.left.cx,
            cy=rig.left.cy,
            baseline=MM_PER_M * rig.baseline_m,
            doffs=0.0,
        ),
    )
    depth_m = StereoDepth().run(command).raw_depth
    return np.where(depth_m > 0, depth_m, np.float32(np.nan))


def fattened(masks: np.ndarray, depth_m: np.ndarray, margin_px: int) -> np.ndarray:
    """Grow every mask by margin_px on all sides; where two meet the nearer one wins."""
    import cv2

    numbers = sorted(np.unique(masks[masks > 0]), key=lambda n: -np.median(depth_m[masks == n]))
    kernel, grown = np.ones((2 * margin_px + 1,) * 2, np.uint8), np.zeros_like(masks)
    for number in numbers:
        grown[cv2.dilate((masks == number).astype(np.uint8), kernel) > 0] = number
    return grown


def main() -> int:
    """Run the demo; gives the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--moments', type=int, default=8, help='of one swing; default 8')
    parser.add_argument('--width', type=int, default=640)
    parser.add_argument('--height', type=int, default=480)
    parser.add_argument('--out', type=Path, default=ROOT / 'out', help='default: out/')
    options = parser.parse_args()
    return exit_code_of(lambda: demonstrate(options))


if __name__ == '__main__':
    sys.exit(main())
