# SPDX-License-Identifier: Apache-2.0
"""What tests of networks share; the plain network is that of the benchmark."""

import sys
from pathlib import Path

import pytest
import torch

from vizion3d_ros.engine import network_backend
from vizion3d_ros.engine.replay import accelerate

sys.path.insert(0, str(Path(__file__).parents[3] / 'benchmarks'))


class Spy:
    """Stands before the networks of backends: sees what goes in, and can answer in their place."""

    def __init__(self):
        self.loaded = 0
        self.seen = []
        self.answer = None

    def accelerate(self, network, how, device):
        self.loaded += 1
        self.run = accelerate(network, how, device)
        return self

    def __call__(self, *inputs):
        self.seen.append([x.clone() for x in inputs])
        return (self.answer or self.run)(*inputs)


@pytest.fixture
def spy(monkeypatch):
    """What every network that a backend loads in this test is run by."""
    spy = Spy()
    monkeypatch.setattr(network_backend, 'accelerate', spy.accelerate)
    return spy


@pytest.fixture(scope='module')
def one_thread():
    """Small maps: several threads would only wait for each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
