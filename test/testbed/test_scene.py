# SPDX-License-Identifier: Apache-2.0
"""The synthetic scene against an independent ray caster, against itself, and against a matcher."""

import cv2
import numpy as np
import pytest

from vizion3d_ros.contracts.camera import StereoRig
from vizion3d_ros.contracts.errors import CalibrationError
from vizion3d_ros.testbed.scene import PERIOD_S, SyntheticScene
from vizion3d_ros.testbed.shapes import Quad, Sphere

WIDTH, HEIGHT = 320, 240


def make_rig(width=WIDTH, height=HEIGHT, hfov_deg=65.0, doffs=0.0):
    rig = StereoRig.from_field_of_view(width, height, hfov_deg, 0.12)
    return rig.model_copy(update={'doffs': doffs})


@pytest.fixture(scope='module')
def scene():
    return SyntheticScene(make_rig())


def world_ray(view, u, v):
    """Origin, and the direction along which the ray's parameter is depth."""
    camera = view.camera
    slope = np.array([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, 1.0])
    return view.position, view.rotation.T @ slope


def roots(value_at, *, keep=lambda depth: True):
    """Positive zeros of a quadratic known by three of its values, that `keep` accepts."""
    samples = [value_at(depth) for depth in (0.0, 1.0, 2.0)]
    found = np.roots(np.polyfit([0.0, 1.0, 2.0], samples, 2))
    real = found[np.abs(found.imag) < 1e-12].real
    return min((depth for depth in real if depth > 0 and keep(depth)), default=np.inf)


def cast_sphere(sphere, origin, ray):
    return roots(lambda z: np.sum((origin + z * ray - sphere.centre) ** 2) - sphere.radius**2)


def cast_rod(rod, origin, ray):
    length = np.linalg.norm(rod.end - rod.start)
    axis = (rod.end - rod.start) / length

    def along(z):
        return (origin + z * ray - rod.start) @ axis

    def value(z):
        away = origin + z * ray - rod.start
        return np.sum(np.cross(away, axis) ** 2) - rod.radius**2

    return roots(value, keep=lambda z: 0 <= along(z) <= length)


def cast_quad(quad, origin, ray, *, endless=False):
    normal = np.cross(quad.right, quad.down)
    with np.errstate(divide='ignore'):
        depth = normal @ (quad.centre - origin) / (normal @ ray)
    if depth <= 0:
        return np.inf
    from_centre = origin + depth * ray - quad.centre
    s, t = from_centre @ quad.right, from_centre @ quad.down
    inside = abs(s) <= quad.size[0] / 2 and abs(t) <= quad.size[1] / 2
    faces = normal @ (quad.centre - origin) > 0
    solid = quad.bars is None or on_bars(quad, s, t)
    return depth if endless or (inside and faces and solid) else np.inf


def on_bars(quad, s, t):
    bars = quad.bars
    left, top = s + quad.size[0] / 2, t + quad.size[1] / 2
    posts = np.arange(0, quad.size[0] + bars.pitch, bars.pitch)
    near_post = np.abs(left - posts).min() <= bars.half_width
    near_rail = min(abs(top - rail) for rail in bars.rails) <= bars.half_width
    return near_post or near_rail


def cast(shape, origin, ray):
    if isinstance(shape, Quad):
        return cast_quad(shape, origin, ray)
    return (cast_sphere if isinstance(shape, Sphere) else cast_rod)(shape, origin, ray)


@pytest.mark.parametrize('time_s', [0.0, 0.7, 1.5])
def test_depth_equals_that_of_an_independent_ray_caster(scene, time_s):
    placed = scene.arrange(time_s)
    depth_m = scene.at(time_s).depth_m
    pixels = [(u, v) for v in range(0, HEIGHT, 7) for u in range(0, WIDTH, 7)]
    errors = []
    for u, v in pixels:
        origin, ray = world_ray(placed.left, u, v)
        walls = [cast_quad(wall, origin, ray, endless=True) for wall in placed.room]
        things = [cast(shape, origin, ray) for shape in placed.shapes]
        errors.append(depth_m[v, u] / min(walls + things) - 1)
    # A pixel centre may lie so close to an outline that rounding decides what it hits.
    assert np.mean(np.abs(errors) > 1e-5) < 0.002


def test_things_of_every_kind_are_seen(scene):
    placed = scene.arrange(1.5)
    depth_m = scene.at(1.5).depth_m
    seen = set()
    for v in range(0, HEIGHT, 3):
        for u in range(0, WIDTH, 3):
            origin, ray = world_ray(placed.left, u, v)
            for number, shape in enumerate(placed.shapes):
                if number not in seen and np.isclose(cast(shape, origin, ray), depth_m[v, u]):
                    seen.add(number)
    kinds = [type(placed.shapes[number]).__name__ for number in seen]
    assert kinds.count('Sphere') == 3
    assert kinds.count('Rod') >= 5
    assert kinds.count('Quad') >= 6


@pytest.mark.parametrize('doffs', [0.0, 11.5, -20.0])
def test_right_image_shows_each_left_pixel_where_its_depth_says(doffs):
    rig = make_rig(doffs=doffs)
    frame = SyntheticScene(rig).at(0.5)
    shift = rig.focal_baseline / frame.depth_m - doffs
    rows, cols = np.indices(shift.shape, np.float32)

    def difference(offset):
        columns = (cols - shift + offset).astype(np.float32)
        warped = cv2.remap(frame.right, columns, rows, cv2.INTER_LINEAR)
        return np.abs(warped.astype(float) - frame.left)[:, 60:-60].mean(axis=2)

    true = difference(0.0)
    assert np.median(true) < 1.0
    assert np.percentile(true, 85) < 5.0
    # What the right camera cannot see differs anyway: bound its share in the comparison.
    for offset in (-0.25, 0.25):
        shifted = difference(offset)
        assert np.minimum(shifted, 8).mean() > 1.25 * np.minimum(true, 8).mean()


def test_same_seed_gives_the_same_bits_and_another_seed_another_picture(scene):
    first, again = scene.at(0.3), SyntheticScene(make_rig()).at(0.3)
    other = SyntheticScene(make_rig(), seed=1).at(0.3)
    for name in ('left', 'right', 'depth_m'):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    np.testing.assert_array_equal(first.depth_m, other.depth_m)
    assert np.abs(first.left.astype(int) - other.left).mean() > 5


def test_motion_swings_to_and_fro(scene):
    there, back = scene.at(0.9), scene.at(PERIOD_S - 0.9)
    np.testing.assert_allclose(there.depth_m, back.depth_m, rtol=1e-4)
    assert np.mean(np.abs(scene.at(0.0).depth_m - scene.at(1.0).depth_m) > 0.05) > 0.1


@pytest.mark.parametrize('hfov_deg', [20.0, 65.0, 110.0])
def test_every_pixel_has_a_depth_in_the_promised_range(hfov_deg):
    scene = SyntheticScene(make_rig(hfov_deg=hfov_deg))
    for time_s in np.linspace(0, PERIOD_S / 2, 5):
        frame = scene.at(time_s)
        assert frame.depth_m.dtype == np.float32
        assert frame.left.shape == frame.right.shape == (HEIGHT, WIDTH, 3)
        assert frame.depth_m.min() > 0.8 and frame.depth_m.max() < 9.0


def test_a_long_focal_length_keeps_textures_within_what_remap_can_address():
    frame = SyntheticScene(make_rig(hfov_deg=5.0)).at(0.0)
    assert frame.left.std() > 5


def test_a_plain_matcher_finds_the_depth():
    rig = make_rig(640, 480)
    frame = SyntheticScene(rig).at(0.5)
    search = 64
    left, right = (
        cv2.copyMakeBorder(image, 0, 0, search, 0, cv2.BORDER_REPLICATE)
        for image in (frame.left, frame.right)
    )
    matcher = cv2.StereoSGBM_create(
        0, search, 5, 600, 2400, 1, 63, 10, 100, 2, cv2.STEREO_SGBM_MODE_SGBM_3WAY
    )
    disparity = matcher.compute(left, right)[:, search:] / 16.0
    valid = disparity > 0
    error = np.abs(rig.focal_baseline / disparity[valid] / frame.depth_m[valid] - 1)
    assert valid.mean() > 0.9
    assert np.median(error) < 0.01


def test_a_rig_without_baseline_is_refused():
    rig = make_rig().model_copy(update={'baseline_m': None})
    with pytest.raises(CalibrationError, match='baseline_m'):
        SyntheticScene(rig)
