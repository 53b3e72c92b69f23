# SPDX-License-Identifier: Apache-2.0
import math

import pytest
from pydantic import ValidationError

from vizion3d_ros.contracts.settings.mono_settings import MonoSettings
from vizion3d_ros.contracts.settings.stereo_settings import S2m2Settings, StereoSettings


def test_every_default_passes_its_own_check():
    defaults = StereoSettings()
    assert StereoSettings.model_validate(defaults.model_dump()) == defaults


@pytest.mark.parametrize(
    'settings',
    [
        {'backend': 'magic'},
        {'device': 'gpu'},
        {'device': 'cuda:'},
        {'min_depth': 0.0},
        {'min_depth': math.nan},
        {'max_depth': math.inf},
        {'min_depth': 2.0, 'max_depth': 2.0},
        {'baseline_m': -0.1},
        {'mono16_bits': 7},
        {'mono16_bits': 17},
        {'sgbm': {'sgbm_mode': 'bm'}},
        {'sgbm': {'disparity_range': 24}},
        {'sgbm': {'disparity_range': -16}},
        {'sgbm': {'correlation_window_size': 4}},
        {'sgbm': {'prefilter_size': 8}},
        {'sgbm': {'P1': 800.0}},
        {'sgbm': {'uniqueness_ratio': 101.0}},
        {'sgbm': {'scale': 0.0}},
        {'depth': {'encoding': '16SC1'}},
        {'points': {'decimation': 0}},
        {'points': {'min_confidence': 1.5}},
        {'sync': {'mode': 'nearest'}},
        {'sync': {'slop': 0.0}},
        {'sync': {'queue_size': 0}},
        {'sync': {'slop_s': 0.01}},
        {'no_such_setting': 1},
    ],
)
def test_values_out_of_range_are_refused(settings):
    with pytest.raises(ValidationError):
        StereoSettings.model_validate(settings)


@pytest.mark.parametrize(
    'settings',
    [
        {'device': 'cuda:1'},
        {'sgbm': {'disparity_range': 0}},
        {'sgbm': {'disparity_range': 128, 'min_disparity': -64}},
        {'sgbm': {'prefilter_size': 9, 'correlation_window_size': 1}},
        {'mono16_bits': 10},
        {'sync': {'mode': 'exact', 'queue_size': 1}},
    ],
)
def test_values_at_the_edge_pass(settings):
    StereoSettings.model_validate(settings)


def test_the_checkpoint_is_that_of_the_backend_which_runs():
    network = S2m2Settings(model_backend='own.pth')
    assert StereoSettings(backend='s2m2', s2m2=network).checkpoint == 'own.pth'
    assert StereoSettings(backend='sgbm', s2m2=network).checkpoint == ''
    assert MonoSettings().checkpoint == 'depth-anything-v2-base'
