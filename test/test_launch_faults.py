# SPDX-License-Identifier: Apache-2.0
"""Launches of what is not there: one sentence, before anything has started."""

import pytest

both = pytest.mark.parametrize('kind', ['stereo', 'mono'])


@both
@pytest.mark.parametrize(
    ('given', 'words'),
    [
        ({'params_file': '/nowhere/my.yaml'}, 'no parameter file /nowhere/my.yaml'),
        ({'rviz': 'true'}, 'rviz2, which is not installed'),
        ({'transport_profile': '/nowhere/my.xml'}, 'no transport profile /nowhere/my.xml'),
    ],
)
def test_what_is_missing_ends_the_launch_before_a_node_starts(launch, kind, given, words):
    context = launch(kind, **given)
    assert not context.nodes
    (told,) = context.told
    assert words in told and context.ended == told


@both
def test_a_log_level_that_there_is_not_is_refused_with_those_that_are(launch, kind):
    with pytest.raises(RuntimeError, match=r'loud.*warn'):
        launch(kind, log_level='loud')
