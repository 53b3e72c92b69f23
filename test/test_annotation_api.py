# SPDX-License-Identifier: Apache-2.0
"""3D annotation from Python: names of vizion3d, open3d in and out, segmenters, errors."""

import sys
from types import ModuleType, SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from known_answers import KnownMatcher, serve_matcher
from pydantic import ValidationError

from vizion3d_ros.annotation import (
    ColoredPoints,
    InstanceMask,
    ObjectMaskAnnotation3D,
    ObjectMaskAnnotation3DCommand,
)
from vizion3d_ros.annotation.models import ObjectMaskAnnotation3DConfig
from vizion3d_ros.contracts.annotation.instances import Instance, from_label_image
from vizion3d_ros.contracts.errors import BackendError, InputError
from vizion3d_ros.files.ply_reader import read_ply

HEIGHT, WIDTH = 40, 60
CONFIG = ObjectMaskAnnotation3DConfig(fx=50.0, fy=50.0, cx=29.5, cy=19.5)
V, U = np.mgrid[:HEIGHT, :WIDTH]
OBJECT = (abs(U - 30) < 10) & (abs(V - 20) < 8)
DEPTH = np.where(OBJECT, 1.0, 3.0)
XYZ = np.stack([(U - 29.5) / 50 * DEPTH, -(V - 19.5) / 50 * DEPTH, -DEPTH], -1).reshape(-1, 3)
RGB = np.random.default_rng(0).integers(0, 256, XYZ.shape, dtype=np.uint8)
CLOUD = ColoredPoints(XYZ, RGB)


def run(cloud=CLOUD, **fields):
    fields = {'advanced_config': CONFIG, **fields}
    return ObjectMaskAnnotation3D('cpu').run(
        ObjectMaskAnnotation3DCommand(point_cloud=cloud, **fields)
    )


def own(mask=OBJECT, **known):
    return (InstanceMask(mask=mask, label='thing', class_id=7, **known),)


def test_the_callers_masks_become_points():
    result = run(masks=own(confidence=0.5), return_annotated_cloud=True)
    [item] = result.annotations
    assert (item.label, item.class_id, item.confidence) == ('thing', 7, 0.5)
    assert item.bbox_2d == (21, 13, 40, 28)
    assert (item.mask_2d == OBJECT).all()
    assert item.point_indices == np.flatnonzero(OBJECT.ravel()).tolist()
    np.testing.assert_allclose(item.point_coords, XYZ[item.indices], rtol=1e-6)
    assert result.backend_used == 'masks'
    changed = (result.rgb != RGB).any(1)
    assert changed[OBJECT.ravel()].mean() > 0.99 and not changed[~OBJECT.ravel()].any()


def test_lists_are_made_when_they_are_read():
    [item] = run(masks=own()).annotations
    assert not vars(item).keys() & {'point_indices', 'point_coords', 'object_cloud'}
    assert type(item.point_indices) is list and type(item.point_indices[0]) is int
    assert item.point_coords is item.point_coords
    assert item.object_cloud is None


def test_open3d_comes_in_and_goes_out():
    open3d = pytest.importorskip('open3d')
    cloud = open3d.geometry.PointCloud()
    cloud.points = open3d.utility.Vector3dVector(XYZ)
    cloud.colors = open3d.utility.Vector3dVector(RGB / 255)
    result = run(cloud, masks=own(), return_object_clouds=True, return_annotated_cloud=True)
    part = result.annotations[0].object_cloud
    np.testing.assert_array_equal(np.asarray(part.points), XYZ[OBJECT.ravel()])
    painted = np.asarray(result.annotated_cloud.colors)
    assert len(np.unique(painted[OBJECT.ravel()], axis=0)) == 1
    np.testing.assert_allclose(painted[~OBJECT.ravel()], RGB[~OBJECT.ravel()] / 255)
    np.testing.assert_array_equal(np.asarray(cloud.colors), RGB / 255)  # untouched


def test_a_cloud_of_no_open3d_becomes_one_on_reading():
    pytest.importorskip('open3d')
    result = run(masks=own(), return_object_clouds=True, return_annotated_cloud=True)
    assert len(result.annotations[0].object_cloud.points) == OBJECT.sum()
    assert len(result.annotated_cloud.points) == len(XYZ)


# --- segmenters --------------------------------------------------------------------------------


class Boxes(SimpleNamespace):
    def __len__(self):
        return len(self.cls)


class KnownModel:
    """Stands for a model of Ultralytics: finds OBJECT at the top left of every image."""

    asked = []  # noqa: RUF012

    def __init__(self, path):
        self.path = path

    def predict(self, image, **options):
        self.asked.append((image, options))
        boxes = Boxes(
            cls=torch.tensor([56.0]),
            conf=torch.tensor([0.87]),
            xyxy=torch.tensor([[21.0, 13.0, 40.0, 28.0]]),
        )
        height, width = image.shape[:2]
        data = np.zeros((1, height, width), np.float32)
        data[0, :HEIGHT, :WIDTH] = OBJECT
        masks = SimpleNamespace(data=torch.from_numpy(data))
        return [SimpleNamespace(boxes=boxes, masks=masks, names={56: 'chair'})]


@pytest.fixture
def ultralytics(monkeypatch, tmp_path):
    """The library is there, with a model file."""
    module = ModuleType('ultralytics')
    module.YOLO = KnownModel
    monkeypatch.setitem(sys.modules, 'ultralytics', module)
    KnownModel.asked.clear()
    path = tmp_path / 'yolo26l-seg.pt'
    torch.save({'weights': torch.zeros(1)}, path)
    return str(path)


def test_ultralytics_finds_objects_in_the_drawn_cloud(ultralytics, caplog):
    result = run(model_backend=ultralytics)
    [item] = result.annotations
    assert (item.label, item.class_id) == ('chair', 56)
    assert item.point_indices == np.flatnonzero(OBJECT.ravel()).tolist()
    assert result.backend_used == ultralytics
    assert 'AGPL-3.0' in caplog.text
    image, options = KnownModel.asked[0]
    assert (options['conf'], options['iou']) == (0.25, 0.45)
    np.testing.assert_array_equal(image.reshape(-1, 3)[:, ::-1], RGB)  # the cloud's own colours


EXAMPLE = """
from vizion3d_ros.stereo import StereoDepth, StereoDepthCommand, StereoDepthAdvancedConfig
from vizion3d_ros.annotation import ObjectMaskAnnotation3D, ObjectMaskAnnotation3DCommand
from vizion3d_ros.annotation.models import ObjectMaskAnnotation3DConfig

stereo_result = StereoDepth().run(
    StereoDepthCommand(
        left_image="left.png",
        right_image="right.png",
        return_point_cloud=True,
        advanced_config=StereoDepthAdvancedConfig(
            focal_length=1733.74,
            cx=29.5,
            cy=19.5,
            baseline=536.62,
        ),
    )
)

annotation_result = ObjectMaskAnnotation3D().run(
    ObjectMaskAnnotation3DCommand(
        point_cloud=stereo_result.point_cloud,
        return_annotated_cloud=True,
        advanced_config=ObjectMaskAnnotation3DConfig(
            fx=1733.74,
            fy=1733.74,
            cx=29.5,
            cy=19.5,
        ),
    )
)

for ann in annotation_result.annotations:
    print(f"{ann.label:20s}  conf={ann.confidence:.2f}  3D points={len(ann.point_indices)}")

import open3d as o3d
o3d.io.write_point_cloud("annotated.ply", annotation_result.annotated_cloud)
"""


def test_the_documented_example_runs_as_it_is(ultralytics, monkeypatch, tmp_path, capsys):
    pytest.importorskip('open3d')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('VIZION3D_MODEL_CACHE', str(tmp_path))  # holds yolo26l-seg.pt already
    for name in ('left.png', 'right.png'):
        assert cv2.imwrite(name, RGB.reshape(HEIGHT, WIDTH, 3))
    serve_matcher(monkeypatch, KnownMatcher(np.where(OBJECT, 400.0, 200.0)))
    exec(compile(EXAMPLE, 'example', 'exec'), {})
    said = capsys.readouterr().out.split()
    assert said == ['chair', 'conf=0.87', '3D', f'points={OBJECT.sum()}']
    assert len(read_ply(tmp_path / 'annotated.ply', 'annotated').xyz) == OBJECT.size


def test_what_is_not_installed_is_told_with_the_cure(monkeypatch):
    monkeypatch.setattr('vizion3d_ros.engine.segmenters.choice.find_spec', lambda name: None)
    monkeypatch.delitem(sys.modules, 'ultralytics', raising=False)
    monkeypatch.delitem(sys.modules, 'torchvision', raising=False)
    with pytest.raises(BackendError, match=r'no segmenter is installed.*pip install'):
        run()
    with pytest.raises(BackendError, match=r'yolo26l-seg.pt is for ultralytics.*AGPL-3.0'):
        run(model_backend='yolo26l-seg.pt')
    with pytest.raises(BackendError, match='torchvision, which is not installed'):
        run(model_backend='maskrcnn-resnet50-fpn-v2')


# --- errors ------------------------------------------------------------------------------------


def test_masks_of_another_size_than_the_image_are_refused():
    image = np.zeros((HEIGHT, WIDTH + 2, 3), np.uint8)
    with pytest.raises(InputError, match='masks are 60x40 but the image of the camera is 62x40'):
        run(image_input=image, masks=own())


def test_masks_of_two_sizes_are_refused():
    with pytest.raises(ValidationError, match='masks of one size'):
        run(masks=(*own(), *own(OBJECT[1:])))


@pytest.mark.parametrize('cloud', [None, 'cloud.ply', np.zeros((3, 4)), []])
def test_what_is_no_cloud_is_refused(cloud):
    with pytest.raises(ValidationError, match='expected an open3d PointCloud, or points'):
        run(cloud, masks=own())


def test_clouds_that_are_nowhere_in_the_image_are_refused():
    with pytest.raises(InputError, match=r'none of 2400 points is in front .* expected metres'):
        run(XYZ * np.array([1, -1, -1]), masks=own())
    with pytest.raises(InputError, match=r'2400 of 2400 points .* none is in its image of 60x40'):
        run(XYZ + np.array([20, 0, 0]), masks=own())


def test_masks_of_another_size_than_the_camera_are_refused():
    with pytest.raises(InputError, match=r'got 30x20 .* the middle of images of 60x40: scale'):
        run(masks=own(OBJECT[::2, ::2]))
    assert len(run(masks=own(OBJECT[:, 5:])).annotations) == 1  # cut out of a larger image


@pytest.mark.parametrize('nowhere', [np.nan, np.inf])
def test_points_that_are_nowhere_are_no_error(nowhere):
    assert run(XYZ * nowhere, masks=own()).annotations[0].point_indices == []


def test_another_command_is_refused():
    with pytest.raises(InputError, match='expected an ObjectMaskAnnotation3DCommand, got dict'):
        ObjectMaskAnnotation3D('cpu').run({})


def test_an_empty_cloud_and_empty_masks_have_no_points():
    empty = ColoredPoints(np.zeros((0, 3)))
    assert run(empty, masks=own()).annotations[0].point_indices == []
    [item] = run(masks=own(np.zeros_like(OBJECT))).annotations
    assert item.point_coords == []
    assert run(masks=()).annotations == []


# --- label images ------------------------------------------------------------------------------


def test_label_images_become_objects():
    labels = np.zeros((HEIGHT, WIDTH), np.uint16)
    labels[OBJECT], labels[0, 5] = 300, 2
    known = {300: Instance(np.zeros((0, 0), bool), label='chair', confidence=0.5)}
    found = from_label_image(labels, known)
    assert [each.number for each in found.instances] == [2, 300]
    dot, chair = found.instances
    assert (dot.row, dot.column, dot.mask.shape, dot.bbox_2d) == (0, 5, (1, 1), (5, 0, 6, 1))
    assert (chair.label, chair.confidence, chair.bbox_2d) == ('chair', 0.5, (21, 13, 40, 28))
    assert (chair.full_mask(HEIGHT, WIDTH) == OBJECT).all()
    assert from_label_image(np.zeros((3, 3), np.uint8)).instances == ()
