# SPDX-License-Identifier: Apache-2.0
"""Files as bytes, made and read by other means than the package's own."""

import struct
import zlib

import cv2
import numpy as np

PLY_TYPES = {'float': '<f4', 'uchar': 'u1', 'double': '<f8'}
COLOURS = ('red', 'green', 'blue')


def png(pixels):
    """Encode uint8 (H, W) grey or (H, W, 3) RGB."""
    bgr = pixels if pixels.ndim == 2 else pixels[..., ::-1]
    return cv2.imencode('.png', bgr)[1].tobytes()


def png_that_claims(width, height):
    """A few bytes whose header speaks of a grey image of that size."""
    header = struct.pack('>IIBBBBB', width, height, 8, 0, 0, 0, 0)
    chunks = [(b'IHDR', header), (b'IDAT', zlib.compress(bytes(100))), (b'IEND', b'')]
    return b'\x89PNG\r\n\x1a\n' + b''.join(
        struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
        for kind, data in chunks
    )


def read_ply(data):
    """xyz float (N, 3) and rgb uint8 (N, 3) of a binary PLY file, as its header describes it."""
    header, _, body = bytes(data).partition(b'end_header\n')
    lines = [line.split() for line in header.decode('ascii').splitlines()]
    assert lines[:2] == [['ply'], ['format', 'binary_little_endian', '1.0']]
    count = next(int(line[2]) for line in lines if line[:2] == ['element', 'vertex'])
    properties = [(line[2], PLY_TYPES[line[1]]) for line in lines if line[0] == 'property']
    vertices = np.frombuffer(body, properties)
    assert len(vertices) == count, 'the header counts other vertices than there are'
    xyz, rgb = (np.stack([vertices[n] for n in names], 1) for names in ('xyz', COLOURS))
    return xyz, rgb
