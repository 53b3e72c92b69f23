# SPDX-License-Identifier: Apache-2.0
"""What tests of networks share; the plain network is that of the benchmark."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[3] / 'benchmarks'))


@pytest.fixture(scope='module')
def one_thread():
    """Small maps: several threads would only wait for each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
