# SPDX-License-Identifier: Apache-2.0
"""Whatever a checkpoint file holds: its tensors, or a BackendError; never code that runs."""

import io

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from outcomes import accepted, both_ways, refused

from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.engine.weights.load import read_tensors


def saved(content):
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


FILES = [
    saved({'weight': torch.ones(2, 3), 'bias': torch.zeros(2)}),
    saved({'state_dict': {'module.weight': torch.ones(4)}, 'epoch': 3}),
    saved([torch.ones(1)]),
]


@pytest.fixture(scope='module')
def path(tmp_path_factory):
    return tmp_path_factory.mktemp('fuzz') / 'checkpoint.pth'


changes = st.lists(st.tuples(st.integers(0, 2**14), st.integers(0, 255)), max_size=8)


@both_ways
@given(content=st.sampled_from(FILES), changes=changes, length=st.none() | st.integers(0, 2**11))
def test_a_checkpoint_is_read_or_refused(path, content, changes, length):
    damaged = bytearray(content)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    path.write_bytes(damaged[:length])
    try:
        tensors = read_tensors(path)
    except BackendError as error:
        return refused(error)
    assert all(isinstance(tensor, torch.Tensor) for tensor in tensors.values())
    accepted()
