# SPDX-License-Identifier: Apache-2.0
"""Every state of the mono node in words: level, sentence, and the figures beside it."""

import time
from types import SimpleNamespace

import pytest
from scene import info_message, stamped
from sensor_msgs.msg import CameraInfo, PointCloud2

from vizion3d_ros.contracts.metric_scale import MetricScale, ScaleFit, ScaleUsed
from vizion3d_ros.contracts.settings.mono_settings import MonoSettings
from vizion3d_ros.geometry.metric_scale.tracker import NO_SCALE_YET
from vizion3d_ros.incoming.camera_info import CameraCache
from vizion3d_ros.incoming.input_stats import InputStats
from vizion3d_ros.ros.health.diagnostics import ERROR, OK, WARN
from vizion3d_ros.ros.health.mono_status import MonoStatus
from vizion3d_ros.ros.stream.mono_frames import RELATIVE
from vizion3d_ros.ros.stream.publishers import Endpoint, PublisherSeen
from vizion3d_ros.ros.stream.sparse_input import SparseInput
from vizion3d_ros.ros.stream.sparse_reading import SparseReading

pytestmark = pytest.mark.ros

SECOND = 10**9
METRIC_WANTED = frozenset({'depth/image', 'points2'})
RELATIVE_WANTED = frozenset({'relative_depth/image'})
GOOD = ScaleFit(MetricScale(0.5, 0.1), 400, 390, 12, 0.01234, '')


class Inputs:
    """Subscriptions as the status sees them; `publishers` by input."""

    def __init__(self):
        self.is_open = True
        self.idle = 'no subscribers'
        self.opened = time.monotonic() - 100.0
        self.publishers = {}
        self.appeared = 0.0  # whoever publishes, or what is subscribed to instead
        self.mixed = ''

    def explain_mixed(self):
        return self.mixed

    def now_ns(self):
        return time.time_ns()

    def topic(self, name):
        return f'/robot/{name}'

    def endpoint(self, name):
        kind = f'sensor_msgs/msg/{"CameraInfo" if "info" in name else "Image"}'
        seen = (PublisherSeen('camera', kind, *offer) for offer in self.publishers.get(name, []))
        return Endpoint(self.topic(name), kind, tuple(seen), since=max(self.opened, self.appeared))


class Stage:
    """All that a status is made of, in its first state: open, and nothing has come."""

    def __init__(self):
        self.inputs = Inputs()
        self.images = InputStats()
        self.sparse = SparseInput()
        self.camera = CameraCache()
        self.settings = MonoSettings()
        self.processor = SimpleNamespace(relative=None, scale=NO_SCALE_YET, sparse=SparseReading())

    @property
    def status(self):
        return MonoStatus(self.inputs, self.images, self.sparse, self.camera, self.settings)

    def scale(self, wanted=METRIC_WANTED):
        return self.status.scale(self.processor, wanted)

    def add_images(self, seconds=5.0):
        """Images that have come for so long, and still do."""
        self.images.add(0)
        self.images.began -= seconds

    def add_scan(self, offset_s=0.0):
        self.sparse.add(stamped(PointCloud2, 10 * SECOND), int((10 + offset_s) * SECOND))

    def relative(self, used=NO_SCALE_YET):
        self.processor.relative = True
        self.processor.scale = used


@pytest.fixture
def stage():
    return Stage()


def quiet_for(seconds):
    return time.monotonic() - seconds


# input


def test_a_closed_input_is_idle_and_fine(stage):
    stage.inputs.is_open = False
    assert stage.status.images_in(quiet_for(100.0))[:2] == (OK, 'idle: no subscribers')


def test_images_that_come_are_counted_with_their_rate(stage):
    for step in range(5):
        stage.images.add(step * SECOND // 20)
    assert stage.status.images_in(quiet_for(1.9)) == (
        OK,
        'receiving',
        {'received': 5, 'missing': 0, 'rate_hz': 5.0},
    )


def test_silence_longer_than_the_timeout_is_explained(stage):
    level, text, _ = stage.status.images_in(quiet_for(2.1))
    assert level == WARN
    assert text.startswith('no image: nobody publishes /robot/image_rect')
    stage.inputs.publishers['image_rect'] = [('best_effort',)]
    stage.images.add(0)
    stage.images.arrived -= 2.1
    _, text, _ = stage.status.images_in(quiet_for(2.1))
    assert 'the last image came' in text and 'best_effort' in text


@pytest.mark.parametrize(('seconds', 'level'), [(2.3, OK), (2.5, WARN)])
def test_the_first_image_of_a_camera_gets_more_time(stage, seconds, level):
    stage.inputs.publishers['image_rect'] = [('reliable',)]
    stage.inputs.opened = quiet_for(seconds)
    assert stage.status.images_in(quiet_for(60.0))[0] == level


def test_an_input_that_cannot_connect_is_an_error(stage):
    stage.inputs.publishers['image_rect'] = [('best_effort', 'offers too little')]
    level, text, _ = stage.status.images_in(quiet_for(2.1))
    assert level == ERROR and 'offers too little' in text and 'set qos_overrides' in text


def test_images_that_get_lost_on_the_way_are_told_with_their_share(stage):
    for frame in range(0, 90, 3):
        stage.images.add(frame * SECOND // 30)
        stage.images.add((frame + frame % 2) * SECOND // 30)
    level, text, values = stage.status.images_in(quiet_for(0.0))
    assert level == WARN and values['missing'] > 20
    assert '% of the images on /robot/image_rect never arrive' in text


# calibration


def test_a_missing_camera_info_is_a_fault_only_for_those_who_need_it(stage):
    stage.add_images()
    assert stage.status.calibration(frozenset({'depth/image'}))[0] == OK
    level, text, _ = stage.status.calibration(METRIC_WANTED)
    assert level == WARN
    assert 'no camera_info on /robot/camera_info' in text and text.endswith('no points2')


def test_a_camera_info_that_is_subscribed_to_just_now_is_not_missed_yet(stage):
    stage.add_images()
    stage.inputs.appeared = time.monotonic()
    assert stage.status.calibration(METRIC_WANTED) == (OK, 'waiting for camera_info', {})


def test_a_missing_camera_info_is_waited_for(stage):
    waiting = OK, 'waiting for camera_info', {}
    assert stage.status.calibration(METRIC_WANTED) == waiting, 'there is no image yet either'
    stage.add_images(1.9)
    assert stage.status.calibration(METRIC_WANTED) == waiting, 'images have only just begun'


def test_raw_images_need_a_camera_info_for_everything(stage):
    stage.add_images()
    stage.settings = MonoSettings(rectify=True)
    level, text, _ = stage.status.calibration(RELATIVE_WANTED)
    assert level == WARN and text.endswith('no output')


@pytest.mark.parametrize(
    ('rectify', 'wanted', 'level', 'cost'),
    [
        (False, METRIC_WANTED, WARN, 'no points2'),
        (False, RELATIVE_WANTED, WARN, 'no points2 and depth/camera_info'),
        (True, RELATIVE_WANTED, ERROR, 'no output'),
    ],
)
def test_an_uncalibrated_camera_is_named_with_what_it_costs(stage, rectify, wanted, level, cost):
    stage.settings = MonoSettings(rectify=rectify)
    stage.camera.add(CameraInfo(width=320, height=240))
    found, text, _ = stage.status.calibration(wanted)
    assert found == level
    assert 'uncalibrated (P[0] = 0' in text and text.endswith(f'until then {cost}')


@pytest.mark.parametrize(
    ('topic', 'rectify', 'level'),
    [('image_raw', False, WARN), ('image_rect', False, OK), ('image_raw', True, OK)],
)
def test_a_lens_that_distorts_matters_unless_the_image_is_rectified(stage, topic, rectify, level):
    info = info_message()
    info.d = [0.1, 0.0, 0.0, 0.0, 0.0]
    stage.camera.add(info)
    stage.settings = MonoSettings(rectify=rectify)
    stage.inputs.topic = lambda name: f'/robot/{topic}'
    found, text, _ = stage.status.calibration(METRIC_WANTED)
    assert found == level
    assert (level == OK) == (text == 'calibrated')


def test_a_calibration_shows_its_numbers(stage):
    stage.camera.add(info_message())
    level, text, values = stage.status.calibration(METRIC_WANTED)
    assert (level, text) == (OK, 'calibrated')
    assert (values['width'], values['fx']) == (320, 200.0)


# scale


def test_before_the_first_answer_nothing_is_known(stage):
    assert stage.scale() == (OK, 'no image yet', {})


def test_a_metric_checkpoint_needs_no_scale(stage):
    stage.processor.relative = False
    assert stage.scale() == (OK, 'metric checkpoint', {})


def test_nobody_who_asks_for_metres_nobody_to_warn(stage):
    stage.relative()
    assert stage.scale(RELATIVE_WANTED)[:2] == (OK, 'relative: nobody asks for metres')


def test_a_good_fit_shows_its_figures(stage):
    stage.camera.add(info_message())
    stage.add_scan(0.02)
    stage.relative(ScaleUsed(GOOD.scale, '', GOOD, age=0.05))
    level, text, values = stage.scale()
    assert (level, text) == (OK, 'metric: sparse depth gives the scale')
    expected = {'points': 400, 'inliers': 390, 'cells': 12, 'residual': 0.0123, 'age': 0.05}
    expected |= {'sparse received': 1, 'sparse offset': 0.02, 'scale': 0.5, 'shift': 0.1}
    assert {key: values[key] for key in expected} == expected


def test_without_any_sparse_depth_the_ways_to_metres_are_told(stage):
    stage.relative()
    assert stage.scale()[:2] == (WARN, RELATIVE)


@pytest.mark.parametrize('name', ['sparse_depth/points', 'sparse_depth/image'])
def test_a_lidar_that_is_connected_and_silent_is_named(stage, name):
    stage.relative()
    stage.inputs.publishers[name] = [('reliable',)]
    level, text, _ = stage.scale()
    assert level == WARN
    assert f'nothing arrived on /robot/{name}' in text
    stage.inputs.opened = time.monotonic() - 1.9
    assert stage.scale()[1] == RELATIVE, 'it may still come'


@pytest.mark.parametrize('info', [None, CameraInfo(width=320, height=240)])
def test_sparse_depth_without_a_calibration_has_no_place(stage, info):
    if info:
        stage.camera.add(info)
    stage.relative()
    stage.add_scan()
    level, text, _ = stage.scale()
    assert level == WARN
    assert text.startswith('no metres, so no depth/* and no points2: ')
    assert '/robot/camera_info' in text


def test_sparse_depth_of_another_time_is_told_with_its_distance(stage):
    stage.camera.add(info_message())
    stage.relative()
    stage.add_scan(-7.0)
    level, text, _ = stage.scale()
    assert level == WARN and '-7.000 s' in text and 'sparse_depth.max_offset' in text


def test_a_scan_that_has_just_come_is_not_called_late(stage):
    stage.camera.add(info_message())
    stage.relative(ScaleUsed(None, '3 of 400 points agree', GOOD))
    stage.add_scan(0.05)
    assert stage.sparse.unmatched == 1
    assert stage.scale()[1].endswith('3 of 400 points agree')


def test_the_reason_of_the_fit_comes_through_and_doubts_beside_it(stage):
    stage.camera.add(info_message())
    stage.relative(ScaleUsed(None, 'too few points', GOOD))
    stage.add_scan()
    assert stage.scale()[:2] == (
        WARN,
        'no metres, so no depth/* and no points2: too few points',
    )
    stage.processor.sparse = SparseReading(doubt='the frames differ')
    assert stage.scale()[1].endswith('too few points; the frames differ')
    stage.processor.sparse = SparseReading(None, 'the cloud has no field x', 'the frames differ')
    assert stage.scale()[1].endswith('the cloud has no field x; the frames differ')
