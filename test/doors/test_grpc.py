# SPDX-License-Identifier: Apache-2.0
"""The gRPC server: vizion3d's messages, the numbers of the Python API, codes and sentences."""

import subprocess
import sys
from pathlib import Path

import cv2
import grpc
import numpy as np
import pytest
from encoded import png, png_that_claims
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from known_answers import noise
from served import PATIENCE_S, ROOT, Served, wait_for

from vizion3d_ros.proto import lifting_pb2, lifting_pb2_grpc
from vizion3d_ros.stereo import StereoDepth, StereoDepthAdvancedConfig, StereoDepthCommand

MODULE = ['-m', 'vizion3d_ros.doors.grpc.serve']
HELD = [str(Path(__file__).with_name('held_server.py')), 'grpc']
CONFIG = {'focal_length': 100.0, 'cx': 79.5, 'cy': 47.5, 'baseline': 100.0, 'doffs': -1.5}
CALLS = 100
Code = grpc.StatusCode


class GrpcServer(Served):
    """The gRPC server, or a script that starts it, and a channel to it."""

    def __init__(self, flags, script=MODULE, **pipes):
        super().__init__(script, flags, **pipes)
        most = [(f'grpc.max_{way}_message_length', 500 * 2**20) for way in ('send', 'receive')]
        self.channel = grpc.insecure_channel(f'127.0.0.1:{self.port}', most)
        self.lifting = lifting_pb2_grpc.LiftingServiceStub(self.channel)

    def let_go(self, times):
        self.process.stdin.write('\n' * times)
        self.process.stdin.flush()


@pytest.fixture(scope='module')
def serve():
    servers = []

    def started(*flags, **options):
        servers.append(GrpcServer(flags, **options))
        return servers[-1]

    yield started
    for server in servers:
        server.channel.close()
        server.close()


@pytest.fixture(scope='module')
def server(serve, checkpoint):
    return serve(
        '--stereo_model', 'opencv-sgbm', '--depth_estimation', '--allowed_models', checkpoint
    )


@pytest.fixture
def request_of(pair):
    """Call it to get the good request, or one with other fields."""

    def made(config=CONFIG, **fields):
        images = {f'{name}_bytes': data for name, data in pair.items()}
        return lifting_pb2.StereoDepthRequest(
            **{**images, **fields}, advanced_config=lifting_pb2.StereoDepthAdvancedConfig(**config)
        )

    return made


def values(rows):
    return np.float32([row.values for row in rows])


def picture(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def refused(call, *arguments, **options):
    """The code and the sentence that a call ends with."""
    with pytest.raises(grpc.RpcError) as error:
        call(*arguments, **options)
    return error.value.code(), error.value.details()


def test_a_pair_gets_what_the_python_api_gives(server, request_of, pair):
    came = server.lifting.RunStereoDepth(
        request_of(return_depth_image=True, return_point_cloud=True)
    )
    expected = StereoDepth('cpu').run(
        StereoDepthCommand(
            **pair,
            model_backend='opencv-sgbm',
            return_point_cloud=True,
            advanced_config=StereoDepthAdvancedConfig(**CONFIG),
        )
    )
    np.testing.assert_array_equal(values(came.depth_map), expected.depth)
    np.testing.assert_array_equal(values(came.disparity_map), expected.disparity)
    assert (came.min_depth, came.max_depth) == (expected.min_depth, expected.max_depth)
    assert came.backend_used == 'opencv-sgbm'
    np.testing.assert_array_equal(picture(came.depth_image), expected.picture)
    assert came.point_cloud_ply.count(b'\n') and len(expected.points)
    assert f'element vertex {len(expected.points)}\n'.encode() in came.point_cloud_ply


def test_what_is_not_set_has_its_default_and_what_is_not_asked_for_is_empty(server, request_of):
    came = server.lifting.RunStereoDepth(request_of(config={}))
    assert np.median(values(came.depth_map)) == pytest.approx(1000 * 0.1 / 10, rel=0.01)
    assert (came.depth_image, came.point_cloud_ply) == (b'', b'')


def test_an_image_may_name_an_allowed_checkpoint_as_a_path(server, scene, checkpoint):
    came = server.lifting.RunDepthEstimation(
        lifting_pb2.DepthEstimationRequest(
            image_bytes=scene['image'], model_backend='magic', local_model_path=checkpoint
        )
    )
    assert came.backend_used == checkpoint
    assert values(came.depth_map).shape == (56, 56)
    assert (values(came.depth_map).min(), values(came.depth_map).max()) == (
        came.min_depth,
        came.max_depth,
    )


REFUSED = {
    'no image': (
        {'left_image_bytes': b''},
        Code.INVALID_ARGUMENT,
        'left_image: expected an image',
    ),
    'a bomb': (
        {'left_image_bytes': png_that_claims(60_000, 60_000)},
        Code.INVALID_ARGUMENT,
        '160',
    ),
    'sizes': (
        {'left_image_bytes': png(noise(9, 9))},
        Code.INVALID_ARGUMENT,
        'right_image: is 160',
    ),
    'no focal length': ({'config': {'focal_length': 0}}, Code.INVALID_ARGUMENT, 'focal_length: '),
    'infinite': ({'config': {'doffs': float('inf')}}, Code.INVALID_ARGUMENT, 'doffs: '),
    'any file': ({'model_backend': '/etc/passwd'}, Code.PERMISSION_DENIED, 'set --allowed_models'),
    'any address': ({'model_backend': 'https://a/b.pth'}, Code.PERMISSION_DENIED, 'model_backend'),
}


@pytest.mark.parametrize(('fields', 'code', 'told'), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_with_a_code_and_a_sentence(server, request_of, fields, code, told):
    came, text = refused(server.lifting.RunStereoDepth, request_of(**fields))
    assert came == code
    assert told in text
    assert not any('Traceback' in line for line in server.lines)


def test_a_feature_that_is_off_is_not_implemented(serve, scene):
    server = serve('--stereo_model', 'opencv-sgbm')
    request = lifting_pb2.DepthEstimationRequest(image_bytes=scene['image'])
    assert refused(server.lifting.RunDepthEstimation, request)[0] == Code.UNIMPLEMENTED


def test_health_and_reflection_know_the_service(server):
    service = 'vizion3d.lifting.LiftingService'
    health = health_pb2_grpc.HealthStub(server.channel)
    asked = health_pb2.HealthCheckRequest(service=service)
    assert health.Check(asked).status == health_pb2.HealthCheckResponse.SERVING
    reflection = reflection_pb2_grpc.ServerReflectionStub(server.channel)
    listing = reflection_pb2.ServerReflectionRequest(list_services='')
    (answer,) = reflection.ServerReflectionInfo(iter([listing]))
    assert service in [each.name for each in answer.list_services_response.service]


def test_many_calls_are_all_answered_or_told_that_there_is_no_place(server, request_of):
    call = server.lifting.RunStereoDepth.future
    waiting = [call(request_of()) for _ in range(CALLS)]
    codes = [each.code() for each in waiting]
    assert {*codes} <= {Code.OK, Code.RESOURCE_EXHAUSTED}
    assert codes.count(Code.OK) >= 32


def test_deadlines_and_cancelled_calls_leave_the_queue(serve, request_of):
    server = serve('--stereo_depth', script=HELD, stdin=subprocess.PIPE)
    request = request_of(model_backend='opencv-sgbm')
    call = server.lifting.RunStereoDepth
    first = call.future(request)
    wait_for(lambda: 'matching' in server.lines)
    gone = [call.future(request) for _ in range(3)]
    for _ in range(3):
        assert refused(call, request, timeout=0.5)[0] == Code.DEADLINE_EXCEEDED
    for each in gone:
        each.cancel()
    server.let_go(3)  # the last of the six may be a moment late
    assert first.result(PATIENCE_S).backend_used == 'opencv-sgbm'
    assert call(request, timeout=PATIENCE_S).backend_used == 'opencv-sgbm'


def test_the_end_comes_after_what_was_accepted_and_who_finds_no_place_is_told(serve, request_of):
    server = serve('--stereo_depth', '--places', '1', script=HELD, stdin=subprocess.PIPE)
    request = request_of(model_backend='opencv-sgbm')
    waiting = server.lifting.RunStereoDepth.future(request)
    wait_for(lambda: 'matching' in server.lines)
    assert refused(server.lifting.RunStereoDepth, request) == (
        Code.RESOURCE_EXHAUSTED,
        'all 1 places are taken: ask again later',
    )
    server.terminate()
    server.let_go(1)
    assert waiting.result(PATIENCE_S).backend_used == 'opencv-sgbm'
    assert server.close() == 0


def test_an_address_that_is_taken_is_told_in_one_line(server):
    command = [sys.executable, *MODULE, '--stereo_depth', '--port', str(server.port)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1
    assert line.startswith(f'vizion3d-serve-grpc: cannot listen on 127.0.0.1:{server.port}, ')


def test_the_generated_code_is_that_of_the_proto(tmp_path):
    command = [sys.executable, '-m', 'grpc_tools.protoc', '-I.']
    command += [f'--python_out={tmp_path}', f'--grpc_python_out={tmp_path}']
    subprocess.run([*command, 'vizion3d_ros/proto/lifting.proto'], cwd=ROOT, check=True)
    for path in (tmp_path / 'vizion3d_ros' / 'proto').iterdir():
        assert path.read_text() == (ROOT / 'vizion3d_ros' / 'proto' / path.name).read_text()
