# SPDX-License-Identifier: Apache-2.0
"""
Depth of one rectified stereo pair, without ROS and without weights.

    python3 01_depth_from_two_files.py LEFT RIGHT FX CX CY BASELINE_MM [DOFFS]
    python3 01_depth_from_two_files.py left.png right.png 994.98 311.19 254.88 193.0 31.09

FX, CX, CY: of the left image, in pixels. DOFFS: cx of the right image - cx of the left one.
Prints the depth in the middle of the image and writes depth.npy.
"""

import sys

import numpy as np

from vizion3d_ros.stereo import StereoDepth, StereoDepthAdvancedConfig, StereoDepthCommand

left, right, fx, cx, cy, baseline_mm, *doffs = sys.argv[1:]
result = StereoDepth().run(
    StereoDepthCommand(
        left_image=left,
        right_image=right,
        model_backend='opencv-sgbm',
        return_depth_image=False,
        advanced_config=StereoDepthAdvancedConfig(
            focal_length=float(fx),
            cx=float(cx),
            cy=float(cy),
            baseline=float(baseline_mm),
            doffs=float(doffs[0]) if doffs else 0.0,
        ),
    )
)
depth_m = result.raw_depth  # float32 (H, W) metres, 0.0 = no measurement
height, width = depth_m.shape
print(f'{result.backend_used}: {result.min_depth:.3f} to {result.max_depth:.3f} m')
print(f'in the middle {depth_m[height // 2, width // 2]:.3f} m, depth.npy written')
np.save('depth.npy', depth_m)
