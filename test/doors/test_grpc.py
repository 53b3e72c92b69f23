# SPDX-License-Identifier: Apache-2.0
"""The gRPC server: vizion3d's messages, the numbers of the Python API, health, reflection."""

import subprocess
import sys

import cv2
import grpc
import numpy as np
import pytest
from grpc_client import numbers, refused, stereo_message
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_server import MODULE
from served import ROOT, one_line_of

from vizion3d_ros.proto import lifting_pb2
from vizion3d_ros.stereo import StereoDepth, StereoDepthAdvancedConfig, StereoDepthCommand

CONFIG = {'focal_length': 100.0, 'cx': 79.5, 'cy': 47.5, 'baseline': 100.0, 'doffs': -1.5}
SERVICE = 'vizion3d.lifting.LiftingService'


def picture(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def test_a_pair_gets_what_the_python_api_gives(spoken, pair):
    came = spoken.lifting.RunStereoDepth(
        stereo_message(pair, CONFIG, return_depth_image=True, return_point_cloud=True)
    )
    expected = StereoDepth('cpu').run(
        StereoDepthCommand(
            **pair,
            model_backend='opencv-sgbm',
            return_point_cloud=True,
            advanced_config=StereoDepthAdvancedConfig(**CONFIG),
        )
    )
    np.testing.assert_array_equal(numbers(came.depth_map), expected.depth)
    np.testing.assert_array_equal(numbers(came.disparity_map), expected.disparity)
    assert (came.min_depth, came.max_depth) == (expected.min_depth, expected.max_depth)
    assert came.backend_used == 'opencv-sgbm'
    np.testing.assert_array_equal(picture(came.depth_image), expected.picture)
    assert came.point_cloud_ply.count(b'\n') and len(expected.points)
    assert f'element vertex {len(expected.points)}\n'.encode() in came.point_cloud_ply


def test_what_is_not_set_has_its_default_and_what_is_not_asked_for_is_empty(spoken, pair):
    came = spoken.lifting.RunStereoDepth(stereo_message(pair))
    assert np.median(numbers(came.depth_map)) == pytest.approx(1000 * 0.1 / 10, rel=0.01)
    assert (came.depth_image, came.point_cloud_ply) == (b'', b'')


def test_what_is_to_be_told_comes_behind_the_response(spoken, pair):
    swapped = dict(zip(pair, reversed(pair.values())))
    told = [
        dict(
            spoken.lifting.RunStereoDepth.with_call(stereo_message(*request))[
                1
            ].trailing_metadata()
        )
        for request in ((pair, CONFIG), (swapped, CONFIG), (pair, {'focal_length': 100.0}))
    ]
    assert told[0] == {}
    assert told[1]['message'].endswith('exchange left_image and right_image')
    assert 'gives no baseline' in told[2]['message']


def test_an_image_may_name_an_allowed_checkpoint_as_a_path(spoken, scene, another):
    came = spoken.lifting.RunDepthEstimation(
        lifting_pb2.DepthEstimationRequest(
            image_bytes=scene['image'], model_backend='magic', local_model_path=another
        )
    )
    depth = numbers(came.depth_map)
    assert (came.backend_used, depth.shape) == (another, (56, 56))
    assert (depth.min(), depth.max()) == (came.min_depth, came.max_depth)


def test_a_feature_that_is_off_is_not_implemented(held, scene):
    request = lifting_pb2.DepthEstimationRequest(image_bytes=scene['image'])
    code, _ = refused(held.lifting.RunDepthEstimation, request)
    assert code == grpc.StatusCode.UNIMPLEMENTED


def test_health_and_reflection_know_the_service(spoken):
    health = health_pb2_grpc.HealthStub(spoken.channel)
    asked = health_pb2.HealthCheckRequest(service=SERVICE)
    assert health.Check(asked).status == health_pb2.HealthCheckResponse.SERVING
    reflection = reflection_pb2_grpc.ServerReflectionStub(spoken.channel)
    listing = reflection_pb2.ServerReflectionRequest(list_services='')
    (answer,) = reflection.ServerReflectionInfo(iter([listing]))
    assert SERVICE in [each.name for each in answer.list_services_response.service]


def test_an_address_that_is_taken_is_told_in_one_line(spoken):
    command = [sys.executable, *MODULE, '--stereo_depth', '--port', str(spoken.port)]
    code, line = one_line_of({'taken': command})['taken']
    assert code == 1
    assert line.startswith(f'vizion3d-serve-grpc: cannot listen on 127.0.0.1:{spoken.port}: ')


def test_the_generated_code_is_that_of_the_proto(tmp_path):
    command = [sys.executable, '-m', 'grpc_tools.protoc', '-I.']
    command += [f'--python_out={tmp_path}', f'--grpc_python_out={tmp_path}']
    subprocess.run([*command, 'vizion3d_ros/proto/lifting.proto'], cwd=ROOT, check=True)
    for path in (tmp_path / 'vizion3d_ros' / 'proto').iterdir():
        assert path.read_text() == (ROOT / 'vizion3d_ros' / 'proto' / path.name).read_text()
