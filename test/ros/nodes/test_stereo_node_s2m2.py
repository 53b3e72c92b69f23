# SPDX-License-Identifier: Apache-2.0
"""The neural backend from checkpoint to topic: download, load, match, publish; then offline."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import s2m2_rules as rules
import torch
from scene import FRAME_ID, pixels_of
from sensor_msgs.msg import Image
from stereo_msgs.msg import DisparityImage

pytestmark = [pytest.mark.ros, pytest.mark.slow]
PATIENCE = 60.0  # a network on a busy CPU


@pytest.fixture(scope='module')
def server(tmp_path_factory):
    """The address of a rule-made checkpoint, and how to take the server away."""
    folder = tmp_path_factory.mktemp('release')
    weights = {k: torch.as_tensor(v) for k, v in rules.state_dict('S', 103).items()}
    torch.save({'state_dict': weights}, folder / 'rule_made_s.pth')
    handler = partial(SimpleHTTPRequestHandler, directory=folder)
    server = ThreadingHTTPServer(('127.0.0.1', 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{server.server_port}/rule_made_s.pth', server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope='module')
def cache(tmp_path_factory):
    """An empty model cache for the nodes of this module."""
    folder = tmp_path_factory.mktemp('cache')
    patch = pytest.MonkeyPatch()
    patch.setenv('VIZION3D_MODEL_CACHE', str(folder))
    yield folder
    patch.undo()


def parameters(url):
    return {
        'backend': 's2m2',
        'device': 'cpu',
        's2m2.model_backend': url,
        's2m2.max_width': 96,
        's2m2.max_height': 64,
        'min_depth': 0.01,
        'max_depth': 10000.0,
    }


def assert_answers(robot):
    topics = {'depth/image': Image, 'disparity': DisparityImage}
    topics |= {'confidence/image': Image, 'visibility/image': Image}
    heard = robot.listen_to(topics)
    robot.wait_for(
        lambda: all(heard.values()),
        PATIENCE,
        lambda: f'still silent: {[name for name, messages in heard.items() if not messages]}',
        robot.send_pair,
    )
    depth, disparity = heard['depth/image'][-1], heard['disparity'][-1]
    metres = pixels_of(depth)
    assert depth.header.frame_id == FRAME_ID
    assert np.isfinite(metres).mean() > 0.5
    pixels = pixels_of(disparity.image)
    shown = pixels > 0
    if depth.header.stamp == disparity.header.stamp:
        np.testing.assert_allclose(metres[shown], disparity.f * disparity.t / pixels[shown], 1e-4)
    for name in ('confidence/image', 'visibility/image'):
        share = pixels_of(heard[name][-1])
        assert 0 <= share.min() <= share.max() <= 1
        assert share.max() > 0


def test_download_load_match_publish_and_again_without_a_network(
    server, cache, start_node, make_robot
):
    url, http = server
    first, robot = start_node('/first', parameters(url)), make_robot('/first')
    first.wait_for_line('ready on cpu with s2m2')
    assert first.lines('rule_made_s.pth'), 'no download without a word'
    assert first.lines('CC BY-NC'), 'the licence is told'
    assert [path.name for path in cache.glob('*.pth')] == ['rule_made_s.pth']
    robot.meet()
    assert_answers(robot)

    http.shutdown()
    http.server_close()
    second, robot = start_node('/second', parameters(url)), make_robot('/second')
    second.wait_for_line('ready on cpu with s2m2')
    robot.meet()
    assert_answers(robot)


def test_a_checkpoint_that_cannot_be_had_is_one_line_with_the_cure(cache, start_node):
    node = start_node('/gone', parameters('http://127.0.0.1:9/never.pth'))
    node.wait_for_line('[ERROR]', 's2m2 cannot be loaded', 'never.pth', timeout=60.0)
    assert node.alive
    assert 'Traceback' not in node.output
