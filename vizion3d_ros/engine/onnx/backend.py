# SPDX-License-Identifier: Apache-2.0
"""What both backends of ONNX files have in common: one file in use, loaded when it is named."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

from vizion3d_ros.contracts.errors import CheckpointError, DownloadError
from vizion3d_ros.contracts.settings.onnx_settings import ENDING, is_onnx
from vizion3d_ros.engine.loading import loading
from vizion3d_ros.engine.network_backend import Finder
from vizion3d_ros.engine.onnx.model import OnnxModel, load_model
from vizion3d_ros.engine.weights import ModelFile, check_name

if TYPE_CHECKING:
    from vizion3d_ros.contracts.settings.onnx_settings import OnnxSettings

log = logging.getLogger(__name__)


class OnnxBackend:
    """
    Holds the network of a backend.

    It is loaded with the first image, and again when the settings name another or another way of
    running it; if that fails, the one in use stays.
    """

    STEREO: ClassVar[bool]

    def __init__(self) -> None:
        """Load nothing yet."""
        self._finder = Finder()
        self._key: tuple[object, ...] = ()
        self._model: OnnxModel | None = None
        self._told: set[str] = set()

    @classmethod
    def check(cls, settings: OnnxSettings) -> None:
        """Raise BackendError if it is plain that the file cannot be had; loads nothing."""
        _check_ending(settings)
        with _in_words_of(settings):
            check_name(settings.model)

    def _loaded(self, settings: OnnxSettings, device: str) -> OnnxModel:
        """Give the network that the settings name; BackendError if it cannot be loaded."""
        how = settings.providers, settings.profile, settings.precision, device
        key = (settings.model, settings.sha256, *how)
        if self._model is None or key != self._key:
            with loading():
                file = self._file(settings)
                self._model = load_model(file.path, settings, device, self.STEREO)
            self._key = key
        return self._model

    def _file(self, settings: OnnxSettings) -> ModelFile:
        """Find the file, whole as far as can be seen without loading it."""
        _check_ending(settings)
        with _in_words_of(settings):
            file = self._finder.find(settings)
            file.check()
        return file

    def _tell_once(self, note: str) -> None:
        if note and note not in self._told:
            self._told.add(note)
            log.warning('%s', note)


def _check_ending(settings: OnnxSettings) -> None:
    if not is_onnx(settings.model):
        raise CheckpointError(
            f'{settings.parameter} is {settings.model!r}, expected the path or https address of a '
            f'file that ends in {ENDING}; `vizion3d_depth export {settings.EXAMPLE} --out '
            f'{settings.EXAMPLE}{ENDING}` makes one'
        )


@contextmanager
def _in_words_of(settings: OnnxSettings) -> Iterator[None]:
    """Name the setting that stands for model_backend here."""
    try:
        yield
    except (CheckpointError, DownloadError) as error:
        raise type(error)(str(error).replace('model_backend', settings.parameter)) from error
