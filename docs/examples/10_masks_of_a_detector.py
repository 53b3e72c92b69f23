# SPDX-License-Identifier: Apache-2.0
"""
A detector for annotation_node: a mask for each object, as YOLO gives them, become two messages.

    python3 10_masks_of_a_detector.py [--ros-args -r __ns:=/front]
"""

import cv2
import numpy as np
import rclpy
from sensor_msgs.msg import Image
from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesisWithPose


def find(rgb):
    """Masks, bool (N, H, W), classes and scores: here whatever is bright. Call yours instead."""
    _, numbers = cv2.connectedComponents((cv2.blur(rgb.mean(-1), (9, 9)) > 130).astype('u1'))
    masks = np.arange(1, numbers.max() + 1)[:, None, None] == numbers
    return masks, ['bright'] * len(masks), masks.mean((1, 2))


def on_image(image):
    masks, classes, scores = find(np.frombuffer(image.data, np.uint8).reshape(image.height, -1, 3))
    labels, found = np.zeros(masks.shape[1:], '<u2'), Detection2DArray(header=image.header)
    for number, place in enumerate(np.argsort(scores), 1):  # the surest on top of the others
        labels[masks[place]] = number
        kind = ObjectHypothesisWithPose()
        kind.hypothesis.class_id, kind.hypothesis.score = classes[place], float(scores[place])
        found.detections.append(Detection2D(id=str(number), results=[kind]))
    size = {'height': image.height, 'width': image.width, 'step': labels.strides[0]}
    instances.publish(Image(header=image.header, encoding='16UC1', data=labels.tobytes(), **size))
    detections.publish(found)  # both have the stamp of the image, by which its depth is found


rclpy.init()
node = rclpy.create_node('detector')
instances = node.create_publisher(Image, 'instances/image', 10)
detections = node.create_publisher(Detection2DArray, 'instances/detections', 10)
node.create_subscription(Image, 'left/image_rect', on_image, 10)
rclpy.spin(node)
