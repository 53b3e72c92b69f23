# SPDX-License-Identifier: Apache-2.0
"""A source begins once enough listen: for one camera the left side alone counts."""

import threading
import time

import pytest

rclpy = pytest.importorskip('rclpy')

from harness import free_domain  # noqa: E402
from sensor_msgs.msg import CameraInfo, Image  # noqa: E402

from vizion3d_ros.ros.testbed.stereo_source import SourceSettings, StereoSource  # noqa: E402

pytestmark = pytest.mark.ros

LEFT = {'left/image_rect': Image, 'left/camera_info': CameraInfo}
SMALL = {'width': 64, 'height': 48, 'rate': 20.0, 'frames': 3}


@pytest.fixture
def domain():
    """One for each test, as a listener that only just left might still be counted."""
    return free_domain()


def test_two_listeners_of_the_left_camera_are_enough_if_the_source_is_told_so(
    listen, start_source
):
    first, second = listen(LEFT), listen(LEFT)
    options = {**SMALL, 'wait_for_subscribers': 20.0, 'listeners': '[2, 0]'}
    source = start_source('synthetic_rig', **options)
    for ears in (first, second):
        ears.listen_until_the_end(source)
        assert len(ears.heard['left/image_rect']) == len(ears.heard['left/camera_info']) == 3
    assert 'nobody listens' not in source.end()[2]


def test_one_listener_is_not_two(listen, start_source):
    ears = listen(LEFT)
    options = {**SMALL, 'wait_for_subscribers': 2.0, 'listeners': '[2, 0]'}
    source = start_source('synthetic_rig', **options)
    ears.listen_until_the_end(source)
    assert 'fewer than the [2, 0] expected' in source.end()[2]


class SlowSource(StereoSource):
    """Has its frames when it is told to."""

    def __init__(self):
        super().__init__('slow_source')
        self.go = threading.Event()
        self.begin(SourceSettings(wait_for_subscribers=60.0))

    def prepare(self):
        self.go.wait()
        return []


def test_the_calibration_is_advertised_once_the_images_are_there(domain):
    rclpy.init(domain_id=domain)
    try:
        source = SlowSource()
        rclpy.spin_once(source)
        assert source.count_publishers('left/image_rect') == 1, 'a camera is there'
        assert source.count_publishers('left/camera_info') == 0, 'and not ready'
        source.go.set()
        alarm = time.monotonic() + 20.0
        while not source.count_publishers('left/camera_info') and time.monotonic() < alarm:
            rclpy.spin_once(source)
        assert source.count_publishers('right/camera_info') == 1
        source.destroy_node()
    finally:
        rclpy.try_shutdown()
