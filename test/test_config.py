# SPDX-License-Identifier: Apache-2.0
"""The shipped parameter files say exactly what the nodes declare."""

from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from vizion3d_ros.contracts.settings.annotation_node_settings import AnnotationNodeSettings
from vizion3d_ros.contracts.settings.mono_settings import MonoSettings
from vizion3d_ros.contracts.settings.service_settings import ServiceSettings
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.ros.parameters import build, fields

CONFIG = Path(__file__).parents[1] / 'config'
FILES = pytest.mark.parametrize(
    ('name', 'model'),
    [
        ('stereo.yaml', StereoSettings),
        ('mono.yaml', MonoSettings),
        ('service.yaml', ServiceSettings),
        ('annotation.yaml', AnnotationNodeSettings),
    ],
)


def flatten(group, prefix=''):
    for name, value in group.items():
        if isinstance(value, dict):
            yield from flatten(value, f'{prefix}{name}.')
        else:
            yield f'{prefix}{name}', value


def shipped(name):
    return dict(flatten(yaml.safe_load((CONFIG / name).read_text())['/**']['ros__parameters']))


@FILES
def test_every_parameter_stands_in_the_file_with_its_default_and_type(name, model):
    declared = {name: field.default for name, field in fields(model)}
    assert shipped(name) == declared
    # YAML 1 and 1.0 compare equal, but ROS refuses an integer for a double.
    assert {n: type(v) for n, v in shipped(name).items()} == {
        n: type(v) for n, v in declared.items()
    }


@FILES
def test_the_file_builds_the_default_settings(name, model):
    assert build(model, shipped(name)) == model()


@FILES
def test_every_parameter_is_commented(name, model):
    lines = (CONFIG / name).read_text().splitlines()
    leaves = {name.rpartition('.')[2] for name in shipped(name)}
    uncommented = []
    for above, line in pairwise(lines):
        key = line.partition(':')[0].strip()
        shares_comment = above.partition(':')[0].strip() in leaves  # P1 and P2, say
        if key in leaves and not above.lstrip().startswith('#') and not shares_comment:
            uncommented.append(key)
    assert uncommented == []
