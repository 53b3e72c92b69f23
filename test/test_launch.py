# SPDX-License-Identifier: Apache-2.0
"""The launch file: arguments without running anything; against real launch_ros where it is."""

import ast
from pathlib import Path

import pytest

LAUNCH_FILE = Path(__file__).parents[1] / 'launch' / 'stereo.launch.py'
EXPECTED_ARGUMENTS = {
    'namespace',
    'left_namespace',
    'right_namespace',
    'params_file',
    'use_sim_time',
    'log_level',
    'rviz',
    'backend',
    'autostart',
}


def argument_texts():
    """Name -> description, read from the ARGUMENTS table without importing launch."""
    tree = ast.parse(LAUNCH_FILE.read_text())
    tables = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == 'ARGUMENTS'
    )
    table = next(tables)
    return {
        key.value: value.elts[1].value for key, value in zip(table.keys, table.values, strict=True)
    }


def test_arguments_of_the_conventions_are_there_and_described():
    texts = argument_texts()
    assert texts.keys() >= EXPECTED_ARGUMENTS
    assert all(len(text) > 10 for text in texts.values())


def test_show_args_needs_neither_torch_nor_the_product():
    imported = {
        (node.module or '') if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(ast.parse(LAUNCH_FILE.read_text()))
        if isinstance(node, (ast.Import, ast.ImportFrom))
    }
    assert {name.partition('.')[0] for name in imported} <= {'launch', 'launch_ros'}


def test_launch_describes_the_stereo_node():
    pytest.importorskip('launch_ros', reason='launch_ros comes with a ROS distribution only')
    from launch.launch_description_sources import get_launch_description_from_python_launch_file

    import launch

    description = get_launch_description_from_python_launch_file(str(LAUNCH_FILE))
    names = {argument.name for argument in description.get_launch_arguments()}
    assert names >= EXPECTED_ARGUMENTS
    assert any(isinstance(e, launch.actions.OpaqueFunction) for e in description.entities)
