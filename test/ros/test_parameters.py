# SPDX-License-Identifier: Apache-2.0
"""Parameters of a real node, declared from the settings and kept equal to them."""

import math
from typing import Literal, get_args, get_origin

import pytest
from pydantic import ValidationError
from rcl_interfaces.msg import ParameterType
from rclpy.exceptions import InvalidParameterValueException, ParameterNotDeclaredException
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos_overriding_options import QoSOverridingOptions
from std_msgs.msg import String

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.settings.node_settings import FIXED
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.ros.parameters import LiveSettings, build, fields

pytestmark = pytest.mark.ros

FIELDS = dict(fields(StereoSettings))
NUMERIC = [name for name, field in FIELDS.items() if field.annotation in (int, float)]
CHOICES = [name for name, field in FIELDS.items() if get_origin(field.annotation) is Literal]


@pytest.fixture
def node(make_node):
    return make_node()


@pytest.fixture
def changes():
    return []


@pytest.fixture
def live(node, changes):
    return LiveSettings(node, StereoSettings, changes.append)


def set_all(node, **values):
    values = [Parameter(name.replace('__', '.'), value=value) for name, value in values.items()]
    return node.set_parameters_atomically(values)


def test_every_field_is_a_parameter_with_its_default(node, live):
    assert live.current == StereoSettings()
    declared = {name for name in node.get_parameters_by_prefix('') if name in FIELDS}
    assert declared == set(FIELDS)
    assert 'sgbm.uniqueness_ratio' in declared
    for name, field in FIELDS.items():
        assert node.get_parameter(name).value == field.default


@pytest.mark.parametrize('name', FIELDS)
def test_every_parameter_describes_itself(name, node, live):
    descriptor = node.describe_parameter(name)
    assert descriptor.name == name
    assert len(descriptor.description) > 10
    assert not descriptor.dynamic_typing
    assert descriptor.read_only == (FIELDS[name].json_schema_extra == FIXED)


@pytest.mark.parametrize('name', NUMERIC)
def test_every_number_has_a_range_that_holds_the_default_and_is_enforced(name, node, live):
    descriptor = node.describe_parameter(name)
    whole = FIELDS[name].annotation is int
    [limits] = descriptor.integer_range if whole else descriptor.floating_point_range
    assert descriptor.type == (
        ParameterType.PARAMETER_INTEGER if whole else ParameterType.PARAMETER_DOUBLE
    )
    assert limits.from_value <= FIELDS[name].default <= limits.to_value
    beyond = (limits.from_value - 1, limits.to_value + 1)
    for value in beyond:
        answer = node.set_parameters([Parameter(name, value=value)])[0]
        assert not answer.successful
        assert name in answer.reason


@pytest.mark.parametrize('name', CHOICES)
def test_choices_are_named_and_enforced(name, node, live):
    choices = get_args(FIELDS[name].annotation)
    description = node.describe_parameter(name)
    assert description.additional_constraints == f'one of: {", ".join(choices)}'
    if description.read_only:
        return  # tried at the start, where alone it can be set
    answer = set_all(node, **{name.replace('.', '__'): 'magic'})
    assert not answer.successful
    assert answer.reason.startswith(f'{name}: ')
    assert all(choice in answer.reason for choice in choices)
    assert "got 'magic'" in answer.reason
    for choice in choices:
        assert set_all(node, **{name.replace('.', '__'): choice}).successful


def test_a_list_is_a_parameter_like_any_other(node, live):
    assert node.get_parameter('requests.allowed_models').value == ['']
    assert set_all(node, requests__allowed_models=['a', 'b']).successful
    assert live.current.requests.allowed_models == ['a', 'b']
    assert not set_all(node, requests__allowed_models='a').successful


def test_steps_are_told_and_enforced(node, live):
    assert node.describe_parameter('sgbm.disparity_range').integer_range[0].step == 16
    assert not set_all(node, sgbm__disparity_range=100).successful
    assert set_all(node, sgbm__disparity_range=96).successful
    assert live.current.sgbm.disparity_range == 96


def test_a_change_replaces_current_and_is_told_once(node, live, changes):
    before = live.current
    assert set_all(node, points__decimation=2, sync__slop=0.01).successful
    assert live.current is not before
    assert before == StereoSettings()
    assert (live.current.points.decimation, live.current.sync.slop) == (2, 0.01)
    assert changes == [live.current]


@pytest.mark.parametrize(
    ('batch', 'reason'),
    [
        ({'min_depth': 2.0, 'max_depth': 1.0}, 'max_depth must be larger than min_depth'),
        ({'min_depth': 0.7, 'sgbm__P1': 900.0}, 'sgbm: P2 must be larger than P1'),
        ({'min_depth': 0.7, 'sgbm__correlation_window_size': 4}, 'must be odd, got 4'),
        ({'min_depth': 0.7, 'sgbm__prefilter_size': 4}, 'must be 0 or odd, got 4'),
        ({'min_depth': 0.7, 'depth__encoding': '16SC1'}, "got '16SC1'"),
        ({'min_depth': 0.7, 'points__decimation': 0}, 'points.decimation'),
        ({'min_depth': 0.7, 'baseline_m': math.nan}, 'baseline_m'),
    ],
)
def test_a_bad_batch_is_refused_as_a_whole(batch, reason, node, live, changes):
    before = live.current
    answer = set_all(node, **batch)
    assert not answer.successful
    assert reason in answer.reason
    assert live.current is before
    assert changes == []
    for name in batch:
        dotted = name.replace('__', '.')
        assert node.get_parameter(dotted).value == FIELDS[dotted].default


def test_values_that_only_fit_together_pass_together(node, live):
    assert not set_all(node, min_depth=60.0).successful
    assert set_all(node, min_depth=60.0, max_depth=100.0).successful
    assert set_all(node, max_depth=80.0).successful
    assert (live.current.min_depth, live.current.max_depth) == (60.0, 80.0)


def test_what_was_in_force_is_put_back_though_it_could_not_be_chosen_now(node):
    def check(current, wanted):
        if wanted.s2m2.model_backend == 'gone.pth':
            raise InputError('gone.pth is no file')

    live = LiveSettings(node, StereoSettings, lambda _: None, check)
    in_force = build(StereoSettings, {'s2m2.model_backend': 'gone.pth'})
    assert set_all(node, backend='s2m2', s2m2__model_backend='bad.pth', max_depth=20.0).successful
    live.put_back(in_force, {'backend', 's2m2'})
    assert (live.current.backend, live.current.s2m2.model_backend) == ('sgbm', 'gone.pth')
    assert live.current.max_depth == 20.0
    assert not set_all(node, max_depth=30.0).successful


@pytest.mark.parametrize(
    ('name', 'value'), [('device', 'cpu'), ('autostart', False), ('image_transport', 'compressed')]
)
def test_what_is_read_once_cannot_change(name, value, node, live):
    answer = set_all(node, **{name: value})
    assert not answer.successful
    assert 'read-only' in answer.reason
    assert getattr(live.current, name) == StereoSettings.model_fields[name].default


def test_overrides_at_start_are_used(make_node):
    node = make_node(**{'device': 'cpu', 'sync.queue_size': 5, 'autostart': False})
    settings = LiveSettings(node, StereoSettings, print).current
    assert (settings.device, settings.sync.queue_size, settings.autostart) == ('cpu', 5, False)


@pytest.mark.parametrize(
    ('override', 'error', 'words'),
    [
        ({'min_depth': 'near'}, InputError, ['min_depth: expected a number such as 10.0, got']),
        ({'backend': True}, InputError, ['backend: expected a text, in YAML in quotes']),
        (
            {'sgbm.sgbm_mode': 7},
            InputError,
            ['sgbm.sgbm_mode: expected sgbm or hh or 3way, got 7'],
        ),
        ({'lazy': 1}, InputError, ['lazy: expected true or false, got 1']),
        ({'requests.allowed_models': 'a'}, InputError, ["expected a list such as [''], got 'a'"]),
        ({'min_depth': 0.0}, InvalidParameterValueException, ['min_depth']),
        ({'depth.encoding': 'png'}, ValidationError, ['encoding', '32FC1', 'png']),
        ({'min_depth': 60.0}, ValidationError, ['max_depth must be larger than min_depth']),
        ({'device': 'gpu'}, ValidationError, ['device', 'gpu']),
        ({'image_transport': 'theora'}, ValidationError, ['raw', 'compressed', 'theora']),
    ],
)
def test_bad_overrides_at_start_are_refused_by_name(override, error, words, make_node):
    with pytest.raises(error) as caught:
        LiveSettings(make_node(**override), StereoSettings, print)
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize(
    ('name', 'told'),
    [
        ('max_dept', r'max_dept \(did you mean max_depth\?\)'),
        ('uniqueness_ratio', r'uniqueness_ratio \(did you mean sgbm\.uniqueness_ratio\?\)'),
        ('zzz', r'zzz'),
    ],
)
def test_a_parameter_that_nobody_declared_is_named(name, told, node, live, changes):
    with pytest.raises(ParameterNotDeclaredException, match=rf'undeclared.*: {told}$'):
        node.set_parameters_atomically([Parameter(name, value=1)])
    assert not changes


def test_parameters_of_others_pass_and_change_nothing(node, live):
    before = live.current
    options = QoSOverridingOptions.with_default_policies()
    node.create_publisher(String, 'words', 1, qos_overriding_options=options)
    assert node.get_parameter('qos_overrides./words.publisher.depth').value == 1
    node.declare_parameter('users.own', 7)
    assert set_all(node, users__own=8).successful
    assert node.get_parameter('users.own').value == 8
    assert live.current == before


def test_parameters_of_others_are_no_change_of_ours(node, live, changes):
    options = QoSOverridingOptions.with_default_policies()
    node.create_subscription(String, 'words', print, 1, qos_overriding_options=options)
    node.declare_parameter('users.own', 7)
    assert changes == []


def test_without_post_set_callbacks_changes_are_taken_all_the_same(
    make_node, changes, monkeypatch
):
    """As on Humble, whose rclpy knows on-set callbacks only."""
    monkeypatch.delattr(Node, 'add_post_set_parameters_callback', raising=False)
    node = make_node()
    live = LiveSettings(node, StereoSettings, changes.append)
    assert set_all(node, points__decimation=3).successful
    assert not set_all(node, min_depth=60.0).successful
    assert live.current.points.decimation == 3
    assert changes == [live.current]


def test_build_opens_dotted_names():
    settings = build(StereoSettings, {'sync.slop': 0.02, 'lazy': False, 'sgbm.P1': 1.0})
    assert (settings.sync.slop, settings.lazy, settings.sgbm.P1) == (0.02, False, 1.0)
    with pytest.raises(ValidationError):
        build(StereoSettings, {'sync.no_such': 1})
