# SPDX-License-Identifier: Apache-2.0
"""The REST server answers what the Python API answers, in vizion3d's form."""

import gzip
import json
from base64 import b64decode
from io import BytesIO

import cv2
import numpy as np
import pytest
from encoded import read_ply
from rest_client import MONO, STEREO

from vizion3d_ros.doors.rest.answers import mono_json
from vizion3d_ros.lifting import (
    DepthEstimation,
    DepthEstimationAdvanceConfig,
    DepthEstimationCommand,
    DepthEstimationResult,
)
from vizion3d_ros.stereo import StereoDepth, StereoDepthAdvancedConfig, StereoDepthCommand

NUMBERS = {'focal_length': 100, 'cx': 79.5, 'cy': 47.5, 'baseline': 100, 'doffs': -1.5, 'z_far': 9}
ALL = {'return_depth_image': 'true', 'return_point_cloud': '1'}
KEYS = ['depth_map', 'disparity_map', 'min_depth', 'max_depth', 'backend_used']
KEYS += ['depth_image', 'point_cloud_ply']


@pytest.fixture
def server(both):
    return both


@pytest.fixture(scope='module')
def stereo(pair):
    """What the Python API says of the pair."""
    config = StereoDepthAdvancedConfig(**NUMBERS)
    return StereoDepth('cpu').run(
        StereoDepthCommand(
            **pair,
            model_backend='opencv-sgbm',
            return_point_cloud=True,
            advanced_config=config,
        )
    )


def picture(text):
    return cv2.imdecode(np.frombuffer(b64decode(text), np.uint8), cv2.IMREAD_UNCHANGED)


def same_points(text, result):
    xyz, rgb = read_ply(b64decode(text))
    np.testing.assert_array_equal(xyz, result.points[:, :3] * [1, -1, -1])
    np.testing.assert_array_equal(rgb, result.points[:, 3:].view(np.uint8)[:, 2::-1])


def test_a_pair_gets_what_the_python_api_gives(server, pair, stereo):
    answer = server.post(STEREO, pair, NUMBERS | ALL)
    assert (answer.status, answer.headers['content-type']) == (200, 'application/json')
    came = answer.json
    assert list(came) == KEYS
    np.testing.assert_array_equal(np.float32(came['depth_map']), stereo.depth)
    np.testing.assert_array_equal(np.float32(came['disparity_map']), stereo.disparity)
    assert (came['min_depth'], came['max_depth']) == (stereo.min_depth, stereo.max_depth)
    assert came['backend_used'] == stereo.backend_used == 'opencv-sgbm'
    np.testing.assert_array_equal(picture(came['depth_image']), stereo.picture)
    same_points(came['point_cloud_ply'], stereo)


def test_an_image_gets_what_the_python_api_gives(server, scene, checkpoint):
    numbers = {'fx': 90, 'cy': 20, 'depth_trunc': 6}
    came = server.post(MONO, scene, numbers | ALL).json
    expected = DepthEstimation('cpu').run(
        DepthEstimationCommand(
            image_input=scene['image'],
            model_backend=checkpoint,
            return_depth_image=True,
            return_point_cloud=True,
            advanced_config=DepthEstimationAdvanceConfig(**numbers),
        )
    )
    assert list(came) == [key for key in KEYS if key != 'disparity_map'] + ['is_metric']
    np.testing.assert_array_equal(np.float32(came['depth_map']), expected.depth)
    assert (came['min_depth'], came['max_depth']) == (expected.min_depth, expected.max_depth)
    assert (came['backend_used'], came['is_metric']) == (checkpoint, False)
    np.testing.assert_array_equal(picture(came['depth_image']), expected.picture)
    same_points(came['point_cloud_ply'], expected)


def test_what_is_left_out_has_the_contracts_default(server, pair):
    empty = dict.fromkeys([*NUMBERS, 'model_backend', 'return_point_cloud'], '')
    came = server.post(STEREO, pair, empty | {'colour': 'of a field that is not known'}).json
    assert (came['depth_image'], came['point_cloud_ply']) == (None, None)
    assert np.median(came['depth_map']) == pytest.approx(1000 * 0.1 / 10, rel=0.01)


def test_what_is_to_be_told_comes_beside_the_contracts_keys(server, pair):
    swapped = dict(zip(pair, reversed(pair.values())))
    came = server.post(STEREO, swapped, NUMBERS).json
    assert list(came) == [*KEYS, 'message']
    assert came['message'].endswith('exchange left_image and right_image')
    assert 'gives no baseline' in server.post(STEREO, pair, {'focal_length': 100}).json['message']


@pytest.mark.parametrize('kind', ['png', 'npy', 'none'])
def test_maps_come_in_the_form_that_is_asked_for(server, pair, stereo, kind):
    came = server.post(f'{STEREO}?maps={kind}', pair, NUMBERS).json
    for key, values, unit in (
        ('depth_map', stereo.depth, 1e-3),
        ('disparity_map', stereo.disparity, 1 / 256),
    ):
        if kind == 'none':
            assert came[key] is None
        elif kind == 'npy':
            np.testing.assert_array_equal(np.load(BytesIO(b64decode(came[key]))), values)
        else:
            np.testing.assert_allclose(picture(came[key]) * unit, values, atol=unit / 2 + 1e-6)


def test_a_relative_map_is_spread_over_a_png():
    relative = np.float32([[2, 3], [4, 2.5]])
    answer = DepthEstimationResult(
        depth=relative, min_depth=2.0, max_depth=4.0, backend_used='', is_metric=False
    )
    came = picture(json.loads(mono_json(answer, 'png'))['depth_map'])
    np.testing.assert_array_equal(came, [[0, 32768], [65535, 16384]])


def test_an_answer_is_compressed_for_those_who_take_it(server, pair):
    plain = server.post(STEREO, pair)
    packed = server.post(STEREO, pair, accept_encoding='br, gzip;q=0.5')
    assert packed.headers['content-encoding'] == 'gzip'
    assert gzip.decompress(packed.body) == plain.body
    refused = server.post(STEREO, pair, accept_encoding='gzip;q=0')
    assert 'content-encoding' not in refused.headers


def test_an_operator_sees_how_it_is(server, checkpoint):
    health = server.ask('GET', '/health').json
    assert (health['status'], health['device']) == ('ok', 'cpu')
    models = server.ask('GET', '/models').json
    assert models['default']['stereo_depth'] == {'name': 'opencv-sgbm'}
    assert models['default']['depth_estimation'] == {'name': checkpoint}
    assert models['allowed'] == [{'name': 'opencv-sgbm'}]
    counted = f'vizion3d_requests_total{{route="{STEREO}",status="200"}}'
    assert counted in server.ask('GET', '/metrics').body.decode()


def test_the_description_has_the_contracts_fields(server):
    schemas = server.ask('GET', '/openapi.json').json['components']['schemas']
    fields = schemas['StereoForm']['properties']
    assert {*fields} > {'left_image', 'right_image', *StereoDepthAdvancedConfig.model_fields}
    assert (fields['focal_length']['default'], fields['return_depth_image']['default']) == (
        1000.0,
        False,
    )


def test_a_feature_that_is_off_has_no_route(few, scene):
    answer = few.post(MONO, scene)
    assert (answer.status, answer.json) == (404, {'detail': 'Not Found'})
    assert few.ask('GET', STEREO).status == 405
