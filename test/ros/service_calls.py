# SPDX-License-Identifier: Apache-2.0
"""Requests of both depth services in each way that they can be made, and what is in a response."""

from array import array

import numpy as np
from encoded import png, read_ply
from scene import pixels_message
from sensor_msgs.msg import Image

from vizion3d_interfaces.srv import RunDepthEstimation, RunStereoDepth


def rgb_message(pixels, stamp_ns=0, frame_id=''):
    """An Image of uint8 (H, W, 3) RGB."""
    return pixels_message(pixels, 'rgb8', stamp_ns, frame_id)


def images(ways):
    """Fields of a request: ways maps image, left_image or right_image to what is given as it."""
    fields = {}
    for name, given in ways.items():
        if isinstance(given, Image):
            fields[name] = given
        elif isinstance(given, str):
            fields[f'{name}_path'] = given
        else:
            fields[f'{name}_bytes'] = array('B', given)
    return fields


def stereo_request(left, right, config=None, **fields):
    """left, right: encoded bytes, an Image or a path; config: numbers by name."""
    return _with_config(
        RunStereoDepth.Request(**images({'left_image': left, 'right_image': right}), **fields),
        config,
    )


def mono_request(image, config=None, **fields):
    """image: encoded bytes, an Image or a path; config: numbers by name."""
    return _with_config(RunDepthEstimation.Request(**images({'image': image}), **fields), config)


def _with_config(request, config):
    for name, value in (config or {}).items():
        setattr(request.advanced_config, name, float(value))
    return request


def values(message):
    """The numbers of a 32FC1 or mono16 image."""
    dtype = {'32FC1': np.float32, 'mono16': np.uint16}[message.encoding]
    return np.frombuffer(message.data, dtype).reshape(message.height, message.width)


def cloud(message):
    """xyz float32 (N, 3) and rgb uint8 (N, 3) of an unorganised cloud."""
    points = np.frombuffer(message.data, np.float32).reshape(-1, 4)
    assert (message.height, message.width, message.point_step) == (1, len(points), 16)
    return points[:, :3], points[:, 3:].view(np.uint8).reshape(-1, 4)[:, 2::-1]


def assert_same_points(response):
    """The PLY file of a response is its cloud, in the axes of OpenGL and unscaled."""
    assert response.point_cloud_scale == 1.0
    xyz, rgb = cloud(response.point_cloud)
    ply_xyz, ply_rgb = read_ply(response.point_cloud_ply)
    np.testing.assert_array_equal(ply_xyz, xyz * [1, -1, -1])
    np.testing.assert_array_equal(ply_rgb, rgb)


def ways_of(pixels, folder, name):
    """One picture in each way: encoded bytes, an Image, and the path of a file in the folder."""
    path = folder / f'{name}.png'
    path.write_bytes(png(pixels))
    return {'bytes': png(pixels), 'message': rgb_message(pixels), 'path': str(path)}
