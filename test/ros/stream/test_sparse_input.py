# SPDX-License-Identifier: Apache-2.0
"""Which sparse depth belongs to an image, by stamp."""

import math

import pytest
from scene import stamped
from sensor_msgs.msg import PointCloud2

from vizion3d_ros.ros.stream.sparse_input import KEPT, SparseInput

pytestmark = pytest.mark.ros

START, MS = 1000 * 10**9, 10**6


def scan(offset_ms):
    return stamped(PointCloud2, START + offset_ms * MS)


@pytest.fixture
def sparse():
    return SparseInput()


def test_nothing_fits_before_anything_came(sparse):
    assert sparse.near(START, 1.0) is None
    assert (sparse.received, sparse.used, sparse.unmatched) == (0, 0, 0)
    assert math.isnan(sparse.offset)


@pytest.mark.parametrize(
    ('offsets_ms', 'nearest_ms'),
    [([-80], -80), ([70], 70), ([-90, -30, 40], -30), ([-200, -100], -100), ([300, 20, -10], -10)],
)
def test_the_nearest_in_time_is_taken_before_or_after_the_image(sparse, offsets_ms, nearest_ms):
    scans = {offset_ms: scan(offset_ms) for offset_ms in offsets_ms}
    for message in scans.values():
        sparse.add(message, None)
    assert sparse.near(START, 0.1) is scans[nearest_ms]


@pytest.mark.parametrize(('offset_ms', 'fits'), [(100, True), (-100, True), (101, False)])
def test_the_largest_offset_is_a_limit(sparse, offset_ms, fits):
    sparse.add(scan(offset_ms), None)
    assert (sparse.near(START, 0.1) is not None) == fits


def test_one_scan_serves_several_images(sparse):
    sparse.add(scan(0), None)
    answers = [sparse.near(START + delay * MS, 0.1) for delay in (0, 33, 66, 100, 133)]
    assert [answer is not None for answer in answers] == [True] * 4 + [False]
    assert (sparse.received, sparse.used, sparse.unmatched) == (1, 4, 0)


def test_what_fits_no_image_is_counted_and_told_with_its_distance(sparse):
    for step in range(3):
        sparse.add(scan(5000 + 100 * step), START + 100 * step * MS)
        assert sparse.near(START + 100 * step * MS, 0.1) is None
    assert (sparse.received, sparse.unmatched) == (3, 3)
    text = sparse.explain(0.1)
    for words in ('3 messages', '0.0 s ago', '-5.000 s off the image', 'of 0.1 s', 'the clocks'):
        assert words in text
    sparse.add(scan(0), START)
    assert sparse.near(START, 0.1) is not None
    assert sparse.unmatched == 0


def test_the_first_scan_is_measured_against_the_first_image(sparse):
    sparse.add(scan(-2500), None)
    assert math.isnan(sparse.offset)
    sparse.near(START, 0.1)
    assert sparse.offset == pytest.approx(2.5)


def test_only_the_newest_are_kept_and_forgetting_drops_them(sparse):
    for step in range(KEPT + 1):
        sparse.add(scan(1000 * step), None)
    assert sparse.near(START, 0.1) is None, 'the oldest is gone'
    assert sparse.near(START + 1000 * MS, 0.1) is not None
    sparse.reset()
    assert sparse.near(START + 1000 * MS, 0.1) is None
    assert sparse.received == KEPT + 1
