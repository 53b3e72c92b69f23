# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of exported networks, stand-ins for others; skipped without onnxruntime."""

import pytest
from exported_networks import exported

from vizion3d_ros.contracts.camera import StereoRig
from vizion3d_ros.contracts.settings.onnx_settings import StereoOnnxSettings
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.engine.registry import load_stereo_backend

WIDE = {'min_depth': 0.01, 'max_depth': 10000.0, 'device': 'cpu'}


@pytest.fixture(scope='session')
def checkpoint(tmp_path_factory):
    return exported(tmp_path_factory, 'stereo')[1]


@pytest.fixture(scope='session')
def mono_checkpoint(tmp_path_factory):
    return exported(tmp_path_factory, 'mono')[1]


@pytest.fixture
def match():
    """Match a pair by a file: match(file, images, **settings of onnx)."""
    backend = load_stereo_backend('onnx')

    def run(file, images, **how):
        height, width = images[0].shape[:2]
        rig = StereoRig.from_field_of_view(width, height, 60, 0.1)
        onnx = StereoOnnxSettings(model=str(file), **how)
        return backend.match(*images, rig, StereoSettings(backend='onnx', onnx=onnx, **WIDE))

    return run
