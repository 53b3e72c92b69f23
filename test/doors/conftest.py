# SPDX-License-Identifier: Apache-2.0
"""REST servers as real processes on loopback."""

import numpy as np
import pytest
import torch
from depth_anything_rules import state_dict
from encoded import png
from known_answers import noise
from rest_server import RestServer


@pytest.fixture(scope='module')
def start():
    """Call it with flags, and maybe the script to run, to get a RestServer."""
    servers = []

    def started(*flags, **options):
        servers.append(RestServer(flags, **options))
        return servers[-1]

    yield started
    for server in servers:
        server.terminate()
    for server in servers:
        server.close()


@pytest.fixture(scope='session')
def pair():
    """Files of a form: a wall in a pair of 160x96, 10 px apart."""
    left = noise(96, 160)
    return {'left_image': png(left), 'right_image': png(np.roll(left, -10, axis=1))}


@pytest.fixture(scope='session')
def checkpoint(tmp_path_factory):
    """The path of a relative checkpoint of the smallest kind."""
    path = tmp_path_factory.mktemp('checkpoints') / 'rule_made_vits.pth'
    torch.save(state_dict('vits'), path)
    return str(path)


@pytest.fixture(scope='session')
def scene():
    """The file of a form: an image of 56x56, which a network sees larger."""
    return {'image': png(noise(56, 56))}


@pytest.fixture(scope='session')
def both(checkpoint):
    """A server with both routes, opencv-sgbm and the checkpoint."""
    server = RestServer(('--stereo_model', 'opencv-sgbm', '--depth-model', checkpoint))
    yield server
    server.close()
