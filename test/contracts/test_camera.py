# SPDX-License-Identifier: Apache-2.0
import math

import pytest
from pydantic import ValidationError

from vizion3d_ros.contracts.camera import Intrinsics, StereoRig
from vizion3d_ros.contracts.errors import InputError

CAMERA = {'width': 640, 'height': 480, 'fx': 400.0, 'fy': 400.0, 'cx': 319.5, 'cy': 239.5}


@pytest.mark.parametrize(('hfov_deg', 'fx'), [(90.0, 320.0), (60.0, 320 / math.tan(math.pi / 6))])
def test_field_of_view_fixes_the_focal_length(hfov_deg, fx):
    camera = Intrinsics.from_field_of_view(640, 480, hfov_deg)
    assert camera.fx == camera.fy == pytest.approx(fx)
    assert (camera.cx, camera.cy) == (319.5, 239.5)


def test_an_ideal_rig_has_no_offset():
    rig = StereoRig.from_field_of_view(640, 480, 90.0, baseline_m=0.12)
    assert rig.left == Intrinsics.from_field_of_view(640, 480, 90.0)
    assert (rig.baseline_m, rig.doffs) == (0.12, 0.0)
    assert rig.focal_baseline == pytest.approx(320.0 * 0.12)


def test_no_baseline_no_focal_baseline():
    assert StereoRig(left=CAMERA, baseline_m=None).focal_baseline is None


def test_the_principal_point_may_lie_outside():
    assert Intrinsics(**{**CAMERA, 'cx': -50.0, 'cy': 1000.0}).cx == -50.0


@pytest.mark.parametrize(
    'change',
    [
        {'width': 0},
        {'height': -1},
        {'fx': 0.0},
        {'fy': -400.0},
        {'fx': math.nan},
        {'cx': math.nan},
        {'cy': math.inf},
        {'skew': 0.0},
    ],
)
def test_impossible_cameras_are_refused(change):
    with pytest.raises(ValidationError):
        Intrinsics(**{**CAMERA, **change})


@pytest.mark.parametrize(
    'change', [{'baseline_m': 0.0}, {'baseline_m': -0.1}, {'doffs': math.nan}, {'doffs': None}]
)
def test_impossible_rigs_are_refused(change):
    with pytest.raises(ValidationError):
        StereoRig(**{'left': CAMERA, 'baseline_m': 0.1, **change})


def test_contracts_are_frozen():
    with pytest.raises(InputError, match=r'^fx: .* cannot be changed'):
        Intrinsics(**CAMERA).fx = 1.0
