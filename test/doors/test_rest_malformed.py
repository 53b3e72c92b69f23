# SPDX-License-Identifier: Apache-2.0
"""Requests no server should have to see: a status, one sentence, and the next one is answered."""

import os

import pytest
from encoded import png
from known_answers import noise
from malformed import BACKENDS, IMAGES, PNG
from rest_client import MONO, OF_FORM, STEREO, multipart

TOO_LARGE = {'detail': 'Request body exceeds the 500 MB limit.'}


@pytest.fixture
def server(both):
    return both


@pytest.fixture(autouse=True)
def goes_on(server, pair):
    yield
    assert server.post(STEREO, pair).status == 200
    assert not [line for line in server.lines if 'Traceback' in line or 'imdecode' in line]


@pytest.mark.parametrize(('images', 'told'), IMAGES.values(), ids=IMAGES)
def test_an_image_that_cannot_be_used_is_refused_by_name(server, pair, images, told):
    answer = server.post(STEREO, pair | images)
    assert (answer.status, told in answer.json['detail']) == (400, True)


@pytest.mark.parametrize(('backend', 'told'), BACKENDS.values(), ids=BACKENDS)
def test_a_backend_that_is_not_allowed_is_refused(server, pair, backend, told):
    answer = server.post(STEREO, pair, {'model_backend': backend})
    assert (answer.status, told in answer.json['detail']) == (403, True)
    assert len(answer.body) < 1100


def test_an_image_too_narrow_for_the_network_is_the_senders_matter(server):
    answer = server.post(MONO, {'image': png(noise(2, 600))})
    assert (answer.status, 'or crop the image' in answer.json['detail']) == (400, True)


def test_an_endless_field_is_refused(server, pair):
    answer = server.post(STEREO, pair, {'model_backend': 'x' * 2**21})
    assert (answer.status, 'Part exceeded maximum size' in answer.json['detail']) == (400, True)


def test_a_path_in_place_of_a_file_is_told_with_what_to_send(server, pair):
    answer = server.post(STEREO, {'right_image': pair['right_image']}, {'left_image': 'a.png'})
    assert answer.status == 422
    assert answer.json['detail'][0]['msg'].endswith('curl -F left_image=@a.png')


NUMBERS = {
    'no number': ({'baseline': 'wide'}, 'float_parsing', 'baseline'),
    'infinite': ({'focal_length': 'inf'}, 'finite_number', 'focal_length'),
    'negative': ({'baseline': -100}, 'greater_than', 'baseline'),
    'confidence of two': ({'conf_threshold': 2}, 'less_than_equal', 'conf_threshold'),
    'no truth': ({'return_point_cloud': 'maybe'}, 'bool_parsing', 'return_point_cloud'),
    'an image as text': ({'right_image': 'hello'}, 'value_error', 'right_image'),
}


@pytest.mark.parametrize(('fields', 'kind', 'name'), NUMBERS.values(), ids=NUMBERS)
def test_a_field_that_does_not_fit_gets_the_list_that_clients_parse(
    server, pair, fields, kind, name
):
    files = {key: data for key, data in pair.items() if key not in fields}
    answer = server.post(STEREO, files, fields)
    (field,) = answer.json['detail']
    assert answer.status == 422
    assert (field['type'], field['loc'], field['input']) == (
        kind,
        ['body', name],
        str(fields[name]),
    )


def test_depths_turned_round_are_refused(server, pair):
    answer = server.post(STEREO, pair, {'min_depth_mm': 5000, 'max_depth_mm': 900})
    assert answer.status == 422
    assert 'max_depth_mm must be larger' in answer.json['detail'][0]['msg']


def test_a_missing_file_is_named_as_vizion3d_names_it(server, pair):
    answer = server.post(STEREO, {'left_image': pair['left_image']})
    assert (answer.status, answer.json['detail']) == (
        422,
        [
            {
                'type': 'missing',
                'loc': ['body', 'right_image'],
                'msg': 'Field required',
                'input': None,
            }
        ],
    )


BODIES = {
    'JSON': (b'{}', {'Content-Type': 'application/json'}, 422),
    'nothing': (b'', {}, 422),
    'no boundary': (b'xx', {'Content-Type': 'multipart/form-data'}, 400),
    'no part': (b'xx', OF_FORM, 400),
    'an open end': (multipart({}, {'left_image': PNG})[:-40], OF_FORM, 422),
    'compressed': (b'xx', OF_FORM | {'Content-Encoding': 'gzip'}, 415),
}


@pytest.mark.parametrize(('body', 'headers', 'status'), BODIES.values(), ids=BODIES)
def test_a_body_that_is_no_form_is_refused(server, body, headers, status):
    answer = server.ask('POST', STEREO, body, headers)
    assert answer.status == status
    assert answer.json['detail']


def test_a_body_that_is_announced_too_large_is_refused_unread(server):
    with server.plug() as plug:
        head = f'POST {STEREO} HTTP/1.1\r\nHost: x\r\nContent-Length: 524288001\r\n'
        plug.sendall(f'{head}Content-Type: {OF_FORM["Content-Type"]}\r\n\r\n'.encode())
        assert plug.recv(2**16).startswith(b'HTTP/1.1 413 ')


def test_a_body_of_unknown_length_is_read_up_to_the_limit_and_not_kept(server):
    before = server.resident_mb()
    megabyte = os.urandom(2**20)
    head = multipart({}, {'left_image': b''})[: -len('\r\n--zwischen--\r\n')]
    answer = server.ask(
        'POST', STEREO, iter([head, *[megabyte] * 501]), OF_FORM, encode_chunked=True
    )
    assert (answer.status, answer.json) == (413, TOO_LARGE)
    assert server.resident_mb() - before < 50


def test_what_is_not_http_is_sent_away(server):
    with server.plug() as plug:
        plug.sendall(b'\x16\x03\x01 hello\r\n\r\n')
        assert plug.recv(2**16).startswith(b'HTTP/1.1 400 ')
