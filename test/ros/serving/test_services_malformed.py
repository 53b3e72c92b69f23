# SPDX-License-Identifier: Apache-2.0
"""Requests no service should have to see: each is refused by the name of its field."""

import os
import re
from array import array

import pytest
from encoded import png, png_that_claims
from scene import image_message, pixels_message, textured_pair
from service_calls import stereo_request

from vizion3d_interfaces.srv import RunStereoDepth

pytestmark = pytest.mark.ros

LEFT, RIGHT = textured_pair(96, 64)
PNG = png(LEFT)
GOOD = {'left': PNG, 'right': png(RIGHT)}
MOST_BYTES = 50_000
HOLE = b'hole\xff.png'  # a name that is no UTF-8


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """What the operator allows: files, a link that leads out, a name that is no text."""
    folder = tmp_path_factory.mktemp('shelf') / 'open'
    folder.mkdir()
    (folder / 'left.png').write_bytes(PNG)
    (folder / 'note.txt').write_text('no image')
    (folder / 'sub').mkdir()
    (folder.parent / 'secret.png').write_bytes(PNG)
    (folder / 'link.png').symlink_to(folder.parent / 'secret.png')
    with open(os.path.join(os.fsencode(folder), HOLE), 'wb') as file:
        file.write(b'x')
    os.symlink(HOLE, os.path.join(os.fsencode(folder), b'to_hole.png'))
    os.mkfifo(folder / 'pipe.png')
    return folder


@pytest.fixture(scope='module')
def nodes(start_node, folder):
    parameters = {
        'requests.allowed_input_dirs': f'[{folder}]',
        'requests.max_bytes': MOST_BYTES,
        'device': 'cpu',
    }
    return {'': start_node(parameters=parameters)}


@pytest.fixture
def ask(robot):
    """Call it to get the response to the good request, or to one with other parts."""

    def call(**parts):
        request = parts.pop('request', None) or stereo_request(**{**GOOD, **parts})
        return robot.call(RunStereoDepth, 'run_stereo_depth', request)

    return call


def message(**fields):
    """A good image message but for some fields."""
    message = image_message(LEFT, 1)
    for name, value in fields.items():
        setattr(message, name, value)
    return message


def number(**config):
    return {'config': config}


def path(name):
    return {'left': f'{{folder}}/{name}'}


INF, NAN = float('inf'), float('nan')
CASES = {
    'nothing': ({'request': RunStereoDepth.Request()}, r'left_image: .*got none'),
    'one image': (
        {'request': RunStereoDepth.Request(left_image_bytes=array('B', PNG))},
        r'right_image: .*got none',
    ),
    'two ways': (
        {'left_image': image_message(LEFT, 1)},
        r'left_image: .*got left_image_bytes and left_image$',
    ),
    'cut short': ({'left': PNG[: len(PNG) // 2]}, r'left_image: image is damaged'),
    'not an image': ({'right': b'hello world'}, r'right_image: expected an image'),
    'one byte': ({'right': b'\x89'}, r'right_image: expected an image'),
    'sizes differ': ({'right': png(RIGHT[:60])}, r'right_image: is 96x60, but .* 96x64'),
    'a bomb': ({'left': png_that_claims(60_000, 60_000)}, r'left_image: .*16000000 pixels'),
    'a small bomb': ({'left': png_that_claims(5000, 4000)}, r'left_image: .*got 5000x4000'),
    'no pixels': ({'left': png_that_claims(0, 10)}, r'left_image: '),
    'too many bytes': ({'left': bytes(MOST_BYTES + 1)}, rf'left_image: .*{MOST_BYTES} bytes'),
    'infinite focal length': (number(focal_length=INF), r'focal_length: .*got inf'),
    'no focal length': (number(focal_length=0), r'focal_length: .*got 0'),
    'negative baseline': (number(baseline=-100), r'baseline: .*got -100'),
    'infinite doffs': (number(doffs=-INF), r'doffs: .*got -inf'),
    'depths turned round': (number(min_depth_mm=5000, max_depth_mm=900), r'max_depth_mm must'),
    'nearest beyond farthest': (
        number(min_depth_mm=90_000),
        r'advanced_config: max_depth_mm must',
    ),
    'confidence of two': (number(conf_threshold=2), r'conf_threshold: .*got 2'),
    'path outside': (path('../secret.png'), r'left_image_path: .*allowed_input_dirs'),
    'link to outside': (path('link.png'), r'left_image_path: .*allowed_input_dirs'),
    'relative path': ({'left': 'left.png'}, r'left_image_path: .*allowed_input_dirs'),
    'no such file': (path('none.png'), r'left_image: .*no such file'),
    'a folder': (path('sub'), r'left_image: .*got a folder'),
    'a pipe': (path('pipe.png'), r'left_image: .*no such file'),
    'another file': (path('note.txt'), r'left_image: .*expected an image'),
    'a name that is no text': (path('to_hole.png'), r'left_image: .*hole\?\.png: expected'),
    'unknown backend': ({'model_backend': 'magic'}, r"model_backend: .*got 'magic'"),
    'known, not allowed': ({'model_backend': 's2m2-L'}, r"model_backend: .*got 's2m2-L'"),
    'any file': ({'model_backend': '/etc/passwd'}, r'model_backend: .*allowed_models'),
    'an endless name': ({'model_backend': 'x' * 10**6}, r"model_backend: .*got 'xxx"),
    'a calibration of twice the size': (
        number(focal_length=180, cx=95.5, cy=63.5),
        r'advanced_config: .* the middle of images of 192x128, in images of 96x64',
    ),
    'colours said to be grey': (
        {'left': message(data=array('B', LEFT.tobytes() * 3))},
        r'left_image: .*the encoding or the step is that of smaller pixels',
    ),
    'wrong step': ({'left': message(step=3)}, r'left_image: .*step is 3'),
    'unknown encoding': ({'left': message(encoding='smell')}, r"left_image: .*'smell'"),
    'no data': ({'left': message(data=array('B'))}, r'left_image: .*0 bytes'),
    'no rows': ({'left': message(height=0)}, r'left_image: .*96x0'),
    'a lie about its size': (
        {'left': message(width=10**5, height=10**5)},
        r'left_image: .*100000x',
    ),
}


@pytest.mark.parametrize(('parts', 'told'), CASES.values(), ids=CASES)
def test_it_is_refused_by_name_and_the_next_good_one_is_answered(ask, node, folder, parts, told):
    if isinstance(parts.get('left'), str):
        parts = {'left': parts['left'].format(folder=folder)}
    response = ask(**parts)
    assert not response.success
    assert re.match(told, response.message), response.message
    assert len(response.message) <= 1000
    assert len(response.depth_map.data) == 0
    assert ask().success
    assert node.alive


CAMERA = {'focal_length': 90.0, 'baseline': 110.0, 'cx': 48.0, 'cy': 32.0}


@pytest.mark.parametrize(
    ('config', 'told'),
    [
        (CAMERA, ''),
        ({'focal_length': 90.0}, 'gives no baseline but its default of 100 mm'),
        ({'cx': 48.0, 'cy': 32.0}, 'gives no calibration'),
        ({**CAMERA, 'baseline': NAN}, 'gives no baseline but its default of 100 mm'),
        ({**CAMERA, 'z_far': 0.1}, 'the cloud is empty'),
        ({'focal_length': 90.0, 'baseline': 110.0}, 'gives no cx and cy'),
    ],
    ids=str,
)
def test_what_was_assumed_or_is_empty_is_told_beside_success(ask, config, told):
    request = stereo_request(**GOOD, config=config, return_point_cloud=True)
    response = ask(request=request)
    assert response.success, response.message
    assert told in response.message and bool(told) is bool(response.message)


@pytest.mark.parametrize(('bits', 'told'), [(8, 8), (10, 10), (12, 12), (16, None)])
def test_bits_that_16_bit_images_do_not_use_are_told_beside_success(ask, bits, told):
    words = [grey.astype('<u2') << (bits - 8) for grey in (LEFT, RIGHT)]
    left, right = (pixels_message(each, 'mono16') for each in words)
    response = ask(request=stereo_request(left, right, CAMERA))
    assert response.success, response.message
    assert response.message.startswith('no value of the mono16 images exceeds') is bool(told)
    assert not told or f'set mono16_bits: {told}, or' in response.message


def test_nothing_of_that_was_our_fault(node):
    assert not node.lines('[ERROR]') and not node.lines('Traceback'), node.output
