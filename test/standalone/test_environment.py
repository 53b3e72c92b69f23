# SPDX-License-Identifier: Apache-2.0
"""The environment as files: damage is found, what is foreign stays out."""

import pytest


@pytest.fixture
def environment(script):
    return script('environment')


def test_include_folders_of_the_wheels_are_rewritten(environment):
    built = (
        'INTERFACE_INCLUDE_DIRECTORIES "${_IMPORT_PREFIX}/include/std_msgs;'
        '/opt/python/cp312-cp312/include/python3.12;'
        '/opt/python/cp312-cp312/lib/python3.12/site-packages/numpy/_core/include"'
    )
    ours = environment.localize_includes(built, '/usr/include/py', '/venv/numpy')
    assert ours.endswith('/include/std_msgs;/usr/include/py;/venv/numpy"')


@pytest.mark.parametrize('lost', ['numpy/core.py', 'numpy-1.dist-info/RECORD'])
def test_damaged_distribution_is_found_and_forgotten(environment, tmp_path, lost):
    info = tmp_path / 'numpy-1.dist-info'
    info.mkdir()
    (tmp_path / 'numpy').mkdir()
    (tmp_path / 'numpy' / 'core.py').touch()
    (info / 'RECORD').write_text('numpy/core.py,sha256=x,0\nnumpy/core.pyc,,\n', encoding='utf-8')
    assert environment.damaged_distributions(tmp_path) == []
    (tmp_path / lost).unlink()
    assert environment.damaged_distributions(tmp_path) == [info]
    environment.forget_damaged(tmp_path)
    assert not info.exists()


def test_a_home_without_a_cache_is_seen(environment, monkeypatch, tmp_path):
    for name in ('XDG_CACHE_HOME', 'PIP_CACHE_DIR'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('HOME', str(tmp_path))
    assert environment.has_cache()
    monkeypatch.setenv('HOME', '/proc/1')
    assert not environment.has_cache()


def test_a_sourced_distribution_does_not_leak_in(environment, monkeypatch):
    monkeypatch.setenv('PYTHONPATH', '/opt/ros/jazzy/lib/python3.12/site-packages')
    monkeypatch.setenv('AMENT_PREFIX_PATH', '/opt/ros/jazzy')
    monkeypatch.setenv('ROS_DOMAIN_ID', '7')
    own = environment.environment()
    assert 'PYTHONPATH' not in own
    assert own['AMENT_PREFIX_PATH'] == str(environment.VENV)
    assert own['ROS_DOMAIN_ID'] == '7'
