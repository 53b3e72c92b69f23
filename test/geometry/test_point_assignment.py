# SPDX-License-Identifier: Apache-2.0
"""Which points are which object, in scenes whose every pixel is known."""

import cv2
import numpy as np
import pytest
import torch

from vizion3d_ros.contracts.annotation.instances import Instance, from_mask
from vizion3d_ros.contracts.camera import Intrinsics
from vizion3d_ros.geometry.annotation.assign import assign

CAMERA = Intrinsics(width=320, height=240, fx=260.0, fy=260.0, cx=159.5, cy=119.5)
SHAPE = CAMERA.height, CAMERA.width
V, U = np.mgrid[: SHAPE[0], : SHAPE[1]]
RAYS = np.stack([(U - CAMERA.cx) / CAMERA.fx, (V - CAMERA.cy) / CAMERA.fy, np.ones(SHAPE)], -1)
FAR = np.inf


def plane(normal, distance):
    """Depth of the plane normal . p = distance, as each pixel sees it."""
    with np.errstate(divide='ignore'):
        depth = distance / (RAYS @ np.array(normal, float))
    return np.where(depth > 0, depth, FAR)


def box(low, high):
    """Depth of an upright box: the ray enters where the last of its slabs begins."""
    with np.errstate(divide='ignore', invalid='ignore'):
        ends = np.array([low, high]).reshape(2, 1, 1, 3) / RAYS
    near, far = ends.min(0).max(-1), ends.max(0).min(-1)
    return np.where((near <= far) & (near > 0), near, FAR)


def sphere(centre, radius):
    centre = np.array(centre, float)
    a, b = (RAYS**2).sum(-1), RAYS @ centre
    inside = b * b - a * (centre @ centre - radius**2)
    return np.where(inside > 0, (b - np.sqrt(np.maximum(inside, 0))) / a, FAR)


def fence():
    """A grid of bars, 2 m away, seen on the left."""
    bars = (U % 20 < 8) | (V % 40 < 8)
    return np.where(bars & (U > 40) & (U < 280) & (V > 40) & (V < 200), 2.0, FAR)


WALL, FLOOR = plane((0, 0, 1), 4.0), plane((0, 1, 0), 0.8)
SCENES = {
    'box before a wall': [box((-0.3, -0.3, 1.8), (0.3, 0.3, 2.2))],
    'box on the floor': [FLOOR, box((-0.3, 0.2, 1.9), (0.3, 0.8, 2.4))],
    'box along its length': [FLOOR, box((0.2, 0.3, 1.5), (0.6, 0.8, 3.5))],
    'sphere': [sphere((0.1, 0.0, 2.0), 0.4)],
    'sphere on the floor': [FLOOR, sphere((0.1, 0.4, 2.2), 0.4)],
    'slanted board': [plane((0, 0, 1), 4.0), np.where(
        (np.abs(U - 160) < 80) & (np.abs(V - 120) < 60), plane((0.8, 0, 0.6), 1.5), FAR
    )],
    'fence': [fence()],
}  # fmt: skip


def drawn(layers):
    """Depth, and the number of the layer that each pixel sees; the wall is 0."""
    layers = np.stack([WALL, *layers])
    return layers.min(0).astype(np.float32), layers.argmin(0)


def points_of(depth):
    return torch.from_numpy((RAYS * depth[..., None]).astype(np.float32).reshape(-1, 3))


def changed(mask, pixels):
    kernel = np.ones((2 * abs(pixels) + 1,) * 2, np.uint8)
    change = cv2.dilate if pixels > 0 else cv2.erode
    return change(mask.astype(np.uint8), kernel) > 0


def instance(mask, confidence=1.0):
    return from_mask(mask, Instance(mask, confidence=confidence))


def labelled(depth, *masks, surface='dominant'):
    found = [instance(mask) for mask in masks]
    return assign(points_of(depth), CAMERA, found, surface).labels.numpy().reshape(SHAPE)


def shares(labels, number, true):
    """Found of the true points, and foreign of those that are labelled, both in percent."""
    own = labels == number
    return 100 * (own & true).sum() / true.sum(), 100 * (own & ~true).sum() / max(1, own.sum())


@pytest.mark.parametrize('name', SCENES)
def test_true_masks_give_the_object(name):
    depth, layer = drawn(SCENES[name])
    true = layer == len(SCENES[name])
    found, foreign = shares(labelled(depth, true), 1, true)
    assert found >= 99 and foreign <= 1


@pytest.mark.parametrize('name', SCENES)
def test_masks_five_pixels_too_large_give_the_object_still(name):
    depth, layer = drawn(SCENES[name])
    true = layer == len(SCENES[name])
    found, foreign = shares(labelled(depth, changed(true, 5)), 1, true)
    assert found >= 99 and foreign <= 2


@pytest.mark.parametrize('name', [name for name in SCENES if name != 'fence'])
def test_masks_too_small_lose_nothing_more(name):
    depth, layer = drawn(SCENES[name])
    mask = changed(layer == len(SCENES[name]), -5)
    found, foreign = shares(labelled(depth, mask), 1, mask)
    # A face at its edge that goes on outside looks like a floor there.
    assert found >= (95 if name == 'box along its length' else 99) and foreign == 0


@pytest.mark.parametrize('name', ['box before a wall', 'sphere', 'box along its length'])
def test_noise_of_half_a_percent_is_borne(name):
    depth, layer = drawn(SCENES[name])
    depth = depth * (1 + 0.005 * np.random.default_rng(0).standard_normal(SHAPE)).astype(
        np.float32
    )
    true = layer == len(SCENES[name])
    found, foreign = shares(labelled(depth, changed(true, 5)), 1, true)
    assert found >= 99 and foreign <= 2


def test_the_wall_seen_through_a_fence_is_not_the_fence():
    depth, layer = drawn(SCENES['fence'])
    whole = cv2.morphologyEx((layer == 1).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((41, 41)))
    found, foreign = shares(labelled(depth, whole > 0), 1, layer == 1)
    assert found >= 99 and foreign <= 1


def test_all_keeps_every_visible_point_of_a_mask():
    depth, layer = drawn(SCENES['sphere'])
    fat = changed(layer == 1, 5)
    assert ((labelled(depth, fat, surface='all') == 1) == fat).all()


def test_what_is_hidden_is_nobodys():
    near, _ = drawn(SCENES['box before a wall'])
    mask = near < 3
    points = torch.cat([points_of(near), points_of(WALL)])
    labels = assign(points, CAMERA, [instance(mask)], 'all').labels.numpy().reshape(2, *SHAPE)
    assert (labels[0] == mask).all()
    assert not labels[1].any()


def test_several_points_of_a_pixel_on_one_surface_are_all_seen():
    depth, layer = drawn(SCENES['sphere'])
    points = torch.cat([points_of(depth * share) for share in (1.0, 1.001, 0.999)])
    labels = assign(points, CAMERA, [instance(layer == 1)]).labels.numpy().reshape(3, *SHAPE)
    for each in labels:
        assert shares(each, 1, layer == 1)[0] >= 99


@pytest.mark.parametrize('step', [2, 3])
def test_clouds_of_a_lower_resolution_hide_what_is_behind(step):
    depth, layer = drawn(SCENES['box before a wall'])
    thin = np.zeros(SHAPE, bool)
    thin[::step, ::step] = True
    behind = np.roll(thin, 1, axis=(0, 1))  # between the points of the box
    points = torch.cat([points_of(depth)[thin.ravel()], points_of(WALL)[behind.ravel()]])
    labels = assign(points, CAMERA, [instance(layer == 1)], 'all').labels.numpy()
    count = np.count_nonzero(thin)
    true = (layer == 1)[thin]
    assert (labels[:count][true] == 1).mean() >= 0.99
    inside = changed(layer == 1, -step)[behind]
    assert not labels[count:][inside].any()


def test_a_random_cloud_is_nearly_as_good_as_an_organised_one():
    depth, layer = drawn(SCENES['box on the floor'])
    chosen = np.random.default_rng(1).permutation(depth.size)[: depth.size // 2]
    labels = assign(
        points_of(depth)[chosen], CAMERA, [instance(changed(layer == 2, 5))]
    ).labels.numpy()
    true = (layer == 2).ravel()[chosen]
    assert (labels[true] == 1).mean() >= 0.98
    assert true[labels == 1].mean() >= 0.93  # cells of two pixels


def test_two_objects_that_overlap_in_the_image_keep_their_own():
    near, far = sphere((-0.1, 0, 1.6), 0.3), sphere((0.25, 0, 2.6), 0.4)
    depth, layer = drawn([near, far])
    labels = labelled(depth, changed(layer == 2, 5), changed(layer == 1, 5))
    for number, which in ((1, 2), (2, 1)):
        found, foreign = shares(labels, number, layer == which)
        assert found >= 99 and foreign <= 2


def test_what_the_mask_of_a_neighbour_hides_in_a_label_image_is_found_again():
    depth, layer = drawn(
        [FLOOR, box((-0.3, 0.2, 1.9), (0.3, 0.8, 2.4)), sphere((0, 0.4, 1.5), 0.1)]
    )
    ball = changed(layer == 3, 5)
    cut = changed(layer == 2, 5) & ~ball
    hidden = (layer == 2) & ball
    assert hidden.sum() > 100
    labels = labelled(depth, ball, cut)
    assert (labels[hidden] == 2).mean() >= 0.95
    for number, which in ((1, 3), (2, 2)):
        found, foreign = shares(labels, number, layer == which)
        assert found >= 99 and foreign <= 2


def test_boxes_in_line_share_the_faces_that_go_on_from_one_to_the_other():
    boxes = [box((-0.5, 0.2, 1.9), (0.3, 0.8, 2.4)), box((0.3, 0.2, 1.9), (0.6, 0.8, 2.4))]
    depth, layer = drawn([FLOOR, *boxes])
    layer[(layer >= 2) & (RAYS[..., 0] * depth >= 0.3)] = 3
    for number in (2, 3):
        found, foreign = shares(
            labelled(depth, layer == 2, layer == 3), number - 1, layer == number
        )
        assert found >= 99 and foreign <= 1


def test_where_everything_has_a_label_all_keep_theirs():
    depth, layer = drawn([FLOOR, box((-0.3, 0.2, 1.9), (0.3, 0.8, 2.4)), sphere((0, 0, 1.5), 0.1)])
    labels = labelled(depth, *(layer == number for number in range(4)))
    for number in range(4):
        found, foreign = shares(labels, number + 1, layer == number)
        assert found >= 99 and foreign <= 1


def test_masks_that_overlap_are_never_left():
    depth, layer = drawn([sphere((-0.1, 0, 1.6), 0.3), sphere((0.25, 0, 2.6), 0.4)])
    masks = changed(layer == 2, 5), changed(layer == 1, -5), layer >= 0
    labels = labelled(depth, *masks)
    for number, mask in enumerate(masks, 1):
        assert not (labels == number)[~mask].any()


def test_two_masks_on_one_plain_surface_share_it_by_confidence():
    left, right = U < 180, U > 140
    labels = labelled(WALL.astype(np.float32), right, left)
    assert (labels == np.where(right, 1, 2)).all()


def test_what_two_masks_claim_is_the_first_ones():
    depth, layer = drawn(SCENES['sphere'])
    labels = labelled(depth, layer == 1, layer == 1)
    assert set(np.unique(labels)) == {0, 1}


@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf])
def test_points_that_are_nowhere_belong_to_nobody(bad):
    depth, layer = drawn(SCENES['sphere'])
    points = points_of(depth)
    points[::7] = bad
    points[3::7] *= -1  # behind the camera
    points[5::7, 0] += 1e6  # far outside
    labels = assign(points, CAMERA, [instance(layer == 1)]).labels.numpy()
    for start in (0, 3, 5):
        assert not labels[start::7].any()
    good = (layer == 1).ravel()
    good[0::7] = good[3::7] = good[5::7] = False
    assert (labels[good] == 1).mean() >= 0.99


@pytest.mark.filterwarnings('error')
def test_depth_that_is_nothing_but_noise_and_holes_is_borne_in_silence():
    draw = np.random.default_rng(0)
    depth = draw.uniform(1, 10, SHAPE).astype(np.float32)
    depth[cv2.dilate((draw.random(SHAPE) < 0.02).astype(np.uint8), np.ones((3, 3))) > 0] = np.nan
    assert labelled(depth, abs(U - 160) < 50).any()


def test_nothing_is_nothing():
    empty = instance(np.zeros(SHAPE, bool))
    cloud, none = points_of(WALL.astype(np.float32)), torch.zeros((0, 3))
    for surface in ('dominant', 'all'):
        assert not assign(cloud, CAMERA, [empty], surface).labels.any()
        assert not assign(cloud, CAMERA, [], surface).labels.any()
        assert assign(none, CAMERA, [instance(np.ones(SHAPE, bool))], surface).labels.shape == (0,)


def test_the_whole_image_may_be_one_object():
    assert (labelled(WALL.astype(np.float32), np.ones(SHAPE, bool)) == 1).all()


def test_three_hundred_objects_are_told_apart():
    tiles = (V // 16) * 20 + U // 16 + 1
    labels = labelled(WALL.astype(np.float32), *(tiles == n for n in range(1, 301)))
    assert (labels == tiles).all()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU')
def test_a_gpu_gives_the_same():
    depth, layer = drawn(SCENES['box on the floor'])
    found = [instance(changed(layer == 2, 5))]
    points = points_of(depth)
    labels = assign(points.cuda(), CAMERA, found).labels
    assert (labels.cpu() == assign(points, CAMERA, found).labels).float().mean() > 0.9999
