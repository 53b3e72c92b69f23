# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from pydantic import ValidationError

from vizion3d_ros.contracts.camera import Intrinsics
from vizion3d_ros.contracts.commands import MonoCommand, Output, StereoCommand
from vizion3d_ros.contracts.errors import InputError, explain
from vizion3d_ros.contracts.metric_scale import SparseDepth

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


@pytest.mark.parametrize('image', [GREY, RGB])
@pytest.mark.parametrize('known', [True, False])
def test_one_image_passes_without_a_copy_and_without_a_camera_too(image, known, rig):
    camera = rig.left if known else None
    sparse = SparseDepth(*np.ones((3, 5), np.float32))
    command = MonoCommand(image=image, camera=camera, sparse_depth=sparse, stamp_ns=7)
    assert command.image is image and command.camera is camera
    assert command.outputs == frozenset()
    assert command.sparse_depth is sparse and command.stamp_ns == 7
    assert MonoCommand(image=image, camera=camera).sparse_depth is None


@pytest.mark.parametrize('image', [RGB.astype(np.float32), RGB[..., :1], RGB[:0], None])
def test_one_image_of_another_kind_is_refused(image):
    with pytest.raises(ValidationError):
        MonoCommand(image=image, camera=None)


@pytest.mark.parametrize('sparse', [np.ones((5, 3)), {}, lambda relative: None])
def test_sparse_depth_of_another_kind_is_refused(sparse):
    with pytest.raises(ValidationError) as caught:
        MonoCommand(image=RGB, camera=None, sparse_depth=sparse)
    assert explain(caught.value).startswith('sparse_depth')


def test_one_image_of_another_size_than_the_calibration_names_both():
    camera = Intrinsics.from_field_of_view(640, 480, 60.0)
    with pytest.raises(ValidationError) as caught:
        MonoCommand(image=RGB, camera=camera)
    assert explain(caught.value) == (
        'image is 160x96 but the calibration is for 640x480: use the camera_info of these images'
    )


def test_commands_cannot_be_changed_or_widened(rig):
    command = MonoCommand(image=RGB, camera=rig.left)
    with pytest.raises(InputError, match=r'^camera: .* cannot be changed'):
        command.camera = None
    with pytest.raises(ValidationError):
        MonoCommand(image=RGB, camera=None, depth='deep')
