# SPDX-License-Identifier: Apache-2.0
"""Whatever an Image or CameraInfo says: an array of the size it claims, or our own error."""

from array import array

import numpy as np
import pytest
from allocation import at_most
from hypothesis import given
from hypothesis import strategies as st
from sensor_msgs.msg import CameraInfo, Image, RegionOfInterest

from vizion3d_ros.contracts.calibration import calibrate
from vizion3d_ros.contracts.errors import CalibrationError, InputError
from vizion3d_ros.geometry.rectify import rectify
from vizion3d_ros.ros.messages.encodings import ENCODINGS
from vizion3d_ros.ros.messages.incoming import calibration_of, image_to_array

pytestmark = pytest.mark.ros

UINT32 = st.integers(0, 2**32 - 1)
SIZES = st.integers(0, 9) | UINT32
OTHER_ENCODINGS = ['16SC3', '32FC1', '64FC4', '8UC5', '8UC2', 'nv12', 'jpeg', '']
MODELS = ['plumb_bob', 'rational_polynomial', 'equidistant', 'fisheye', 'none', '', 'Plumb Bob']

images = st.builds(
    lambda data, **fields: Image(data=array('B', data), **fields),
    data=st.binary(max_size=600),
    height=SIZES,
    width=SIZES,
    step=SIZES,
    encoding=st.sampled_from([*ENCODINGS, *OTHER_ENCODINGS]) | st.text(max_size=12),
    is_bigendian=st.integers(0, 255),
)
# Lengths that drivers send, and beside them the numbers that end programs.
numbers = st.sampled_from([0.0, 1.0, -1.0, 320.0, 200.0, -20.0, 1e-9, 1e9]) | st.floats()
infos = st.builds(
    CameraInfo,
    height=st.just(24) | UINT32,
    width=st.just(32) | UINT32,
    distortion_model=st.sampled_from(MODELS) | st.text(max_size=12),
    d=st.lists(numbers, max_size=15),
    k=st.lists(numbers, min_size=9, max_size=9),
    r=st.lists(numbers, min_size=9, max_size=9),
    p=st.lists(numbers, min_size=12, max_size=12),
    binning_x=st.integers(0, 4) | UINT32,
    binning_y=st.integers(0, 4) | UINT32,
    roi=st.builds(RegionOfInterest, x_offset=SIZES, y_offset=SIZES, height=SIZES, width=SIZES),
)


@given(images, st.integers(8, 16))
def test_an_image_is_decoded_or_refused(image, bits):
    # Whatever size is claimed, no room is made for it: there are 600 bytes at most.
    with at_most(4_000_000):
        try:
            pixels = image_to_array(image, bits)
        except InputError as error:
            assert str(error)
            return
    assert pixels.dtype == np.uint8
    assert pixels.shape in {(image.height, image.width), (image.height, image.width, 3)}


@given(infos, infos)
def test_a_pair_of_calibrations_is_read_or_named_as_faulty(left, right):
    calibration = calibrate(calibration_of(left), calibration_of(right))
    assert calibration.rig is not None or calibration.faults
    if calibration.rig is not None and calibration.rig.baseline_m is not None:
        assert 0 < calibration.rig.baseline_m < np.inf
    assert all(fault.text for fault in calibration.faults)


@given(infos)
def test_an_image_is_rectified_or_the_calibration_refused(info):
    image = np.zeros((24, 32, 3), np.uint8)
    try:
        assert rectify(image, calibration_of(info)).shape[2] == 3
    except CalibrationError as error:
        assert str(error)
