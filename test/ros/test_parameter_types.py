# SPDX-License-Identifier: Apache-2.0
"""Values of other types than those that are declared: taken as they are meant, or named."""

from array import array

import pytest
from rclpy.parameter import Parameter

from vizion3d_ros.contracts.settings.mono_settings import MonoSettings
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.ros.parameters import LiveSettings

pytestmark = pytest.mark.ros


@pytest.fixture
def node(make_node):
    return make_node()


@pytest.fixture
def live(node):
    return LiveSettings(node, StereoSettings, lambda _: None)


def change(node, values):
    return node.set_parameters_atomically([Parameter(n, value=v) for n, v in values.items()])


def test_numbers_are_taken_as_they_are_meant(node, live):
    given = {'min_depth': 1, 'max_depth': 30, 'points.decimation': 2.0, 'sgbm.sgbm_mode': 1}
    answer = change(node, given)
    assert answer.successful, answer.reason
    settings = live.current
    assert (settings.min_depth, settings.max_depth) == (1.0, 30.0)
    assert (settings.points.decimation, settings.sgbm.sgbm_mode) == (2, 'hh')


def test_numbers_given_at_start_are_taken_as_they_are_meant(make_node):
    given = {'max_depth': 10, 'points.decimation': 4.0, 'sgbm.sgbm_mode': 0, 'baseline_m': 0}
    settings = LiveSettings(make_node(**given), StereoSettings, print).current
    assert (settings.max_depth, settings.baseline_m) == (10.0, 0.0)
    assert (settings.points.decimation, settings.sgbm.sgbm_mode) == (4, 'sgbm')


def test_whole_numbers_in_a_list_of_numbers_are_taken(make_node):
    node = make_node(**{'sparse_depth.transform': [1, 2, 3, 0, 0, 0, 1]})
    live = LiveSettings(node, MonoSettings, print)
    assert live.current.sparse_depth.transform == [1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 1.0]
    for pose in ([0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0], [0, 0, 0, 0, 0, 0, 1]):
        answer = change(node, {'sparse_depth.transform': pose})
        assert answer.successful, answer.reason
        assert live.current.sparse_depth.transform == pose


@pytest.mark.parametrize(
    ('kind', 'empty'), [('BOOL', []), ('INTEGER', array('q')), ('DOUBLE', array('d'))]
)
def test_an_empty_list_is_none_whatever_type_it_comes_with(kind, empty, node, live):
    kind = Parameter.Type[f'{kind}_ARRAY']
    assert change(node, {'requests.allowed_models': ['a', 'b']}).successful
    (answer,) = node.set_parameters([Parameter('requests.allowed_models', kind, empty)])
    assert answer.successful, answer.reason
    assert live.current.requests.allowed_models == ['']


@pytest.mark.parametrize(
    ('name', 'value', 'words'),
    [
        ('points.decimation', 2.5, 'points.decimation: expected a whole number such as 10'),
        ('lazy', 1, 'lazy: expected true or false, got 1'),
        ('backend', 3, 'backend: expected a text'),
        ('sync.slop', '0.01', "sync.slop: expected a number such as 10.0, got '0.01'"),
        ('sync.slop', None, 'sync.slop: expected a number such as 10.0, got None'),
        ('requests.allowed_models', 'a', "requests.allowed_models: expected a list such as ['']"),
    ],
)
def test_a_value_of_another_type_is_named_and_refuses_its_batch(name, value, words, node, live):
    before = live.current
    answer = change(node, {'max_depth': 20.0, name: value, 'mono16_bits': 'ten'})
    assert not answer.successful
    assert words in answer.reason
    assert 'mono16_bits: expected a whole number such as 10' in answer.reason
    assert live.current is before
    assert node.get_parameter('max_depth').value == before.max_depth
    assert change(node, {'max_depth': 20.0}).successful


def test_an_empty_list_of_numbers_is_named(node):
    LiveSettings(node, MonoSettings, print)
    kind = Parameter.Type.DOUBLE_ARRAY
    (answer,) = node.set_parameters([Parameter('sparse_depth.transform', kind, [])])
    assert 'sparse_depth.transform: expected a list such as [0.0' in answer.reason
