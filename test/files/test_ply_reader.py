# SPDX-License-Identifier: Apache-2.0
"""PLY files to points, and what is no such file."""

import numpy as np
import pytest

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.files.ply import encode_vertices
from vizion3d_ros.files.ply_reader import decode_ply, read_ply

RNG = np.random.default_rng(0)
XYZ = RNG.standard_normal((50, 3)).astype(np.float32)
RGB = RNG.integers(0, 256, (50, 3), dtype=np.uint8)


def test_what_is_written_is_read():
    cloud = decode_ply(encode_vertices(XYZ, RGB, 'a comment'), 'cloud')
    np.testing.assert_array_equal(cloud.xyz, XYZ)
    np.testing.assert_array_equal(cloud.rgb, RGB)


@pytest.mark.parametrize('ascii', [True, False])
def test_what_open3d_writes_is_read(tmp_path, ascii):
    open3d = pytest.importorskip('open3d')
    cloud = open3d.geometry.PointCloud()
    cloud.points = open3d.utility.Vector3dVector(XYZ.astype(np.float64))
    cloud.colors = open3d.utility.Vector3dVector(RGB / 255)
    cloud.estimate_normals()
    path = tmp_path / 'cloud.ply'
    assert open3d.io.write_point_cloud(str(path), cloud, write_ascii=ascii)
    read = read_ply(path, 'cloud')
    np.testing.assert_allclose(read.xyz, XYZ, rtol=1e-5)
    np.testing.assert_array_equal(read.rgb, RGB)


def header(count, kind='ascii', fields='xyz', element='vertex'):
    lines = [f'property float {name}' for name in fields]
    return '\n'.join(
        ['ply', f'format {kind} 1.0', f'element {element} {count}', *lines, 'end_header', '']
    ).encode()


def test_big_endian_without_colours_is_read():
    content = header(50, 'binary_big_endian') + XYZ.astype('>f4').tobytes()
    cloud = decode_ply(content, 'cloud')
    np.testing.assert_array_equal(cloud.xyz, XYZ)
    assert cloud.rgb is None


@pytest.mark.parametrize(
    ('content', 'said'),
    [
        (b'', '0 bytes'),
        (b'\x89PNG', '4 bytes of something else'),
        (b'ply\nformat ascii 1.0\n', 'no end'),
        (header(1, 'morse'), "'morse' is unknown"),
        (header(1, element='face'), 'no vertex'),
        (header(1, fields='xy'), 'have x, y'),
        (header(2) + b'1 2 3\n', 'cut short'),
        (header(9, 'binary_little_endian') + b'1234', 'cut short'),
        (header(-3, 'binary_little_endian'), 'cut short'),
        (header(1) + b'a b c\n', 'damaged'),
        (header('many'), 'damaged'),
        (encode_vertices(XYZ, RGB)[:-1], 'cut short'),
    ],
)
def test_what_is_no_cloud_is_told_in_a_sentence(content, said):
    with pytest.raises(InputError, match=f'the_field: expected a PLY file.*{said}'):
        decode_ply(content, 'the_field')


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match='cloud: cannot be read'):
        read_ply(tmp_path / 'none.ply', 'cloud')
