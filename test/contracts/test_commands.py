# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from pydantic import ValidationError

from vizion3d_ros.contracts.commands import Output, StereoCommand
from vizion3d_ros.contracts.errors import explain

GREY = np.zeros((96, 160), np.uint8)
RGB = np.zeros((96, 160, 3), np.uint8)


@pytest.mark.parametrize('image', [GREY, RGB])
def test_grey_and_rgb_pairs_pass_without_a_copy(image, rig):
    command = StereoCommand(left=image, right=image, rig=rig, outputs={Output.DEPTH})
    assert command.left is image
    assert command.outputs == frozenset({Output.DEPTH})


@pytest.mark.parametrize(
    ('image', 'came'),
    [
        (RGB.astype(np.float32), 'float32'),
        (RGB.astype(np.uint16), 'uint16'),
        (np.zeros((96, 160, 4), np.uint8), '(96, 160, 4)'),
        (np.zeros((96, 160, 1), np.uint8), '(96, 160, 1)'),
        (np.zeros((0, 160), np.uint8), '(0, 160)'),
        (np.zeros((1, 96, 160, 3), np.uint8), '(1, 96, 160, 3)'),
    ],
)
def test_images_of_another_kind_are_refused_and_quoted(image, came, rig):
    with pytest.raises(ValidationError) as caught:
        StereoCommand(left=image, right=RGB, rig=rig)
    text = explain(caught.value)
    assert text.startswith('left: image must be uint8 of shape (H, W) or (H, W, 3)')
    assert came in text


@pytest.mark.parametrize('image', [None, [[0, 1]], 'left.png'])
def test_what_is_no_array_is_refused(image, rig):
    with pytest.raises(ValidationError):
        StereoCommand(left=image, right=RGB, rig=rig)


@pytest.mark.parametrize(('height', 'width'), [(48, 80), (96, 80), (48, 160)])
@pytest.mark.parametrize('side', ['left', 'right'])
def test_a_size_other_than_the_calibration_names_side_and_sizes(side, height, width, rig):
    images = {'left': RGB, 'right': RGB, side: RGB[:height, :width]}
    with pytest.raises(ValidationError) as caught:
        StereoCommand(**images, rig=rig)
    text = explain(caught.value)
    assert text.startswith(f'{side} image is {width}x{height} but the calibration is for 160x96')


def test_grey_beside_rgb_is_refused(rig):
    with pytest.raises(ValidationError, match='both must be grey or both RGB'):
        StereoCommand(left=GREY, right=RGB, rig=rig)
