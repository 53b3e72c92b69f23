# SPDX-License-Identifier: Apache-2.0
"""Requests that wait for a frame: one answer each, by the worker or by the clock."""

import json
import time

import numpy as np
import pytest
import torch
from builtin_interfaces.msg import Time
from scene import info_message
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from vizion3d_interfaces.srv import SaveSnapshot
from vizion3d_ros.contracts.camera import Intrinsics
from vizion3d_ros.contracts.commands import MonoCommand
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.results import Cloud, MonoResult
from vizion3d_ros.contracts.settings.mono_settings import MonoSettings
from vizion3d_ros.ros.messages.outgoing import FrameAnswer
from vizion3d_ros.ros.serving.snapshots import Snapshots, save
from vizion3d_ros.ros.stream.processor import DecodedFrame
from vizion3d_ros.worker import Worker

pytestmark = pytest.mark.ros

DEADLINE = 10.0
NAN = float('nan')
IMAGE = np.zeros((2, 3, 3), np.uint8)
DEPTH = [[1.0, NAN, 2.0], [3.0, 4.0, 5.0]]


@pytest.fixture
def worker():
    worker = Worker(lambda frame: None, lambda error: None)
    yield worker
    worker.close(DEADLINE)


def request(directory=''):
    return SaveSnapshot.Request(directory=str(directory))


def responses(folder):
    return SaveSnapshot.Response(success=True, message=folder.directory)


def test_nothing_is_wanted_until_somebody_asks_nor_after_the_frame(worker):
    snapshots = Snapshots()
    assert not snapshots.wanted
    future = snapshots.ask(request('a'))
    assert snapshots.wanted
    snapshots.feed(worker, responses)
    assert not snapshots.wanted
    assert future.result(DEADLINE).message == 'a'


def test_all_that_wait_get_the_same_frame_each_its_own_folder(worker):
    snapshots, seen = Snapshots(), []
    futures = [snapshots.ask(request(name)) for name in 'abc']
    snapshots.feed(worker, lambda asked: (seen.append(asked.directory), responses(asked))[1])
    assert [future.result(DEADLINE).message for future in futures] == ['a', 'b', 'c']
    assert seen == ['a', 'b', 'c']


def test_one_that_fails_takes_nobody_along(worker):
    def refuse_b(asked):
        if asked.directory == 'b':
            raise InputError('not b')
        return responses(asked)

    snapshots = Snapshots()
    first, second, third = (snapshots.ask(request(name)) for name in 'abc')
    snapshots.feed(worker, refuse_b)
    assert first.result(DEADLINE).success and third.result(DEADLINE).success
    with pytest.raises(InputError, match='not b'):
        second.result(DEADLINE)


@pytest.mark.parametrize(
    ('reason', 'told'), [('no camera', 'no camera'), ('', 'images may still come')]
)
def test_patience_ends_with_the_reason(reason, told):
    snapshots = Snapshots()
    future = snapshots.ask(request())
    snapshots.expire(reason, patience=60.0)
    assert not future.done()
    snapshots.expire(reason, patience=0.0)
    with pytest.raises(InputError, match=rf'no frame came in 0\.0 s: {told}'):
        future.result(0)
    assert not snapshots.wanted


def test_a_request_that_the_worker_has_is_no_longer_up_to_the_clock(worker):
    snapshots = Snapshots()
    future = snapshots.ask(request('a'))
    snapshots.feed(worker, lambda asked: (time.sleep(0.05), responses(asked))[1])
    snapshots.expire('too late', patience=0.0)
    assert future.result(DEADLINE).success


def frame(relative=None, depth_m=None, cloud=None, infos=None):
    """A decoded frame and its answer around a 2x3 image."""
    camera = Intrinsics(width=3, height=2, fx=2.0, fy=2.0, cx=1.0, cy=0.5)
    result = MonoResult(
        relative=relative,
        depth_m=depth_m,
        cloud=cloud,
        backend_used='known',
        checkpoint='known.pth',
        timings_ms={'estimate': 1.234567},
    )
    header = Header(stamp=Time(sec=12, nanosec=345), frame_id='optical')
    command = MonoCommand(image=IMAGE, camera=camera)
    decoded = DecodedFrame(Image(header=header), command, infos or {})
    return decoded, FrameAnswer(result, header, None, MonoSettings())


def test_files_are_named_by_stamp_and_camera_and_described(tmp_path):
    points = torch.tensor([[[NAN] * 4, [1.0, 2.0, 3.0, 0.0]]])
    decoded, answer = frame(
        depth_m=torch.tensor(DEPTH), cloud=Cloud(points), infos={'camera': info_message()}
    )
    response = save(request(), ['', str(tmp_path)], decoded, answer)
    names = ['image.png', 'depth.png', 'cloud.ply', 'camera.yaml']
    expected = [str(tmp_path / f'12000000345_{name}') for name in names]
    assert response.paths == [*expected, str(tmp_path / '12000000345.json')]
    assert response.success and str(tmp_path) in response.message
    facts = json.loads((tmp_path / '12000000345.json').read_text())
    assert (facts['stamp_ns'], facts['frame_id']) == (12000000345, 'optical')
    assert facts['backend_used'] == 'known'
    assert 'millimetres' in facts['depth'] and 'relative' not in facts
    assert b'element vertex 1\n' in (tmp_path / '12000000345_cloud.ply').read_bytes()


def test_what_is_only_relative_is_never_called_depth(tmp_path):
    decoded, answer = frame(relative=torch.tensor(DEPTH))
    response = save(request(tmp_path / 'new'), [str(tmp_path)], decoded, answer)
    names = [path.rpartition('_')[2] for path in response.paths[:-1]]
    assert names == ['image.png', 'relative.pfm']
    facts = json.loads((tmp_path / 'new' / '12000000345.json').read_text())
    assert 'depth' not in facts and 'larger = nearer' in facts['relative']


def test_a_folder_that_is_not_allowed_is_refused_before_anything_is_written(tmp_path):
    decoded, answer = frame(depth_m=torch.tensor(DEPTH))
    (tmp_path / 'open').mkdir()
    (tmp_path / 'closed').mkdir()
    (tmp_path / 'open' / 'way_out').symlink_to(tmp_path / 'closed')
    for folder in (tmp_path / 'closed', tmp_path / 'open' / 'way_out', 'relative', '/'):
        with pytest.raises(InputError, match=r'^directory: .*snapshot_dirs'):
            save(request(folder), [str(tmp_path / 'open')], decoded, answer)
    with pytest.raises(InputError, match='nothing is allowed'):
        save(request(), [''], decoded, answer)
    assert not list((tmp_path / 'closed').iterdir())
