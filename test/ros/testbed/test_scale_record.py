# SPDX-License-Identifier: Apache-2.0
import pytest

pytest.importorskip('rclpy')

from recorder_feed import camera_info, diagnostics, sparse
from sensor_msgs.msg import CameraInfo, PointCloud2

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.ros.testbed.scale_record import NEWEST, ScaleRecord

pytestmark = pytest.mark.ros

FORWARD = (0.0, 0.0, 0.0, 0.5, -0.5, 0.5, 0.5)  # x forward, y left, z up
FIT = {'points': 40, 'inliers': 30, 'cells': 8, 'residual': 0.01}
INFO = camera_info(40.0, 0.0)


def cloud_at(seconds, scale=1.0):
    cloud = sparse()
    cloud.header.stamp.sec = seconds
    memory = memoryview(cloud.data).cast('B').cast('f')
    for index in range(len(memory)):
        memory[index] *= scale
    return cloud


@pytest.fixture
def record():
    return ScaleRecord(FORWARD)


def test_points_are_brought_into_the_image(record):
    record.add_cloud(sparse())
    seen = record.sparse_near(0, INFO)
    assert seen.depth_m.tolist() == pytest.approx([2.2, 4.4])
    assert seen.columns.tolist() == pytest.approx([40.0, 40.0 + 100.0 / 4.4])
    assert seen.rows.tolist() == pytest.approx([30.0, 30.0])


def test_the_cloud_nearest_in_time_is_taken_and_only_the_newest_are_kept(record):
    for second in range(NEWEST + 2):
        record.add_cloud(cloud_at(second, scale=1.0 + second))
    assert record.sparse_near(4_600_000_000, INFO).depth_m[0] == pytest.approx(2.2 * 6)
    assert record.sparse_near(0, INFO).depth_m[0] == pytest.approx(2.2 * 3)


def test_without_points_or_calibration_there_is_nothing_to_show(record):
    assert record.sparse_near(0, INFO) is None
    record.add_cloud(sparse())
    assert record.sparse_near(0, None) is None
    assert record.sparse_near(0, CameraInfo(width=80, height=60)) is None


def test_a_cloud_without_points_is_refused(record):
    record.add_cloud(PointCloud2())
    with pytest.raises(InputError, match='field x'):
        record.sparse_near(0, INFO)


def test_the_newest_fit_is_kept(record):
    record.add_diagnostics(diagnostics(**FIT, age=0.1))
    assert record.fit == FIT
    record.add_diagnostics(diagnostics(**{**FIT, 'inliers': 20}))
    assert record.fit['inliers'] == 20


def test_reports_without_a_usable_fit_change_nothing(record):
    for values in ({}, {'sparse received': 3}, {**FIT, 'residual': float('nan')}):
        record.add_diagnostics(diagnostics(**values))
        assert record.fit is None
