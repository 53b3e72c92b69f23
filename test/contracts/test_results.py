# SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from vizion3d_ros.contracts.results import Cloud


@pytest.mark.parametrize(
    ('shape', 'organized'), [((3, 5, 4), True), ((7, 4), False), ((0, 4), False)]
)
def test_a_cloud_knows_whether_it_is_an_image(shape, organized):
    assert Cloud(torch.zeros(shape)).organized is organized
