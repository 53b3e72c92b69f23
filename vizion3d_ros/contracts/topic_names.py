# SPDX-License-Identifier: Apache-2.0
"""Names of topics as the nodes have them: relative, so that they follow namespaces and remaps."""

# inputs of the stereo node
LEFT = 'left/image_rect'
RIGHT = 'right/image_rect'
LEFT_INFO = 'left/camera_info'
RIGHT_INFO = 'right/camera_info'

# inputs of the mono node
IMAGE = 'image_rect'
INFO = 'camera_info'
SPARSE_POINTS = 'sparse_depth/points'
SPARSE_IMAGE = 'sparse_depth/image'

# inputs of the annotation node, beside DEPTH, DEPTH_INFO, POINTS and LEFT
INSTANCES = 'instances/image'
DETECTIONS = 'instances/detections'

# outputs
DISPARITY = 'disparity'
DISPARITY_COLOR = 'disparity/image_color'
DEPTH = 'depth/image'
DEPTH_INFO = 'depth/camera_info'
DEPTH_COLOR = 'depth/image_color'
POINTS = 'points2'
CONFIDENCE = 'confidence/image'
VISIBILITY = 'visibility/image'
UNCERTAINTY = 'depth/uncertainty'
RELATIVE = 'relative_depth/image'
RELATIVE_COLOR = 'relative_depth/image_color'

# outputs of the annotation node
DETECTIONS_3D = 'detections_3d'
LABELED_POINTS = 'labeled_points'
MARKERS = 'markers'

# what a source with ground truth publishes beside its images
TRUE_DEPTH = 'ground_truth/depth'
TRUE_DISPARITY = 'ground_truth/disparity'
