# SPDX-License-Identifier: Apache-2.0
"""Fixtures for all tests: devices, rigs, a synthetic pair of known disparity, a known matcher."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

# As in the nodes, before torch is loaded: spinning threads would crawl on a busy machine.
os.environ.setdefault('OMP_WAIT_POLICY', 'passive')

from vizion3d_ros.contracts.camera import Intrinsics, StereoRig
from vizion3d_ros.contracts.results import Match
from vizion3d_ros.engine import registry


@dataclass(frozen=True)
class StereoPair:
    """left, right: uint8 (H, W, 3) RGB; disparity: float32 (H, W), x_left - x_right in pixels.

    The first columns have no partner on the right; there the truth is still the surface's.
    """

    left: np.ndarray
    right: np.ndarray
    disparity: np.ndarray


def shifted_pair(
    width: int = 160, height: int = 96, background: int = 8, foreground: int = 20, seed: int = 1
) -> StereoPair:
    """Two textured planes, a square in front of a wall, moved by whole pixels."""
    rng = np.random.default_rng(seed)
    wall, square = (rng.integers(0, 256, (height, width, 3), np.uint8) for _ in range(2))
    mask = np.zeros((height, width), bool)
    mask[height // 4 : 3 * height // 4, width // 3 : 2 * width // 3] = True
    right = np.roll(wall, -background, axis=1)
    seen = np.roll(mask, -foreground, axis=1)
    right[seen] = np.roll(square, -foreground, axis=1)[seen]
    return StereoPair(
        left=np.where(mask[..., None], square, wall),
        right=right,
        disparity=np.where(mask, foreground, background).astype(np.float32),
    )


@pytest.fixture
def make_pair() -> Callable[..., StereoPair]:
    """shifted_pair, to call with other sizes and disparities."""
    return shifted_pair


@pytest.fixture
def stereo_pair() -> StereoPair:
    """160x96, wall at 8 px, square at 20 px."""
    return shifted_pair()


@pytest.fixture
def rig() -> StereoRig:
    """Ideal rig for stereo_pair: fx 100 px, baseline 0.1 m, so Z = 10 / disparity."""
    left = Intrinsics(width=160, height=96, fx=100.0, fy=100.0, cx=79.5, cy=47.5)
    return StereoRig(left=left, baseline_m=0.1)


@pytest.fixture
def verged_rig(rig: StereoRig) -> StereoRig:
    """The same rig with principal points 12 px apart: far points have negative raw disparity."""
    return rig.model_copy(update={'doffs': 12.0})


@pytest.fixture(params=['cpu', pytest.param('cuda', marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> str:
    """Each device the numeric code must work on."""
    import torch

    if request.param == 'cuda' and not torch.cuda.is_available():
        pytest.skip('needs a CUDA device and a CUDA build of torch')
    return request.param


@pytest.fixture
def data_dir() -> Path:
    """Where real recordings lie; they are not part of the repository."""
    folder = os.environ.get('VIZION3D_TEST_DATA')
    if not folder or not Path(folder).is_dir():
        pytest.skip('needs recordings: set VIZION3D_TEST_DATA to their folder')
    return Path(folder)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 kB."""
    folder = tmp_path / 'small'
    folder.mkdir()
    command = ['mount', '-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', str(folder)]
    if os.geteuid() or subprocess.run(command, capture_output=True).returncode:
        pytest.skip('mounting a small file system needs root')
    yield folder
    subprocess.run(['umount', folder], check=True)


@pytest.fixture
def serve_disparity(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the pipeline's matcher answer a given raw disparity map, whatever the images."""

    def serve(
        raw: np.ndarray, span: tuple[float, float] = (0.0, 64.0), step: float = 1 / 16
    ) -> None:
        answer = Match(
            disparity=raw,
            confidence=np.where(np.isnan(raw), 0.0, 0.75).astype(np.float32),
            visibility=np.full_like(raw, 0.5),
            min_disparity=span[0],
            max_disparity=span[1],
            step=step,
            backend_used='known',
        )

        class KnownBackend:
            def match(self, left, right, rig, settings):
                return answer

        module = ModuleType('known_backend')
        module.KnownBackend = KnownBackend
        monkeypatch.setitem(sys.modules, 'known_backend', module)
        monkeypatch.setitem(registry.STEREO_BACKENDS, 'sgbm', 'known_backend:KnownBackend')

    return serve


@pytest.fixture
def launch_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have launch and launch_ros replaced, for this test alone."""
    import launch_stand_ins

    # Set, then gone: what a test imports under this name goes when the test ends.
    shared = 'vizion3d_ros.launching'
    monkeypatch.setitem(sys.modules, shared, ModuleType(shared))
    del sys.modules[shared]
    for name, module in launch_stand_ins.stand_ins().items():
        monkeypatch.setitem(sys.modules, name, module)


@pytest.fixture
def launch(launch_packages: None) -> Callable[..., Any]:
    """Carry out a launch file: launch('mono', environment, rviz='true') gives the context."""
    from launch_stand_ins import carry_out, launch_file

    def carry(kind: str, environment: Any = (), **arguments: str) -> Any:
        return carry_out(launch_file(kind), environment, arguments)

    return carry


@pytest.fixture
def everything_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A prefix in which all is installed that a launch file starts beside our nodes."""
    index = tmp_path / 'share/ament_index/resource_index/packages'
    index.mkdir(parents=True)
    for package in ('rviz2', 'tf2_ros', 'ros2bag'):
        (index / package).touch()
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))


@pytest.fixture
def package_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> pytest.LogCaptureFixture:
    """caplog for the package's logger, even if a node of another test took the logger over."""
    logger = logging.getLogger('vizion3d_ros')
    monkeypatch.setattr(logger, 'handlers', [])
    monkeypatch.setattr(logger, 'propagate', True)
    caplog.set_level(logging.INFO, logger='vizion3d_ros')
    return caplog


@pytest.fixture(scope='session')
def stereo_file(tmp_path_factory):
    """An ONNX file of a rule-made S2M2-S."""
    from exported_networks import exported

    return exported(tmp_path_factory, 'stereo')[0]


@pytest.fixture(scope='session')
def mono_file(tmp_path_factory):
    """An ONNX file of a rule-made Depth Anything V2 small."""
    from exported_networks import exported

    return exported(tmp_path_factory, 'mono')[0]
