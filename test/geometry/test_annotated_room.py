# SPDX-License-Identifier: Apache-2.0
"""Objects of the synthetic room by true masks and by such as networks give, moment by moment."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from vizion3d_ros.contracts.annotation.instances import Instance, from_label_image, from_mask
from vizion3d_ros.contracts.camera import StereoRig
from vizion3d_ros.geometry.annotation.assign import assign
from vizion3d_ros.geometry.annotation.boxes import box_around
from vizion3d_ros.testbed.instances import OBJECTS
from vizion3d_ros.testbed.scene import SyntheticScene

RIG = StereoRig.from_field_of_view(640, 480, 65, 0.12)
CAMERA = RIG.left
MOMENTS = 0.29, 1.14, 1.71  # s
LEAST_PIXELS = 100
ONE_CM = 0.01


@pytest.fixture(scope='module')
def frames():
    scene = SyntheticScene(RIG, seed=7)
    return [scene.at(moment, instances=True) for moment in MOMENTS]


def points_of(frame):
    rows, columns = np.indices(frame.depth_m.shape)
    rays = [(columns - CAMERA.cx) / CAMERA.fx, (rows - CAMERA.cy) / CAMERA.fy, np.ones(rows.shape)]
    return (np.stack(rays, -1) * frame.depth_m[..., None]).astype(np.float32).reshape(-1, 3)


def objects(frame):
    counts = np.bincount(frame.instances.ravel(), minlength=len(OBJECTS) + 1)[1:]
    return 1 + np.flatnonzero(counts >= LEAST_PIXELS)


def answers(frame, too_large_px):
    """The name of each object, its true points and those found, bool (N,)."""
    kernel = np.ones((2 * too_large_px + 1,) * 2, np.uint8)
    numbers = np.random.default_rng(3).permutation(objects(frame))
    masks = [cv2.dilate((frame.instances == n).astype(np.uint8), kernel) > 0 for n in numbers]
    instances = [from_mask(mask, Instance(mask)) for mask in masks]
    labels = assign(torch.from_numpy(points_of(frame)), CAMERA, instances).labels.numpy()
    for place, number in enumerate(numbers, 1):
        yield OBJECTS[number - 1], frame.instances.ravel() == number, labels == place


@pytest.mark.parametrize(('too_large_px', 'most_foreign'), [(0, 0.01), (2, 0.02), (5, 0.02)])
def test_all_of_an_object_is_found_and_nothing_else(frames, too_large_px, most_foreign):
    for frame in frames:
        for name, true, found in answers(frame, too_large_px):
            assert found[true].mean() >= 0.99, name
            assert (found & ~true).sum() <= most_foreign * found.sum(), name


def test_depth_with_noise_of_half_a_percent_shows_its_surfaces_still(frames):
    noise = np.random.default_rng(0)
    for frame in frames:
        factor = 1 + 0.005 * noise.standard_normal(frame.depth_m.shape)
        noisy = replace(frame, depth_m=(frame.depth_m * factor).astype(np.float32))
        for name, true, found in answers(noisy, 5):
            assert found[true].mean() >= 0.95, name
            assert (found & ~true).sum() <= 0.05 * found.sum(), name


@pytest.mark.parametrize('last', ['nearest', 'farthest', 'any'])
@pytest.mark.parametrize('too_large_px', [0, 5])
def test_masks_painted_over_each_other_find_as_much(frames, last, too_large_px):
    kernel = np.ones((2 * too_large_px + 1,) * 2, np.uint8)
    for frame in frames:
        true = {n: frame.instances == n for n in objects(frame)}
        depth_m = {n: np.median(frame.depth_m[own]) for n, own in true.items()}
        sign = {'nearest': -1, 'farthest': 1, 'any': 0}[last]
        painted = np.zeros_like(frame.instances)
        for number in sorted(true, key=lambda n: (sign * depth_m[n], n % 3)):
            fat = cv2.dilate(true[number].astype(np.uint8), kernel)
            painted[fat > 0] = number
        instances = from_label_image(painted).instances
        labels = assign(torch.from_numpy(points_of(frame)), CAMERA, instances).labels.numpy()
        for place, instance in enumerate(instances, 1):
            own, found = true[instance.number].ravel(), labels == place
            assert found[own].mean() >= 0.99, OBJECTS[instance.number - 1]
            assert (found & ~own).sum() <= 0.02 * found.sum(), OBJECTS[instance.number - 1]


@pytest.mark.parametrize('oriented', [False, True])
def test_boxes_are_where_those_of_the_true_points_are(frames, oriented):
    for frame in frames:
        points = points_of(frame)
        for name, true, found in answers(frame, 0):
            ours, theirs = (box_around(points[own], oriented).centre for own in (found, true))
            assert np.abs(ours - theirs).max() < ONE_CM, name
