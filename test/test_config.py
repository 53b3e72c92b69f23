# SPDX-License-Identifier: Apache-2.0
"""config/stereo.yaml says exactly what the node declares."""

from itertools import pairwise
from pathlib import Path

import yaml

from vizion3d_ros.contracts.stereo_settings import StereoSettings
from vizion3d_ros.ros.parameters import build, fields

CONFIG = Path(__file__).parents[1] / 'config' / 'stereo.yaml'


def flatten(group, prefix=''):
    for name, value in group.items():
        if isinstance(value, dict):
            yield from flatten(value, f'{prefix}{name}.')
        else:
            yield f'{prefix}{name}', value


def shipped():
    return dict(flatten(yaml.safe_load(CONFIG.read_text())['/**']['ros__parameters']))


def test_every_parameter_stands_in_the_file_with_its_default_and_type():
    declared = {name: field.default for name, field in fields(StereoSettings)}
    assert shipped() == declared
    # YAML 1 and 1.0 compare equal, but ROS refuses an integer for a double.
    assert {n: type(v) for n, v in shipped().items()} == {n: type(v) for n, v in declared.items()}


def test_the_file_builds_the_default_settings():
    assert build(StereoSettings, shipped()) == StereoSettings()


def test_every_parameter_is_commented():
    lines = CONFIG.read_text().splitlines()
    leaves = {name.rpartition('.')[2] for name in shipped()}
    uncommented = []
    for above, line in pairwise(lines):
        key = line.partition(':')[0].strip()
        shares_comment = above.partition(':')[0].strip() in leaves  # P1 and P2, say
        if key in leaves and not above.lstrip().startswith('#') and not shares_comment:
            uncommented.append(key)
    assert uncommented == []
