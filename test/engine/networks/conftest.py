# SPDX-License-Identifier: Apache-2.0
"""What tests of networks share."""

import pytest
import torch


@pytest.fixture(scope='module')
def one_thread():
    """Small maps: several threads would only wait for each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
