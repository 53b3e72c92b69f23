# SPDX-License-Identifier: Apache-2.0
"""CameraInfo is a content cache: late, repeated and changed infos."""

import pytest
from builtin_interfaces.msg import Time
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from vizion3d_ros.contracts.calibration import Severity
from vizion3d_ros.incoming.camera_info import CameraCache, CameraInfoCache, of_rectified

pytestmark = pytest.mark.ros


def info(tx=0.0, sec=0, fx=400.0, width=640):
    return CameraInfo(
        header=Header(stamp=Time(sec=sec)),
        width=width,
        height=480,
        k=[fx, 0.0, 320.0, 0.0, fx, 240.0, 0.0, 0.0, 1.0],
        p=[fx, 0.0, 320.0, tx, 0.0, fx, 240.0, 0.0, 0.0, 0.0, 1.0, 0.0],
    )


@pytest.fixture
def cache():
    return CameraInfoCache(baseline_m=0.0)


def records(log, level):
    return [r.getMessage() for r in log.records if r.levelname == level]


def test_nothing_is_known_until_both_sides_have_spoken(cache):
    assert cache.missing() == ['left', 'right']
    cache.add_right(info(-48.0))
    assert cache.missing() == ['left']
    assert cache.known is None
    left = info()
    cache.add_left(left)
    assert cache.missing() == []
    assert cache.known.calibration.rig.baseline_m == pytest.approx(0.12)
    assert cache.known.left_info is left


def test_an_info_of_another_moment_is_as_good(cache):
    cache.add_left(info(sec=1))
    cache.add_right(info(-48.0, sec=900))
    assert cache.known.calibration.faults == ()


def test_equal_contents_change_nothing_and_log_nothing(cache, package_log):
    seen = set()
    for sec in range(100):
        cache.add_right(info(-48.0, sec=sec))
        cache.add_left(info(sec=sec))
        seen.add(id(cache.known))
    assert len(seen) == 1
    assert records(package_log, 'INFO') == [
        'calibrated: 640x480, fx 400.00 px, baseline 0.1200 m, doffs 0.00 px'
    ]


@pytest.mark.parametrize(
    ('changed', 'baseline_m'),
    [(info(-80.0), 0.2), (info(0.0), None), (info(-48.0, fx=401.0), 48 / 401)],
)
def test_a_changed_content_replaces_the_rig(changed, baseline_m, cache):
    cache.add_left(info())
    cache.add_right(info(-48.0))
    before = cache.known
    cache.add_right(changed)
    assert cache.known is not before
    assert cache.known.calibration.rig.baseline_m == (baseline_m and pytest.approx(baseline_m))
    assert before.calibration.rig.baseline_m == pytest.approx(0.12), 'replaced, never changed'


@pytest.mark.parametrize(
    ('right', 'severity', 'fragment'),
    [
        (info(0.0), Severity.NO_DEPTH, 'P[3] = 0, so there is no baseline'),
        (info(48.0), Severity.NO_DEPTH, 'may be swapped'),
        (CameraInfo(), Severity.NO_OUTPUT, 'right camera_info is uncalibrated'),
        (info(-48.0, width=320), Severity.NO_OUTPUT, 'image width differs'),
        (info(-48.0, fx=500.0), Severity.NO_OUTPUT, 'fx differs'),
    ],
)
def test_each_fault_is_known_and_not_called_calibrated(
    right, severity, fragment, cache, package_log
):
    cache.add_left(info())
    cache.add_right(right)
    faults = cache.known.calibration.faults
    assert any(fault.severity is severity and fragment in fault.text for fault in faults)
    assert records(package_log, 'INFO') == []


def test_a_lens_that_distorts_is_known(cache):
    cache.add_left(info())
    bent = info(-48.0)
    bent.d = [0.1, 0.0, 0.0, 0.0, 0.0]
    cache.add_right(bent)
    assert not cache.distorted('left')
    assert cache.distorted('right')


def test_a_cure_at_run_time_gives_the_rig(cache, package_log):
    cache.add_left(info())
    cache.add_right(CameraInfo())
    assert cache.known.calibration.rig is None
    cache.add_right(info(-48.0))
    assert cache.known.calibration.rig.baseline_m == pytest.approx(0.12)
    assert records(package_log, 'INFO')[-1].startswith('calibrated: ')


def test_the_parameter_overrides_at_run_time_and_the_log_names_both(cache, package_log):
    cache.add_left(info())
    cache.add_right(info(-48.0))
    cache.set_baseline(0.25)
    assert cache.known.calibration.rig.baseline_m == 0.25
    assert (
        'baseline is 0.25 m (parameter baseline_m); the right camera_info says 0.12 m'
        in records(package_log, 'INFO')
    )
    cache.set_baseline(0.0)
    assert cache.known.calibration.rig.baseline_m == pytest.approx(0.12)


def test_an_info_without_baseline_is_said_to_give_zero(package_log):
    cache = CameraInfoCache(baseline_m=0.25)
    cache.add_left(info())
    cache.add_right(info(0.0))
    assert records(package_log, 'INFO')[0].endswith('the right camera_info says 0 m')


def test_an_unchanged_parameter_replaces_nothing(cache):
    cache.add_left(info())
    cache.add_right(info(-48.0))
    before = cache.known
    cache.set_baseline(0.0)
    assert cache.known is before


def test_a_parameter_set_before_any_info_is_used(cache):
    cache.set_baseline(0.3)
    assert cache.known is None
    cache.add_left(info())
    cache.add_right(info(0.0))
    assert cache.known.calibration.rig.baseline_m == 0.3


def test_one_camera_is_known_from_its_first_info_on(package_log):
    camera, first = CameraCache(), info()
    assert camera.known is None
    camera.add(first)
    assert camera.known.info is first
    assert camera.known.faults == ()
    assert (camera.known.intrinsics.fx, camera.known.intrinsics.width) == (400.0, 640)
    assert records(package_log, 'INFO') == ['calibrated: 640x480, fx 400.00 px']


def test_one_camera_that_repeats_itself_changes_and_logs_nothing(package_log):
    camera = CameraCache()
    seen = set()
    for sec in range(50):
        camera.add(info(sec=sec))
        seen.add(id(camera.known))
    assert len(seen) == 1
    assert len(records(package_log, 'INFO')) == 1


def test_a_coefficient_that_is_no_number_is_no_change_either(package_log):
    strange = info(-48.0)
    strange.d = [float('nan')] * 5
    camera, rig = CameraCache(), CameraInfoCache(baseline_m=0.0)
    rig.add_left(info())
    for _ in range(3):
        camera.add(strange)
        rig.add_right(strange)
    assert len(records(package_log, 'INFO')) == 2


def test_one_camera_may_be_calibrated_anew_and_lose_its_calibration(package_log):
    camera = CameraCache()
    camera.add(info())
    before = camera.known
    camera.add(info(fx=500.0))
    assert camera.known.intrinsics.fx == 500.0
    assert before.intrinsics.fx == 400.0, 'replaced, never changed'
    camera.add(CameraInfo(width=640, height=480))
    assert camera.known.intrinsics is None
    [fault] = camera.known.faults
    assert fault.text.startswith('camera_info is uncalibrated')
    assert len(records(package_log, 'INFO')) == 2
    camera.add(info())
    assert camera.known.intrinsics.fx == 400.0


def test_a_new_lens_is_a_new_calibration_of_one_camera():
    camera, bent = CameraCache(), info()
    camera.add(info())
    bent.d = [0.1, 0.0, 0.0, 0.0, 0.0]
    camera.add(bent)
    assert camera.known.content.distorted


def test_depth_has_the_camera_of_rectified_pixels():
    """With the lens beside it, readers rectify depth once more."""
    raw = info(-48.0)
    raw.distortion_model, raw.d = 'equidistant', [-0.3, 0.1, 0.0, 0.0]
    raw.k = [350.0, 0.0, 310.0, 0.0, 351.0, 250.0, 0.0, 0.0, 1.0]
    raw.r = [0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    expected = info(-48.0)
    expected.distortion_model, expected.d = 'plumb_bob', [0.0] * 5
    expected.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    names = 'distortion_model', 'd', 'k', 'r', 'p'
    made = CameraInfo(**of_rectified(raw))
    for name in names:
        assert list(getattr(made, name)) == list(getattr(expected, name)), name
    without_p = info()
    without_p.p = [0.0] * 12
    assert of_rectified(without_p)['p'] == list(info().p)
