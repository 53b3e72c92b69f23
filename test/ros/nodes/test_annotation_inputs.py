# SPDX-License-Identifier: Apache-2.0
"""The annotation node and a detector that sends something else than it is asked for."""

from typing import ClassVar

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from robots import Robot
from vision_msgs.msg import Detection3DArray

pytestmark = pytest.mark.ros

ANNOTATION_NODE = ('-m', 'vizion3d_ros.ros.nodes.annotation_node')
DETECTIONS = 'instances/detections'


class Detector(Robot):
    """Sends boxes in space in place of those in the image."""

    NODE = 'annotation_node'
    INPUTS: ClassVar = {DETECTIONS: Detection3DArray}

    def send(self):
        self.publisher(DETECTIONS, Detection3DArray).publish(Detection3DArray())


@pytest.fixture
def nodes(start_node):
    return {'': start_node(program=ANNOTATION_NODE)}


def test_detections_of_another_type_are_told_with_both(nodes, make_robot):
    detector = make_robot(kind=Detector)
    detector.meet()
    detector.listen('detections_3d', Detection3DArray)
    words = f'{DETECTIONS} carries the type vision_msgs/msg/Detection3DArray', 'expected'
    status = detector.status(
        'masks', lambda s, _: all(word in s.message for word in words), 5.0, detector.send
    )
    assert status.level == DiagnosticStatus.ERROR
    nodes[''].wait_for_line('[ERROR]', *words)
    detector.withdraw(DETECTIONS)
    detector.status('masks', lambda s, _: s.level == DiagnosticStatus.OK, 3.0)
