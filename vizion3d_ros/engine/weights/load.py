# SPDX-License-Identifier: Apache-2.0
"""Read a checkpoint file and hand out tensors that fit, or refuse the file."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vizion3d_ros.contracts.errors import BackendError, CheckpointError
from vizion3d_ros.engine.weights.families import Family, Shapes
from vizion3d_ros.engine.weights.fit import OtherFamilyError, find_variant, fit, shapes_of
from vizion3d_ros.engine.weights.names import licence_of

if TYPE_CHECKING:
    from torch import Tensor

    from vizion3d_ros.engine.weights.resolve import ModelFile

WRAPPERS = ('state_dict', 'model')
PARALLEL = 'module.'  # what torch's data parallel training puts before every name

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """Tensors by official name, float32 on the CPU, with the size of the network they are for."""

    path: Path
    variant: str
    licence: str
    tensors: dict[str, Tensor]


def load(model: ModelFile, family: Family, expected: Callable[[str], Shapes]) -> Checkpoint:
    """
    Load a checkpoint of one family; expected tells the shapes of a variant's state dict.

    The tensors are copies in memory, never views of the file: give them to
    load_state_dict(..., assign=True) of a network made under torch.device('meta') and they exist
    once. Raises CheckpointError, with the file set aside if it is in the cache, for damage, code
    in the pickle, another network or variant than promised, a name or shape that differs and
    NaN; BackendError if memory does not suffice.
    """
    model.check()
    try:
        tensors = read_tensors(model.path)
        variant = find_variant(shapes_of(tensors), family)
        _check_promise(model, variant)
        fitting = fit(tensors, family, expected(variant))
    except OtherFamilyError as refusal:
        raise model.refuse(str(refusal), set_aside=model.known is not None) from refusal
    except CheckpointError as refusal:
        raise model.refuse(str(refusal)) from refusal
    except OSError as error:
        raise model.unreadable(error) from error
    file_name = model.known.file_name if model.known else model.path.name
    licence = licence_of(file_name, family, variant)
    log.info('loaded %s: %s %s, licence %s', model.path, family.name, variant, licence)
    return Checkpoint(model.path, variant, licence, fitting)


def _check_promise(model: ModelFile, variant: str) -> None:
    if model.known and model.known.variant != variant:
        raise CheckpointError(
            f'is of variant {variant}, but {model.known.name} has to be {model.known.variant}'
        )


def read_tensors(path: Path, device: str = 'cpu') -> dict[str, Tensor]:
    """
    Return the state dict in a file, bare or wrapped; no code in it is ever run.

    Tensors have any shape and type, as stored; on the device 'meta' only shapes are read. Raises
    CheckpointError if there is none.
    """
    import torch

    try:
        # not memory-mapped: overwriting the file later would change or kill a running network
        content = torch.load(path, map_location=device, weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            'is damaged or holds more than tensors: it was refused, as loading it could run code'
        ) from error
    except Exception as error:  # torch raises all kinds for a damaged file
        if isinstance(error, MemoryError) or 'allocate memory' in str(error):
            raise BackendError(f'not enough memory for {path}; try a smaller variant') from error
        raise CheckpointError(f'is damaged: {_first_line(error)}') from error
    return _unwrap(content)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _unwrap(content: object) -> dict[str, Tensor]:
    import torch

    for wrapper in WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            ignored = [key for key in content if key != wrapper]
            if ignored:
                log.info('ignored beside %s: %s', wrapper, ', '.join(map(str, ignored)))
            content = content[wrapper]
    if not isinstance(content, dict) or not content:
        raise CheckpointError(f'holds {type(content).__name__}, expected a state dict')
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise CheckpointError(
                f'holds {type(value).__name__} in {name!r}, expected a tensor: no state dict'
            )
    if all(name.startswith(PARALLEL) for name in content):
        return {name.removeprefix(PARALLEL): value for name, value in content.items()}
    return dict(content)
