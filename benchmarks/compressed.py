# SPDX-License-Identifier: Apache-2.0
"""
Time from CompressedImage to pixels, against cv2.imdecode, which checks and names nothing.

    python benchmarks/compressed.py [--json FILE] [--repeats 10]

The synthetic room at 1280x720. Milliseconds: the fastest of the repeats, in turns. A pair is
decoded in two threads.
"""

from __future__ import annotations

import argparse
from array import array
from pathlib import Path

import cv2
import numpy as np
from machine import print_table
from measure import fastest_in_turns
from sensor_msgs.msg import CompressedImage

from vizion3d_ros.contracts.camera import StereoRig
from vizion3d_ros.files.picture import GENEROUS
from vizion3d_ros.ros.messages.compressed import as_image, pair_as_images
from vizion3d_ros.ros.messages.incoming import image_to_array
from vizion3d_ros.testbed.scene import SyntheticScene

RIG = StereoRig.from_field_of_view(1280, 720, hfov_deg=65, baseline_m=0.12)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--json', type=Path, metavar='FILE', help='also write the table there')
    parser.add_argument('--repeats', type=int, default=10)
    options = parser.parse_args()
    bgr = SyntheticScene(RIG).at(0.7).left[..., ::-1]
    grey = np.ascontiguousarray(bgr[..., 1])
    images = {
        'JPEG, colour': ('.jpg', bgr),
        'JPEG, grey': ('.jpg', grey),
        'PNG, colour': ('.png', bgr),
        'PNG, grey': ('.png', grey),
        'PNG, 12 bits': ('.png', grey.astype(np.uint16) << 4),
    }
    rows = [row(name, *image, options.repeats) for name, image in images.items()]
    print_table('Compressed images of 1280x720', rows, options.json)


def row(name: str, ending: str, pixels: np.ndarray, repeats: int) -> dict[str, object]:
    encoded = cv2.imencode(ending, pixels)[1]
    message = CompressedImage(format=ending[1:], data=array('B', encoded.tobytes()))
    calls = {
        'cv2.imdecode: ms': lambda: cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED),
        'ours: ms': lambda: image_to_array(as_image(message, GENEROUS)),
        'a pair: ms': lambda: pair_as_images(message, message, GENEROUS),
    }
    times = {label: f'{ms:.1f}' for label, ms in fastest_in_turns(calls, repeats).items()}
    return {'format': name, 'KiB': len(encoded) // 1024, **times}


if __name__ == '__main__':
    main()
