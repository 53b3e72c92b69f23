# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime behind one door: load a file with what was asked for, or say why not."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.engine.device import enough_memory, is_memory_short
from vizion3d_ros.engine.onnx.providers import Wanted, candidates, computed_in, options

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ERRORS_ONLY = 3  # of its log: what matters comes as an error
HALF = 'tensor(float16)'
MOST_LETTERS = 300  # of what it says

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tensor:
    """An input or output: name, type as onnxruntime says it, None for sizes that may vary."""

    name: str
    type: str
    shape: tuple[int | None, ...]

    @property
    def rank(self) -> int:
        """How many axes it has."""
        return len(self.shape)

    @property
    def sides(self) -> str:
        """Its shape as people write it, ? for what may vary."""
        return 'x'.join('?' if side is None else str(side) for side in self.shape)


@dataclass(frozen=True)
class Session:
    """A network that is loaded; provider and precision say what computes it and how."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    provider: str
    precision: str
    native: Any

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Compute all outputs, by name. Raises BackendError unless memory runs out."""
        names = [each.name for each in self.outputs]
        try:
            answers = self.native.run(names, dict(feeds))
        except Exception as error:  # of a dozen classes that have no common base
            if is_memory_short(error):
                raise
            raise BackendError(f'{self.provider} failed: {_said(error)}') from error
        return dict(zip(names, answers))


def runtime() -> Any:
    """The module onnxruntime; BackendError if it is not there."""
    try:
        import onnxruntime
    except ImportError as error:
        raise BackendError(
            f'backend onnx needs onnxruntime, which cannot be imported ({error}): '
            'python3 -m pip install "vizion3d_ros[onnx]", or onnxruntime-gpu for a GPU'
        ) from error
    return onnxruntime


def open_session(path: Path, opset: int, wanted: Wanted) -> Session:
    """
    Load a file; wanted.providers and wanted.precision are met, or BackendError says why not.

    opset: of the file, for that sentence.
    """
    lists = candidates(wanted, runtime().get_available_providers())
    for number, names in enumerate(lists):
        try:
            return _open(path, opset, names, wanted)
        except ProviderError as error:
            if number == len(lists) - 1:
                raise
            log.warning('onnx.providers auto: %s; trying %s', error, lists[number + 1][0])
    raise AssertionError('candidates() gives one at least')


class ProviderError(BackendError):
    """What should compute did not start."""


def _open(path: Path, opset: int, names: Sequence[str], wanted: Wanted) -> Session:
    precision = computed_in(names[0], wanted)
    chosen = [options(name, precision, wanted.device, path) for name in names]
    with enough_memory(f'{path} on {names[0]}', 'choose a smaller network or another provider'):
        native = _load(path, opset, chosen)
    missing = [full for full, _ in chosen if full not in native.get_providers()]
    if missing:
        raise ProviderError(
            f'{", ".join(missing)} could not be started, as the libraries that it needs are '
            f'missing or of another version; {", ".join(native.get_providers())} would run '
            'instead: install them, or choose another in onnx.providers'
        )
    inputs = tuple(_tensor(each) for each in native.get_inputs())
    if wanted.stored == 'float32' and inputs[0].type == HALF:
        return _open(path, opset, names, replace(wanted, stored='float16'))  # it did not say so
    return Session(
        inputs=inputs,
        outputs=tuple(_tensor(each) for each in native.get_outputs()),
        provider=' and '.join(names),
        precision=precision,
        native=native,
    )


def _load(path: Path, opset: int, chosen: Sequence[tuple[str, dict[str, Any]]]) -> Any:
    onnxruntime = runtime()
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = ERRORS_ONLY
    settings.intra_op_num_threads = len(os.sched_getaffinity(0))
    # Threads that spin while they wait take the cores from everybody else.
    settings.add_session_config_entry('session.intra_op.allow_spinning', '0')
    try:
        return onnxruntime.InferenceSession(
            str(path), settings, providers=list(chosen), enable_fallback=0
        )
    except Exception as error:
        if is_memory_short(error):
            raise
        raise _refusal(path, opset, chosen[0][0], error) from error


def _refusal(path: Path, opset: int, provider: str, error: Exception) -> BackendError:
    said, version = _said(error), runtime().__version__
    lowered = said.lower()
    if 'external data' in lowered or '.data' in lowered:
        return BackendError(
            f'the weights of {path} lie in another file that is not beside it, or is damaged: put '
            f'it there under the name that it had when both were made ({said})'
        )
    if 'opset' in lowered:
        return BackendError(
            f'{path} is of opset {opset}, which onnxruntime {version} does not know: install a '
            f'newer onnxruntime, or export the network with a lower opset ({said})'
        )
    kind = ProviderError if provider.removesuffix('ExecutionProvider') in said else BackendError
    return kind(f'{path} cannot be loaded by onnxruntime {version} on {provider}: {said}')


def _said(error: Exception) -> str:
    """What it says, in one line."""
    return ' '.join(str(error).split())[:MOST_LETTERS] or type(error).__name__


def _tensor(native: Any) -> Tensor:
    shape = tuple(side if isinstance(side, int) else None for side in native.shape)
    return Tensor(native.name, native.type, shape)
