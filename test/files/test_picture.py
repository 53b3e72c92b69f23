# SPDX-License-Identifier: Apache-2.0
"""Encoded images: whatever kind comes out right, and no damaged one comes out at all."""

import io
import os
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.files.picture import PictureLimits, decode_picture, read_picture

HEIGHT, WIDTH = 40, 60
RGB = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
LOSSLESS = ('PNG', 'BMP', 'TIFF', 'PPM')


def encoded(kind, image=RGB, **options):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, kind, **options)
    return stream.getvalue()


def png16(image):
    return cv2.imencode('.png', image)[1].tobytes()


def png_header(width, height):
    """A PNG that promises a size and holds next to nothing."""
    chunks = [
        (b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)),
        (b'IDAT', zlib.compress(b'\0' * 64)),
        (b'IEND', b''),
    ]
    parts = [
        struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
        for kind, data in chunks
    ]
    return b'\x89PNG\r\n\x1a\n' + b''.join(parts)


@pytest.mark.parametrize('kind', LOSSLESS)
def test_colours_come_as_rgb(kind):
    np.testing.assert_array_equal(decode_picture(encoded(kind), 'x'), RGB)


@pytest.mark.parametrize('kind', ['JPEG', 'WEBP'])
def test_lossy_kinds_come_close(kind):
    smooth = cv2.GaussianBlur(RGB, (0, 0), 5)
    picture = decode_picture(encoded(kind, smooth, quality=95), 'x')
    assert picture.flags.writeable
    assert np.abs(picture.astype(int) - smooth).mean() < 3


@pytest.mark.parametrize('kind', [*LOSSLESS, 'JPEG'])
def test_grey_stays_grey(kind):
    picture = decode_picture(encoded(kind, RGB[..., 0]), 'x')
    assert picture.shape == (HEIGHT, WIDTH)
    if kind != 'JPEG':
        np.testing.assert_array_equal(picture, RGB[..., 0])


@pytest.mark.parametrize('shape', [(HEIGHT, WIDTH), (HEIGHT, WIDTH, 3)])
def test_of_sixteen_bits_the_upper_eight_are_kept(shape):
    deep = np.random.default_rng(1).integers(0, 65536, shape).astype(np.uint16)
    expected = deep >> 8
    picture = decode_picture(png16(deep), 'x')
    np.testing.assert_array_equal(picture, expected[..., ::-1] if len(shape) == 3 else expected)


def test_transparency_and_palettes_become_rgb():
    clear = np.dstack([RGB, RGB[..., 0]])
    np.testing.assert_array_equal(decode_picture(encoded('PNG', clear), 'x'), RGB)
    stream = io.BytesIO()
    palette = Image.fromarray(RGB).quantize(16)
    palette.save(stream, 'PNG')
    picture = decode_picture(stream.getvalue(), 'x')
    np.testing.assert_array_equal(picture, np.asarray(palette.convert('RGB')))


@pytest.mark.parametrize('turned', range(2, 9))
@pytest.mark.parametrize('kind', ['PNG', 'JPEG', 'TIFF', 'WEBP'])
def test_a_mark_that_the_image_is_turned_is_ignored(kind, turned):
    mark = Image.Exif()
    mark[0x0112] = turned
    options = {'lossless': True} if kind == 'WEBP' else {}
    marked, plain = encoded(kind, exif=mark, **options), encoded(kind, **options)
    np.testing.assert_array_equal(decode_picture(marked, 'x'), decode_picture(plain, 'x'))


def test_a_turned_tiff_of_the_other_order_of_bytes_is_no_exception():
    pixels = RGB[..., 0].tobytes()
    shape = {256: WIDTH, 257: HEIGHT, 258: 8, 259: 1, 262: 1, 273: 8, 274: 6, 277: 1}
    entries = {**shape, 278: HEIGHT, 279: len(pixels)}
    rows = b''.join(struct.pack('>HHIHH', tag, 3, 1, value, 0) for tag, value in entries.items())
    head = b'MM\0*' + struct.pack('>I', 8 + len(pixels))
    content = head + pixels + struct.pack('>H', len(entries)) + rows + bytes(4)
    np.testing.assert_array_equal(decode_picture(content, 'x'), RGB[..., 0])


@pytest.mark.parametrize('share', [0.3, 0.7, 0.99])
@pytest.mark.parametrize('kind', ['PNG', 'JPEG', 'WEBP', 'BMP', 'TIFF', 'PPM'])
@pytest.mark.filterwarnings('ignore:.*EXIF.*')
def test_a_file_that_is_cut_short_is_refused(kind, share):
    whole = encoded(kind)
    with pytest.raises(InputError, match=r'^photo: '):
        decode_picture(whole[: int(share * len(whole))], 'photo')


def test_a_progressive_jpeg_that_is_cut_short_is_refused():
    whole = encoded('JPEG', progressive=True)
    with pytest.raises(InputError, match=r'photo: .*damaged'):
        decode_picture(whole[: len(whole) // 2], 'photo')


def test_a_png_without_its_end_is_refused():
    with pytest.raises(InputError, match=r'photo: .*damaged'):
        decode_picture(encoded('PNG')[:-12], 'photo')


def test_one_wrong_byte_in_a_png_is_noticed():
    damaged = bytearray(encoded('PNG'))
    damaged[len(damaged) // 2] ^= 1
    with pytest.raises(InputError, match=r'photo: .*damaged'):
        decode_picture(bytes(damaged), 'photo')


@pytest.mark.parametrize('content', [b'', b'not an image', b'\x89PNG\r\n\x1a\n', b'GIF89a' * 9])
def test_what_is_no_image_is_refused(content):
    with pytest.raises(InputError, match=r'^photo: expected an image \(PNG, JPEG'):
        decode_picture(content, 'photo')


def test_a_header_that_promises_too_much_is_refused_before_decoding():
    with pytest.raises(
        InputError,
        match='photo: expected at most 89000000 pixels, got 3600000000: use a smaller image',
    ):
        decode_picture(png_header(60_000, 60_000), 'photo')
    limits = PictureLimits(max_pixels=HEIGHT * WIDTH - 1)
    with pytest.raises(InputError, match='at most 2399 pixels, got 60x40'):
        decode_picture(encoded('PNG'), 'photo', limits)
    assert decode_picture(encoded('PNG'), 'photo', PictureLimits(HEIGHT * WIDTH)).shape


def test_a_header_that_promises_more_than_there_is_is_refused():
    with pytest.raises(InputError, match=r'photo: .*damaged'):
        decode_picture(png_header(50, 50), 'photo')


def test_too_many_bytes_are_refused_before_they_are_read(tmp_path):
    path = tmp_path / 'sparse.png'
    with path.open('wb') as file:
        file.truncate(10**12)
    with pytest.raises(InputError, match='expected at most 524288000 bytes, got 1000000000000'):
        read_picture(path, 'photo')
    with pytest.raises(InputError, match='expected at most 9 bytes'):
        decode_picture(encoded('PNG'), 'photo', PictureLimits(max_bytes=9))


def test_a_file_is_read(tmp_path):
    path = tmp_path / 'a.png'
    path.write_bytes(encoded('PNG'))
    np.testing.assert_array_equal(read_picture(path, 'x'), RGB)


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / 'pipe')
    faults = {
        tmp_path / 'missing.png': 'no such file',
        tmp_path / 'pipe': 'no such file',
        tmp_path: 'got a folder',
        tmp_path / ('x' * 5000): 'cannot be read',
        tmp_path / 'a\0b': 'no such file|cannot be read',
    }
    for path, fault in faults.items():
        with pytest.raises(InputError, match=f'^photo: .*({fault})'):
            read_picture(path, 'photo')
