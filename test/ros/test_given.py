# SPDX-License-Identifier: Apache-2.0
"""What is given to a node and reaches nothing: named, with what was meant."""

import pytest

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.ros.given import check_qos, explain_sections, explain_unknown
from vizion3d_ros.ros.parameters import LiveSettings

pytestmark = pytest.mark.ros


def test_parameters_that_nobody_declares_are_named_with_what_was_meant(make_node):
    given = {'max_dept': 5.0, 'disparity_range': 64, 'nonsense': 1, 'min_depth': 1.0}
    given |= {'approximate_sync': True, 'p1': 200.0}
    node = make_node(**given, **{'qos_overrides./x.publisher.depth': 3})
    LiveSettings(node, StereoSettings, print)
    assert explain_unknown(node) == (
        'unknown parameters, which change nothing: approximate_sync (did you mean sync.mode?), '
        'disparity_range (did you mean sgbm.disparity_range?), max_dept (did you mean '
        'max_depth?), nonsense, p1 (did you mean sgbm.P1?)'
    )


@pytest.mark.parametrize(
    ('policy', 'value', 'words'),
    [
        ('depth', 'abc', "a whole number such as 10, got 'abc'"),
        ('depth', -2, 'a whole number such as 10, got -2'),
        ('depth', True, 'a whole number such as 10, got True'),
        (
            'reliability',
            'best',
            'reliable or best_effort or system_default or best_available, got',
        ),
        ('reliability', False, 'got False'),
        ('history', 'last', 'keep_last or keep_all or system_default, got'),
    ],
)
def test_a_qos_that_no_topic_can_take_is_refused_before_one_opens(make_node, policy, value, words):
    name = f'qos_overrides./left/image_rect.subscription.{policy}'
    with pytest.raises(InputError) as refused:
        LiveSettings(make_node(**{name: value}), StereoSettings, print)
    assert str(refused.value).startswith(f'{name}: expected ') and words in str(refused.value)


def test_a_qos_that_may_be_overridden_is_taken_and_another_named(make_node):
    name = 'qos_overrides./left/camera_info.subscription.'
    good = {f'{name}depth': 0, f'{name}reliability': 'RELIABLE', f'{name}history': 'keep_all'}
    node = make_node(**good, **{f'{name}durability': 'transient_local'})
    check_qos(node)
    assert explain_unknown(node).endswith(f'nothing: {name}durability')


@pytest.mark.parametrize(
    ('sections', 'words'),
    [
        ('stereo_image_proc', 'has parameters for /stereo_image_proc only'),
        ('rig/disparity_node', 'has parameters for /rig/disparity_node only'),
        ('rig/NAME', 'write /NAME: or /**: in their place'),
        ('rig/**', 'has parameters for /rig/** only'),
        ('NAME', ''),
        ('/**', ''),
        ('/**/NAME', ''),
        ('/*', ''),
    ],
)
def test_a_file_for_other_nodes_is_named(make_node, tmp_path, sections, words):
    node, file = make_node(), tmp_path / 'params.yaml'
    section = sections.replace('NAME', node.get_name())
    file.write_text(f'{section}:\n  ros__parameters:\n    max_depth: 3.0\n')
    text = explain_sections([str(file)], node)
    assert words.replace('NAME', node.get_name()) in text and bool(words) is bool(text)


@pytest.mark.parametrize('text', ['a: !of_ours 1', 'NAME: [1', '\tx', '- a', ''])
def test_a_file_that_only_rcl_can_read_is_left_to_it(make_node, tmp_path, text):
    file = tmp_path / 'params.yaml'
    file.write_text(text)
    assert explain_sections([str(file), '/gone.yaml'], make_node()) == ''
