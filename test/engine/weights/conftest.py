# SPDX-License-Identifier: Apache-2.0
"""A cache of its own for every test, a server, and small checkpoints that look real."""

from __future__ import annotations

import pytest
from model_server import ModelServer, serve
from tiny_models import SHAPES, make_tensors, saved

from vizion3d_ros.engine.weights import transfer


@pytest.fixture
def shapes():
    return dict(SHAPES)


@pytest.fixture
def tensors():
    return make_tensors()


@pytest.fixture
def save(tmp_path):
    """Return a function that saves content into a file of the test's own folder."""

    def save_file(content, name='own.pth', **options):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else saved(content, **options))
        return path

    return save_file


@pytest.fixture(scope='session')
def model_bytes():
    return saved({'state_dict': make_tensors()})


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Return the folder of the cache, empty and not there yet; retries come at once."""
    folder = tmp_path / 'cache'
    monkeypatch.setenv('VIZION3D_MODEL_CACHE', str(folder))
    monkeypatch.setattr(transfer, 'BACKOFF_S', (0.001, 0.001))
    return folder


@pytest.fixture
def server(model_bytes):
    scene = ModelServer(model_bytes)
    running = serve(scene)
    yield scene
    scene.gate.set()
    running.shutdown()
    running.server_close()
