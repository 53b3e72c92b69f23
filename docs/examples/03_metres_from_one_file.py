# SPDX-License-Identifier: Apache-2.0
"""
Metres from one image: a relative checkpoint, and pixels whose depth was measured.

    python3 03_metres_from_one_file.py IMAGE POINTS.csv [CHECKPOINT]
    python3 03_metres_from_one_file.py scene.png lidar.csv depth-anything-v2-small

POINTS.csv: lines of column, row, metres along the optical axis; at least 30 of them, spread over
the image, near and far. Up to 40 % may be wrong. Writes depth.npy.
"""

import sys

import numpy as np

from vizion3d_ros.lifting import DepthEstimation, DepthEstimationCommand

image, points, checkpoint = [*sys.argv[1:], 'depth-anything-v2-small'][:3]
result = DepthEstimation().run(
    DepthEstimationCommand(
        image_input=image,
        model_backend=checkpoint,
        sparse_points=np.loadtxt(points, delimiter=','),
    )
)
if result.metric_depth is None:
    sys.exit(f'no metres: {result.scale_fit.reason}')
if result.scale_fit:  # None of a metric checkpoint, which needs no points
    fit = result.scale_fit
    print(f'{fit.inliers} of {fit.points} points agree, median error {fit.residual:.2%}')
depth_m = result.metric_depth  # float32 (H, W) metres, 0.0 = no depth
height, width = depth_m.shape
print(f'in the middle {depth_m[height // 2, width // 2]:.3f} m, depth.npy written')
np.save('depth.npy', depth_m)
