# SPDX-License-Identifier: Apache-2.0
import re

import pytest
from pydantic import ValidationError

from vizion3d_ros.contracts.errors import explain
from vizion3d_ros.contracts.settings.mono_settings import MonoSettings
from vizion3d_ros.contracts.settings.service_settings import ServiceSettings
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings

OTHERS = {
    'device': 'cpu',
    'frame_id_override': 'head',
    'mono16_bits': 12,
    'requests': {'max_pixels': 4096, 'allowed_models': ['s2m2-S']},
}


def test_what_is_left_open_is_as_in_the_nodes_with_topics():
    assert ServiceSettings().stereo() == StereoSettings()
    assert ServiceSettings().mono().model_dump() == MonoSettings().model_dump()


def test_what_is_set_for_both_arrives_in_both():
    settings = ServiceSettings(**OTHERS)
    for part in (settings.stereo(), settings.mono()):
        assert part.device == 'cpu'
        assert part.frame_id_override == 'head'
        assert part.mono16_bits == 12
        assert part.requests == settings.requests


def test_what_is_set_for_the_matcher_arrives_there():
    own = {'min_depth': 0.3, 'max_depth': 9.0, 'backend': 's2m2', 's2m2': {'max_width': 640}}
    stereo = ServiceSettings(**own, sgbm={'scale': 0.5}).stereo()
    assert (stereo.min_depth, stereo.max_depth, stereo.backend) == (0.3, 9.0, 's2m2')
    assert (stereo.s2m2.max_width, stereo.sgbm.scale) == (640, 0.5)


def test_the_search_range_of_the_matcher_does_not_reach_the_one_camera():
    mono = ServiceSettings(
        min_depth=0.3, max_depth=9.0, depth_anything_v2={'input_size': 98}
    ).mono()
    assert (mono.min_depth, mono.max_depth) == (MonoSettings().min_depth, MonoSettings().max_depth)
    assert mono.depth_anything_v2.input_size == 98


@pytest.mark.parametrize(
    ('values', 'told'),
    [
        ({'min_depth': 5.0, 'max_depth': 2.0}, 'max_depth must be larger than min_depth'),
        ({'preload': 'everything'}, "preload: .*'everything'"),
        ({'backend': 'depth_anything_v2'}, 'backend: '),
        ({'device': 'tpu'}, "device: .*'tpu'"),
        ({'requests': {'max_pixels': 1}}, r'requests\.max_pixels: .*got 1'),
        ({'topics': 3}, 'topics: '),
    ],
)
def test_what_does_not_fit_is_named(values, told):
    with pytest.raises(ValidationError) as caught:
        ServiceSettings(**values)
    assert re.search(told, explain(caught.value))
