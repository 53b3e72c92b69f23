# SPDX-License-Identifier: Apache-2.0
"""Points against the pinhole equations, and colours bit by bit."""

import itertools

import numpy as np
import pytest
import torch

from vizion3d_ros.contracts.camera import Intrinsics
from vizion3d_ros.contracts.settings.node_settings import PointsSettings
from vizion3d_ros.geometry.reprojection import make_cloud, pack_colors, unproject

CAMERA = Intrinsics(width=12, height=7, fx=50.0, fy=40.0, cx=5.25, cy=2.75)
NAN = float('nan')


@pytest.fixture
def depth(device):
    rng = np.random.default_rng(2)
    values = rng.uniform(0.5, 20.0, (7, 12)).astype(np.float32)
    values[1, 3] = values[4, 8] = values[0, 0] = np.nan
    return torch.from_numpy(values).to(device)


@pytest.fixture
def image():
    return np.random.default_rng(3).integers(0, 256, (7, 12, 3), np.uint8)


def closed_form(depth, step=1):
    """x = (u - cx) Z / fx, y = (v - cy) Z / fy in float64."""
    z = depth.cpu().numpy().astype(np.float64)
    v, u = np.mgrid[0 : z.shape[0], 0 : z.shape[1]] * step
    return np.stack([(u - CAMERA.cx) * z / CAMERA.fx, (v - CAMERA.cy) * z / CAMERA.fy, z], -1)


def bits(points):
    return np.ascontiguousarray(points[..., 3].cpu().numpy()).view(np.uint32)


def expected_bits(image):
    r, g, b = np.moveaxis(image.astype(np.uint32), -1, 0)
    return r << 16 | g << 8 | b


def test_unproject_is_the_pinhole_equation(depth):
    points = torch.stack(unproject(depth, CAMERA), dim=-1)
    assert points.dtype == torch.float32
    np.testing.assert_allclose(points.cpu().numpy(), closed_form(depth), rtol=1e-6)


def test_a_point_projects_back_onto_its_pixel(depth):
    x, y, z = (plane.double().cpu() for plane in unproject(depth, CAMERA))
    v, u = np.mgrid[0:7, 0:12]
    valid = ~torch.isnan(z)
    np.testing.assert_allclose((CAMERA.fx * x / z + CAMERA.cx)[valid], u[valid], atol=1e-5)
    np.testing.assert_allclose((CAMERA.fy * y / z + CAMERA.cy)[valid], v[valid], atol=1e-5)


def test_right_is_plus_x_and_down_is_plus_y(device):
    x, y, _ = unproject(torch.ones((7, 12), device=device), CAMERA)
    assert x[0, 0] < 0 < x[0, -1]
    assert y[0, 0] < 0 < y[-1, 0]


def test_organised_keeps_every_pixel_in_its_place(depth, image):
    points = make_cloud(depth, image, CAMERA, PointsSettings())
    assert points.shape == (7, 12, 4)
    np.testing.assert_allclose(points[..., :3].cpu().numpy(), closed_form(depth), rtol=1e-6)
    gaps = torch.isnan(depth)
    assert torch.isnan(points[..., :3]).all(-1).equal(gaps)
    assert torch.isnan(points[..., :3]).any(-1).equal(gaps)
    np.testing.assert_array_equal(bits(points), expected_bits(image))


def test_filtered_keeps_valid_points_in_row_order(depth, image):
    points = make_cloud(depth, image, CAMERA, PointsSettings(organized=False))
    valid = ~torch.isnan(depth).cpu().numpy()
    assert points.shape == (81, 4)
    np.testing.assert_allclose(points[:, :3].cpu().numpy(), closed_form(depth)[valid], rtol=1e-6)
    np.testing.assert_array_equal(bits(points), expected_bits(image)[valid])


def test_filtered_with_nothing_valid_is_empty(depth, image):
    nothing = torch.full_like(depth, NAN)
    points = make_cloud(nothing, image, CAMERA, PointsSettings(organized=False))
    assert points.shape == (0, 4)


@pytest.mark.parametrize('step', [2, 3, 5, 64])
@pytest.mark.parametrize('organized', [True, False])
def test_decimation_picks_pixels_and_keeps_their_rays(step, organized, depth, image):
    whole = make_cloud(depth, image, CAMERA, PointsSettings())
    settings = PointsSettings(decimation=step, organized=organized)
    points = make_cloud(depth, image, CAMERA, settings)
    picked = whole[::step, ::step]
    if not organized:
        picked = picked[~torch.isnan(picked[..., 2])]
    np.testing.assert_array_equal(points[..., :3].cpu().numpy(), picked[..., :3].cpu().numpy())
    np.testing.assert_array_equal(bits(points), bits(picked))


def test_far_points_are_dropped_from_the_limit_on(image, device):
    depth = torch.tensor([[1.0, 4.9999, 5.0, NAN]], device=device)
    points = make_cloud(depth, image[:1, :4], CAMERA, PointsSettings(max_range=5.0))
    assert torch.isnan(points[0, :, 2]).tolist() == [False, False, True, True]


@pytest.mark.parametrize('score', ['confidence', 'visibility'])
def test_doubtful_points_are_dropped_and_the_limit_itself_kept(score, image, device):
    depth = torch.ones((1, 3), device=device)
    scores = {score: torch.tensor([[0.0, 0.49, 0.5]], device=device)}
    settings = PointsSettings(**{f'min_{score}': 0.5})
    points = make_cloud(depth, image[:1, :3], CAMERA, settings, **scores)
    assert torch.isnan(points[0, :, 0]).tolist() == [True, True, False]
    assert depth.isfinite().all(), 'the depth image must not lose what the cloud drops'


def test_rgb_bits_are_exact_for_every_level():
    levels = np.arange(256, dtype=np.uint8)
    corners = np.array(list(itertools.product((0, 1, 127, 128, 254, 255), repeat=3)), np.uint8)
    grey = np.repeat(levels[:, None], 3, axis=1)
    image = np.concatenate([grey, corners])[None]
    np.testing.assert_array_equal(pack_colors(image).numpy(), expected_bits(image))


def test_grey_is_packed_like_three_equal_channels():
    grey = np.arange(256, dtype=np.uint8).reshape(8, 32)
    assert pack_colors(grey).equal(pack_colors(np.repeat(grey[..., None], 3, axis=-1)))


@pytest.mark.parametrize('organized', [True, False])
def test_uncertainty_goes_with_its_point(organized, depth, image):
    settings = PointsSettings(uncertainty=True, organized=organized, decimation=2, max_range=15.0)
    points = make_cloud(depth, image, CAMERA, settings, deviation=depth / 100)
    assert points.shape[-1] == 5
    assert torch.equal(points[..., 2].isnan(), points[..., 4].isnan())
    kept = points[torch.isfinite(points[..., 2])]
    assert len(kept) and torch.allclose(kept[:, 4], kept[:, 2] / 100)
    assert make_cloud(depth, image, CAMERA, settings)[..., 4].isnan().all()
