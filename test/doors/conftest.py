# SPDX-License-Identifier: Apache-2.0
"""Servers as real processes on loopback; shared, as each needs seconds to start."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from depth_anything_rules import state_dict
from encoded import png
from grpc_server import GrpcServer
from known_answers import noise
from malformed import MOST_BYTES
from rest_server import RestServer
from served import HELD, PLACES

SGBM = ('--stereo_model', 'opencv-sgbm', '--max_bytes', str(MOST_BYTES))


@pytest.fixture(scope='module')
def start():
    """Call it with flags, and maybe the script to run, to get a RestServer."""
    servers = []

    def started(*flags, **options):
        servers.append(RestServer(flags, **options))
        return servers[-1]

    yield started
    for server in servers:
        server.kill()


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
    server = RestServer((*SGBM, '--depth-model', checkpoint))
    yield server
    server.kill()


@pytest.fixture(scope='session')
def few():
    """A server for pairs alone with PLACES places, whose matcher answers when it is let go."""
    flags = ('--stereo_depth', '--places', str(PLACES))
    server = RestServer(flags, [HELD, 'rest'], stdin=subprocess.PIPE)
    yield server
    server.kill()


@pytest.fixture(scope='session')
def another(checkpoint, tmp_path_factory):
    """The path of a checkpoint that is allowed, but not loaded at the start."""
    path = tmp_path_factory.mktemp('allowed') / Path(checkpoint).name
    os.link(checkpoint, path)
    return str(path)


@pytest.fixture(scope='session')
def spoken(checkpoint, another):
    """The same for gRPC."""
    flags = (*SGBM, '--depth_model', checkpoint, '--allowed_models', another)
    server = GrpcServer(flags)
    yield server
    server.kill()


@pytest.fixture(scope='session')
def held():
    """A gRPC server as `few`."""
    flags = ('--stereo_depth', '--places', str(PLACES))
    server = GrpcServer(flags, [HELD, 'grpc'], stdin=subprocess.PIPE)
    yield server
    server.kill()
