# SPDX-License-Identifier: Apache-2.0
"""Whatever an Image or CameraInfo says: an array of the size it claims, or our own error."""

from array import array

import numpy as np
import pytest
from allocation import at_most
from hypothesis import given
from hypothesis import strategies as st
from outcomes import accepted, both_ways, refused
from sensor_msgs.msg import CameraInfo, Image, RegionOfInterest

from vizion3d_ros.contracts.calibration import calibrate
from vizion3d_ros.contracts.errors import CalibrationError, InputError
from vizion3d_ros.geometry.rectify import rectify
from vizion3d_ros.incoming.encodings import ENCODINGS
from vizion3d_ros.incoming.images import calibration_of, image_to_array

pytestmark = pytest.mark.ros

UINT32 = st.integers(0, 2**32 - 1)
SIZES = st.integers(0, 9) | UINT32
OTHER_ENCODINGS = ['16SC3', '32FC1', '64FC4', '8UC5', '8UC2', 'nv12', 'jpeg', '']
MODELS = ['plumb_bob', 'rational_polynomial', 'equidistant', 'fisheye', 'none', '', 'Plumb Bob']


def good_image(encoding, height, width, padding):
    step = width * ENCODINGS[encoding].pixel_bytes + padding
    data = array('B', bytes(range(256)) * 8)[: height * step]
    return Image(height=height, width=width, step=step, encoding=encoding, data=data)


def changed(message, changes):
    for name, value in changes.items():
        setattr(message, name, value)
    return message


def few_fields(lies, most):
    """Few of the fields: most of a broken message is as it should be."""
    names = st.sets(st.sampled_from(list(lies)), min_size=1, max_size=most)
    return names.flatmap(lambda few: st.fixed_dictionaries({name: lies[name] for name in few}))


lies = {
    'height': SIZES,
    'width': SIZES,
    'step': SIZES,
    'encoding': st.sampled_from([*ENCODINGS, *OTHER_ENCODINGS]) | st.text(max_size=12),
    'data': st.binary(max_size=600).map(lambda data: array('B', data)),
}
images = st.builds(
    changed,
    st.builds(
        good_image,
        st.sampled_from(list(ENCODINGS)),
        st.integers(1, 6),
        st.integers(1, 3).map(lambda half: 2 * half),
        st.integers(0, 3),
    ),
    st.fixed_dictionaries({'is_bigendian': st.integers(0, 255)}) | few_fields(lies, 1),
)
# Beside what drivers send the numbers that end programs.
numbers = st.sampled_from([0.0, 1.0, -1.0, 320.0, 200.0, -20.0, 1e-9, 1e9, 5e-324]) | st.floats()
K = [40.0, 0.0, 16.0, 0.0, 40.0, 12.0, 0.0, 0.0, 1.0]
P = [40.0, 0.0, 16.0, 0.0, 0.0, 40.0, 12.0, 0.0, 0.0, 0.0, 1.0, 0.0]


def some_of(good):
    """A list of numbers some of which are others."""
    changes = st.dictionaries(st.integers(0, len(good) - 1), numbers, max_size=2)
    return changes.map(lambda new: [new.get(i, number) for i, number in enumerate(good)])


def infos(tx=0.0):
    """As a driver writes it, but for two fields at most."""
    p = [*P[:3], tx, *P[4:]]
    lies = {
        'height': UINT32,
        'width': UINT32,
        'distortion_model': st.text(max_size=12),
        'd': st.lists(numbers, max_size=15),
        'k': some_of(K),
        'r': some_of(np.eye(3).ravel().tolist()),
        'p': some_of(p),
        'binning_x': st.integers(0, 4) | UINT32,
        'binning_y': st.integers(0, 4) | UINT32,
        'roi': st.builds(
            RegionOfInterest, x_offset=SIZES, y_offset=SIZES, height=SIZES, width=SIZES
        ),
    }
    good = st.builds(
        CameraInfo,
        height=st.just(24),
        width=st.just(32),
        distortion_model=st.sampled_from(MODELS),
        d=st.sampled_from([[], [0.0] * 5, [-0.1, 0.01, 0.0, 0.0]]),
        k=st.just(K),
        r=st.just([0.0] * 9),
        p=st.just(p),
    )
    return st.builds(changed, good, st.just({}) | few_fields(lies, 2))


@both_ways
@given(images, st.integers(8, 16))
def test_an_image_is_decoded_or_refused(image, bits):
    # Whatever size is claimed, no room is made for it: there are 600 bytes at most.
    with at_most(4_000_000):
        try:
            pixels = image_to_array(image, bits)
        except InputError as error:
            return refused(error)
    assert pixels.dtype == np.uint8
    assert pixels.shape in {(image.height, image.width), (image.height, image.width, 3)}
    accepted()


@both_ways
@given(infos(), infos(tx=-4.0))
def test_a_pair_of_calibrations_is_read_or_named_as_faulty(left, right):
    calibration = calibrate(calibration_of(left), calibration_of(right))
    assert all(fault.text for fault in calibration.faults)
    if calibration.rig is None or calibration.rig.baseline_m is None:
        return refused(calibration.faults)
    assert 0 < calibration.rig.baseline_m < np.inf
    accepted()


@both_ways
@given(infos())
def test_an_image_is_rectified_or_the_calibration_refused(info):
    image = np.zeros((24, 32, 3), np.uint8)
    with at_most(4_000_000):
        try:
            assert rectify(image, calibration_of(info)).shape[2] == 3
        except CalibrationError as error:
            return refused(error)
    accepted()
