# SPDX-License-Identifier: Apache-2.0
"""Objects of a cloud by REST and gRPC: one answer by both, and what is refused."""

import base64
from pathlib import Path

import cv2
import grpc
import numpy as np
import pytest
from encoded import png
from grpc_client import channel_to, refused, stub_of
from grpc_server import GrpcServer

from vizion3d_ros.files.ply import encode_vertices
from vizion3d_ros.files.ply_reader import decode_ply
from vizion3d_ros.proto import lifting_pb2

ROUTE = '/annotation/object-mask-annotation-3d'
SEEING = str(Path(__file__).with_name('seeing_server.py'))
WIDTH, HEIGHT, FOCAL_PX = 64, 48, 60.0
CONFIG = {'fx': FOCAL_PX, 'fy': FOCAL_PX, 'cx': WIDTH / 2, 'cy': HEIGHT / 2}


def room():
    """A plate at 1 m before a wall at 3 m: image, points in OpenGL axes, which are the plate's."""
    rows, columns = np.indices((HEIGHT, WIDTH))
    plate = (abs(rows - HEIGHT / 2) < 10) & (abs(columns - WIDTH / 2) < 12)
    z = np.where(plate, 1.0, 3.0)
    x, y = (columns - CONFIG['cx']) * z / FOCAL_PX, (rows - CONFIG['cy']) * z / FOCAL_PX
    xyz = np.stack([x, -y, -z], axis=-1).reshape(-1, 3).astype(np.float32)
    return np.where(plate, 255, 60).astype(np.uint8), xyz, plate.ravel()


IMAGE, XYZ, PLATE = room()
CLOUD = encode_vertices(XYZ, np.full((len(XYZ), 3), 90, np.uint8))
OPTICAL = encode_vertices(-XYZ, np.full((len(XYZ), 3), 90, np.uint8))


@pytest.fixture(scope='module')
def rest(start):
    return start(script=[SEEING, 'rest'])


@pytest.fixture(scope='module')
def stub():
    server = GrpcServer((), script=[SEEING, 'grpc'])
    with channel_to(server.port) as channel:
        yield stub_of(channel)
    server.kill()


def asked(**fields):
    wanted = {'return_object_clouds': True, 'return_annotated_cloud': True, **fields}
    return wanted


def test_rest_says_which_points_are_which_object(rest):
    files = {'point_cloud_ply': CLOUD, 'image': png(IMAGE)}
    fields = {name: str(value) for name, value in (CONFIG | asked()).items()}
    answer = rest.post(ROUTE, files, fields)
    assert answer.status == 200, answer.body
    assert list(answer.json) == ['annotations', 'annotated_cloud_ply', 'backend_used']
    (item,) = answer.json['annotations']
    assert (item['label'], item['class_id'], round(item['confidence'], 3)) == ('lamp', 7, 0.9)
    assert item['point_indices'] == np.flatnonzero(PLATE).tolist()
    assert np.allclose(item['point_coords'], XYZ[PLATE])
    mask = base64.b64decode(item['mask_image'])
    assert (cv2.imdecode(np.frombuffer(mask, np.uint8), cv2.IMREAD_UNCHANGED) == 255).sum() == (
        PLATE.sum()
    )
    own = decode_ply(base64.b64decode(item['object_cloud_ply']), 'own')
    assert np.allclose(own.xyz, XYZ[PLATE])
    painted = decode_ply(base64.b64decode(answer.json['annotated_cloud_ply']), 'all')
    assert (painted.rgb[~PLATE] == 90).all() and (painted.rgb[PLATE] != 90).any(axis=1).all()


def test_grpc_says_the_same(stub):
    config = lifting_pb2.ObjectMaskAnnotation3DConfig(**CONFIG)
    request = lifting_pb2.ObjectMaskAnnotation3DRequest(
        image_bytes=png(IMAGE), point_cloud_ply=CLOUD, advanced_config=config, **asked()
    )
    answer = stub.RunObjectMaskAnnotation3D(request)
    (item,) = answer.annotations
    assert (item.label, item.class_id) == ('lamp', 7)
    assert list(item.point_indices) == np.flatnonzero(PLATE).tolist()
    assert np.allclose([row.values for row in item.point_coords], XYZ[PLATE])
    assert len(decode_ply(item.object_cloud_ply, 'own').xyz) == PLATE.sum()
    assert len(decode_ply(answer.annotated_cloud_ply, 'all').xyz) == len(XYZ)
    assert answer.backend_used


def test_without_an_image_one_is_drawn_and_nothing_more_is_sent_than_asked_for(rest):
    bright = encode_vertices(XYZ, np.where(PLATE[:, None], 255, 60).repeat(3, 1).astype(np.uint8))
    fields = {name: str(value) for name, value in CONFIG.items()}
    answer = rest.post(ROUTE, {'point_cloud_ply': bright}, fields)
    assert answer.status == 200, answer.body
    (item,) = answer.json['annotations']
    assert set(item['point_indices']) == set(np.flatnonzero(PLATE))
    assert item['object_cloud_ply'] is None and answer.json['annotated_cloud_ply'] is None


@pytest.mark.parametrize(
    ('files', 'fields', 'status'),
    [
        ({}, {}, 422),
        ({'point_cloud_ply': b'no cloud'}, {}, 400),
        ({'point_cloud_ply': CLOUD, 'image': b'no image'}, {}, 400),
        ({'point_cloud_ply': CLOUD}, {'fx': 'wide'}, 422),
        ({'point_cloud_ply': CLOUD}, {'model_backend': 'https://x.org/yolo26l-seg.pt'}, 403),
    ],
)
def test_what_cannot_be_used_is_refused(rest, files, fields, status):
    answer = rest.post(ROUTE, files, fields)
    assert answer.status == status, answer.body
    assert answer.json['detail']


def test_grpc_refuses_with_a_code_and_a_sentence(stub):
    request = lifting_pb2.ObjectMaskAnnotation3DRequest(point_cloud_ply=b'no cloud')
    code, text = refused(stub.RunObjectMaskAnnotation3D, request)
    assert code is grpc.StatusCode.INVALID_ARGUMENT and 'point_cloud_ply' in text
    request = lifting_pb2.ObjectMaskAnnotation3DRequest(
        point_cloud_ply=CLOUD, model_backend='other.pth'
    )
    assert refused(stub.RunObjectMaskAnnotation3D, request)[0] is grpc.StatusCode.PERMISSION_DENIED


def test_clouds_of_other_axes_are_refused_by_both(rest, stub):
    sentence = f'none of {len(XYZ)} points is in front of the camera: expected metres'
    answer = rest.post(ROUTE, {'point_cloud_ply': OPTICAL, 'image': png(IMAGE)}, {})
    assert answer.status == 400 and sentence in answer.json['detail']
    request = lifting_pb2.ObjectMaskAnnotation3DRequest(
        point_cloud_ply=OPTICAL, image_bytes=png(IMAGE)
    )
    code, text = refused(stub.RunObjectMaskAnnotation3D, request)
    assert code is grpc.StatusCode.INVALID_ARGUMENT and sentence in text


@pytest.mark.parametrize('points', [0, 1, len(XYZ)])
def test_clouds_without_a_point_to_see_have_no_objects(rest, stub, points):
    cloud = encode_vertices(XYZ[:points] * np.float32(np.nan), np.zeros((points, 3), np.uint8))
    answer = rest.post(ROUTE, {'point_cloud_ply': cloud, 'image': png(IMAGE)}, {})
    assert answer.status == 200, answer.body
    assert [each['point_indices'] for each in answer.json['annotations']] == [[]]
    request = lifting_pb2.ObjectMaskAnnotation3DRequest(
        point_cloud_ply=cloud, image_bytes=png(IMAGE)
    )
    (item,) = stub.RunObjectMaskAnnotation3D(request).annotations
    assert not item.point_indices
