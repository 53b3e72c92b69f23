# SPDX-License-Identifier: Apache-2.0
"""Calls no server should have to see: a code, one sentence, and the next one is answered."""

import os

import grpc
import pytest
from grpc_client import MOST_BYTES, refused, stereo_message
from malformed import BACKENDS, IMAGES

from vizion3d_ros.proto import lifting_pb2

METHOD = '/vizion3d.lifting.LiftingService/RunStereoDepth'
MOST_GROWTH_MB = 50
MEGABYTE = 2**20
Code = grpc.StatusCode


@pytest.fixture
def call(spoken):
    return spoken.lifting.RunStereoDepth


@pytest.fixture
def send(spoken):
    """The method without its messages: bytes of a request, bytes of a response."""
    return spoken.channel.unary_unary(METHOD)


@pytest.fixture(autouse=True)
def goes_on(spoken, call, pair):
    yield
    assert call(stereo_message(pair)).backend_used == 'opencv-sgbm'
    assert not [line for line in spoken.lines if 'Traceback' in line or 'imdecode' in line]


@pytest.mark.parametrize(('images', 'told'), IMAGES.values(), ids=IMAGES)
def test_an_image_that_cannot_be_used_is_refused_by_name(call, pair, images, told):
    code, text = refused(call, stereo_message(pair | images))
    assert (code, told in text) == (Code.INVALID_ARGUMENT, True)


@pytest.mark.parametrize(('backend', 'told'), BACKENDS.values(), ids=BACKENDS)
def test_a_backend_that_is_not_allowed_is_refused(call, pair, backend, told):
    code, text = refused(call, stereo_message(pair, model_backend=backend))
    assert (code, told in text) == (Code.PERMISSION_DENIED, True)
    assert len(text) < 1100


@pytest.mark.parametrize('field', ['model_backend', 'local_model_path'])
def test_a_file_of_the_server_is_refused_by_the_field_that_names_it(spoken, scene, field):
    request = lifting_pb2.DepthEstimationRequest(image_bytes=scene['image'])
    setattr(request, field, '/etc/passwd')
    code, text = refused(spoken.lifting.RunDepthEstimation, request)
    assert (code, '/etc/passwd' in text) == (Code.PERMISSION_DENIED, True)


NUMBERS = {
    'no focal length': ('focal_length', 0.0),
    'no baseline': ('baseline', 0.0),
    'negative': ('baseline', -100.0),
    'infinite': ('doffs', float('inf')),
    'not a number': ('cx', float('nan')),
    'confidence of two': ('conf_threshold', 2.0),
    'no scale': ('scale_factor', 0.0),
}


@pytest.mark.parametrize(('field', 'value'), NUMBERS.values(), ids=NUMBERS)
def test_a_number_that_does_not_fit_is_refused_by_name(call, pair, field, value):
    code, text = refused(call, stereo_message(pair, {field: value}))
    assert (code, f'{field}: ' in text) == (Code.INVALID_ARGUMENT, True)


def test_a_request_without_images_is_refused(call):
    code, text = refused(call, lifting_pb2.StereoDepthRequest())
    assert (code, 'left_image' in text) == (Code.INVALID_ARGUMENT, True)


BYTES = {'rubbish': b'\xff\xff hello', 'cut short': b'\x0a\x7f\x89PNG', 'no text': b'\x1a\x01\xff'}


@pytest.mark.parametrize('body', BYTES.values(), ids=BYTES)
def test_bytes_that_are_no_message_are_refused(send, body):
    assert refused(send, body) == (
        Code.INVALID_ARGUMENT,
        f'expected a vizion3d.lifting.StereoDepthRequest, got {len(body)} other bytes',
    )


def test_a_call_without_a_message_is_refused(spoken):
    code, text = refused(spoken.channel.stream_unary(METHOD), iter([]))
    assert (code, text) == (Code.INVALID_ARGUMENT, 'expected a request, got none')


def test_what_the_proto_does_not_know_is_ignored(send, pair):
    unknown = b'\xa2\x06\x05hello'  # field 100
    answer = lifting_pb2.StereoDepthResponse.FromString(
        send(stereo_message(pair).SerializeToString() + unknown)
    )
    assert answer.backend_used == 'opencv-sgbm'


def test_a_message_that_is_too_large_is_refused_unread(spoken):
    before = spoken.resident_mb()
    unlimited = [('grpc.max_send_message_length', -1)]
    with grpc.insecure_channel(f'127.0.0.1:{spoken.port}', unlimited) as channel:
        code, text = refused(channel.unary_unary(METHOD), bytes(MOST_BYTES + 1))
    assert (code, str(MOST_BYTES) in text) == (Code.RESOURCE_EXHAUSTED, True)
    assert spoken.resident_mb() - before < MOST_GROWTH_MB


@pytest.mark.parametrize('kind', [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_a_compressed_message_is_refused_unpacked(spoken, send, kind):
    before = spoken.resident_mb()
    code, text = refused(send, bytes(100 * MEGABYTE), compression=kind)
    assert (code, 'is disabled' in text) == (Code.UNIMPLEMENTED, True)
    assert spoken.resident_mb() - before < MOST_GROWTH_MB


def test_endless_metadata_is_refused(call, pair):
    code, _ = refused(call, stereo_message(pair), metadata=[('a', os.urandom(100_000).hex())])
    assert code == Code.RESOURCE_EXHAUSTED


def test_a_method_that_is_not_there_is_not_implemented(spoken):
    annotate = spoken.channel.unary_unary('/vizion3d.lifting.LiftingService/RunScaleObservation')
    assert refused(annotate, b'')[0] == Code.UNIMPLEMENTED
