# SPDX-License-Identifier: Apache-2.0
"""
What one camera can tell: which of two pixels is nearer, or metres with a metric checkpoint.

    python3 02_depth_from_one_file.py IMAGE [CHECKPOINT]
    python3 02_depth_from_one_file.py scene.png depth-anything-v2-small

CHECKPOINT: a name that `fetch_models` lists, fetched at first use, or the path of a file.
Writes nearness.png, 16 bit: 65535 = nearest, 0 = farthest.
"""

import sys

import cv2
import numpy as np

from vizion3d_ros.lifting import DepthEstimation, DepthEstimationCommand

image, checkpoint = [*sys.argv[1:], 'depth-anything-v2-small'][:2]
result = DepthEstimation().run(DepthEstimationCommand(image_input=image, model_backend=checkpoint))
values = result.raw_depth  # float32 (H, W): see is_metric
if result.is_metric:
    print(f'metres along the optical axis: {result.min_depth:.3f} to {result.max_depth:.3f}')
    nearness = np.where(values > 0, result.max_depth - values, 0.0)  # 0.0 = no depth
else:
    print('inverse depth up to scale and shift, larger = nearer; these are no metres')
    nearness = values - result.min_depth
nearness = 65535 * nearness / max(float(nearness.max()), 1e-9)
cv2.imwrite('nearness.png', nearness.astype(np.uint16))
print('nearness.png written')
