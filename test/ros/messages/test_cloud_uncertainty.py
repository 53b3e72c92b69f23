# SPDX-License-Identifier: Apache-2.0
"""The field uncertainty of a cloud: where it lies, and that it is that of the map."""

import numpy as np
import pytest
import torch
from sensor_msgs_py import point_cloud2
from std_msgs.msg import Header

from vizion3d_ros.contracts.camera import Intrinsics, StereoRig
from vizion3d_ros.contracts.commands import Output, StereoCommand
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.geometry.uncertainty import depth_uncertainty
from vizion3d_ros.pipeline.stereo import StereoPipeline
from vizion3d_ros.ros.messages.payloads import points_message

pytestmark = pytest.mark.ros
POINTS = torch.arange(10, dtype=torch.float32).reshape(2, 5)


@pytest.mark.parametrize(('layout', 'step', 'offset'), [('packed', 20, 16), ('pcl', 32, 20)])
def test_readers_find_it_by_its_name(layout, step, offset):
    message = points_message(Header(), POINTS, layout)
    assert (message.point_step, message.row_step, len(message.data)) == (step, 2 * step, 2 * step)
    assert {field.name: field.offset for field in message.fields}['uncertainty'] == offset
    read = point_cloud2.read_points(message)
    for column, name in enumerate(('x', 'y', 'z', 'rgb', 'uncertainty')):
        assert np.array_equal(read[name].ravel(), POINTS[:, column].numpy())


def test_it_is_that_of_the_map(make_pair):
    pair = make_pair(160, 96, seed=1)
    camera = Intrinsics(width=160, height=96, fx=150.0, fy=150.0, cx=79.5, cy=47.5)
    command = StereoCommand(
        left=pair.left,
        right=pair.right,
        rig=StereoRig(left=camera, baseline_m=0.2),
        settings=StereoSettings(
            min_depth=1.0, points={'uncertainty': True, 'min_confidence': 0.0}, device='cpu'
        ),
        outputs=frozenset(Output),
    )
    result = StereoPipeline('cpu').run(command)
    column = result.cloud.points[..., 4]
    assert torch.isfinite(column).any()
    assert np.array_equal(column.numpy(), depth_uncertainty(result).numpy(), equal_nan=True)
