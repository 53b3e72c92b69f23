# SPDX-License-Identifier: Apache-2.0
"""Launches of what is not there: one sentence, before anything has started."""

import re

import pytest

both = pytest.mark.parametrize('kind', ['stereo', 'mono'])


@both
@pytest.mark.parametrize(
    ('given', 'words'),
    [
        ({'params_file': '/nowhere/my.yaml'}, 'params_file: there is no file /nowhere/my.yaml'),
        ({'transport_profile': '/nowhere/my.xml'}, 'transport_profile: there is no file'),
        ({'rviz': 'true'}, 'rviz:=true needs rviz2, which is not installed'),
        ({'parent_frame': 'map'}, 'parent_frame needs tf2_ros, which is not installed'),
        ({'camera_pose': '0 0 1'}, "'x y z roll pitch yaw', in metres and radians, got '0 0 1'"),
        ({'camera_pose': '0 0 up 0 0 0'}, 'camera_pose: expected six numbers'),
    ],
)
def test_what_is_missing_ends_the_launch_before_a_node_starts(launch, kind, given, words):
    with pytest.raises(RuntimeError, match=re.escape(words)):  # with which launch ends in failure
        launch(kind, **given)


def test_a_bag_without_what_plays_it_is_refused(launch):
    with pytest.raises(RuntimeError, match='bag needs ros2bag, which is not installed'):
        launch('bag', bag='/data/run')


@both
def test_a_log_level_that_there_is_not_is_refused_with_those_that_are(launch, kind):
    with pytest.raises(RuntimeError, match=r'loud.*warn'):
        launch(kind, log_level='loud')
