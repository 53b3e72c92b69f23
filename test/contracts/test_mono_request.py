# SPDX-License-Identifier: Apache-2.0
"""The request for one image: names and defaults as documented, faults that name the field."""

import numpy as np
import pytest
from pydantic import ValidationError

from vizion3d_ros.contracts.errors import explain
from vizion3d_ros.contracts.mono_request import (
    DEFAULT_MONO_BACKEND,
    DepthEstimationAdvanceConfig,
    DepthEstimationCommand,
)
from vizion3d_ros.engine.weights.names import known_by_url


def test_the_defaults_are_those_of_the_documentation():
    command = DepthEstimationCommand(image_input='scene.png')
    assert command.model_backend == DEFAULT_MONO_BACKEND
    assert (command.return_depth_image, command.return_point_cloud) == (False, False)
    config = command.advanced_config
    assert (config.fx, config.fy, config.cx, config.cy) == (None, None, None, None)
    assert config.depth_trunc == 10.0


def test_the_default_checkpoint_is_a_known_one():
    assert known_by_url(DEFAULT_MONO_BACKEND).name == 'depth-anything-v2-base'


@pytest.mark.parametrize(
    ('field', 'value'),
    [
        *[(name, value) for name in ('fx', 'fy') for value in (0, -1.0, np.nan, 1e300)],
        *[(name, value) for name in ('cx', 'cy') for value in (np.inf, -1e300, 1e300)],
        *[('depth_scale', value) for value in (0, -1.0, np.nan)],
        *[('depth_trunc', value) for value in (0, 0.5, np.nan)],
    ],
)
def test_a_number_that_cannot_be_is_named(field, value):
    with pytest.raises(ValidationError) as caught:
        DepthEstimationAdvanceConfig(**{field: value})
    assert explain(caught.value).startswith(f'{field}: ')


def test_an_image_is_needed():
    with pytest.raises(ValidationError, match='image_input'):
        DepthEstimationCommand(image_input=None)


def test_measured_depths_come_as_any_table_of_three_columns():
    command = DepthEstimationCommand(image_input='a.png', sparse_points=[(1, 2, 3.5), (4, 5, 6)])
    np.testing.assert_array_equal(command.sparse_points, [[1, 2, 3.5], [4, 5, 6]])


@pytest.mark.parametrize('points', [[1, 2, 3], [[1, 2]], 'many', [[1, 2, 3], [4, 5]]])
def test_measured_depths_of_another_shape_are_refused(points):
    with pytest.raises(ValidationError, match=r'sparse_points'):
        DepthEstimationCommand(image_input='a.png', sparse_points=points)
