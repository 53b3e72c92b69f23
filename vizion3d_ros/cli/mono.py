# SPDX-License-Identifier: Apache-2.0
"""
Single images in files to depth in files, metric or relative as the checkpoint is.

    image ─ request ─ answer_mono ─ files, montage, facts
"""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from functools import partial
from pathlib import Path

from vizion3d_ros.cli.batch import BatchItem, run_batch
from vizion3d_ros.cli.files import options
from vizion3d_ros.cli.mono_files import mono_files
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.mono_request import (
    DepthEstimationAdvanceConfig,
    DepthEstimationCommand,
)
from vizion3d_ros.contracts.settings.mono_settings import MonoSettings
from vizion3d_ros.files.result_folder import ResultFiles
from vizion3d_ros.pipeline.mono import MonoPipeline
from vizion3d_ros.requests.mono import answer_mono

ENDINGS = {
    *('.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff', '.webp'),
    *('.ppm', '.pgm', '.pnm'),
}


def run(asked: Namespace) -> int:
    """Answer all images and give the exit code."""
    network = _Network(asked)
    model = Path(asked.model)
    beside = [model] if model.is_file() else []
    if not asked.image.is_dir():
        make = partial(network.answer, asked.image)
        item = BatchItem(asked.image.name, [asked.image, *beside], asked.out, make)
        return run_batch([item], options(asked), redo=True)
    items = [
        BatchItem(name, [path, *beside], asked.out / name, partial(network.answer, path))
        for name, path in _images(asked.image).items()
    ]
    return run_batch(items, options(asked), redo=asked.force)


def _images(folder: Path) -> dict[str, Path]:
    """Images of a folder by the name of what is made of them: that of the file, without ending."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS)
    if not paths:
        raise InputError(
            f'{folder}: expected images ({", ".join(sorted(ENDINGS))}), found none in this folder'
        )
    stems = Counter(path.stem for path in paths)
    return {path.name if stems[path.stem] > 1 else path.stem: path for path in paths}


class _Network:
    """Answers one image after another with what the command line says."""

    def __init__(self, asked: Namespace) -> None:
        self._model = asked.model
        self._config = DepthEstimationAdvanceConfig(
            **{name: getattr(asked, name) for name in ('fx', 'fy', 'cx', 'cy', 'depth_trunc')}
        )
        self._settings = MonoSettings(device=asked.device)
        self._pipeline = MonoPipeline(asked.device)

    def answer(self, image: Path) -> ResultFiles:
        request = DepthEstimationCommand(
            image_input=image,
            model_backend=self._model,
            return_depth_image=True,
            return_point_cloud=True,
            advanced_config=self._config,
        )
        return mono_files(answer_mono(request, self._pipeline.run, self._settings))
