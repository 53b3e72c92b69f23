# SPDX-License-Identifier: Apache-2.0
"""What no server should have to see, by any door: what is sent instead of what is good."""

import cv2
from encoded import png, png_that_claims
from known_answers import noise

MOST_BYTES = 2_000_000  # of an image, for the servers that get these
PNG = png(noise(96, 160))
BMP = cv2.imencode('.bmp', noise(96, 160))[1].tobytes()

# name: the image, and what is said of it
IMAGES = {
    'cut short': ({'left_image': PNG[: len(PNG) // 2]}, 'left_image: image is damaged'),
    'a bitmap cut short': (
        {'left_image': BMP[: len(BMP) // 2]},
        'left_image: BMP image is damaged',
    ),
    'not an image': ({'right_image': b'hello world'}, 'right_image: expected an image'),
    'empty': ({'right_image': b''}, 'right_image: expected an image'),
    'sizes differ': ({'right_image': png(noise(60, 160))}, 'right_image: is 160x60, but'),
    'a bomb': ({'left_image': png_that_claims(60_000, 60_000)}, '16000000 pixels'),
    'a small bomb': ({'left_image': png_that_claims(5000, 4000)}, 'got 5000x4000'),
    'no pixels': ({'left_image': png_that_claims(0, 10)}, 'left_image: '),
    'too many bytes': (
        {'left_image': bytes(MOST_BYTES + 1)},
        f'at most {MOST_BYTES} bytes, got {MOST_BYTES + 1}',
    ),
}
# name: model_backend, and what is said of it
BACKENDS = {
    'unknown backend': ('magic', "got 'magic': let the operator set --all"),
    'known, not allowed': ('s2m2-L', "got 's2m2-L'"),
    'any file': ('/etc/passwd', 'let the operator set --allowed_models'),
    'a way out': ('../../../etc/passwd', 'model_backend: '),
    'any address': ('https://localhost:9/a.pth', 'model_backend: '),
    'a file as address': ('file:///etc/passwd', 'model_backend: '),
    'an endless name': ('x' * 10**6, 'model_backend: '),
}
