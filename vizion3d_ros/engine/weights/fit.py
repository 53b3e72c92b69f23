# SPDX-License-Identifier: Apache-2.0
"""Make a state dict fit a network name by name and shape by shape, or say what does not."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from vizion3d_ros.contracts.errors import CheckpointError
from vizion3d_ros.engine.weights.families import Family, Shapes, family_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

SHOWN = 3

log = logging.getLogger(__name__)


class OtherFamilyError(CheckpointError):
    """A whole checkpoint, of another kind of network: the file may be right for another use."""


def shapes_of(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """The shape of every entry."""
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def find_variant(shapes: Shapes, family: Family) -> str:
    """The size of the network that these shapes belong to; CheckpointError if to none."""
    found = family_of(shapes)
    if found is not family:
        looks = f'it is one of {found.name}' if found else f'it holds {_some(shapes)}'
        kind = OtherFamilyError if found else CheckpointError
        raise kind(f'is no {family.name} checkpoint: {looks}')
    variant = family.variant_of(shapes)
    if not variant:
        raise CheckpointError(
            f'is of no known size of {family.name}: expected the shapes of one of '
            f'{", ".join(family.licences)}'
        )
    return variant


def fit(tensors: Mapping[str, Tensor], family: Family, expected: Shapes) -> dict[str, Tensor]:
    """
    Return the entries under their official names, finite float32 of the shape of each expected.

    An older name counts only where the official one is missing; it and what is ignored are
    logged. Raises CheckpointError if any other name is missing or extra, a shape differs, or a
    value is NaN or infinite.
    """
    named = _official_names(tensors, family, expected)
    _check_names(shapes_of(named), family, expected)
    return {name: _checked_values(name, named[name]) for name in expected}


def _official_names(
    tensors: Mapping[str, Tensor], family: Family, expected: Shapes
) -> dict[str, Tensor]:
    named = {name: t for name, t in tensors.items() if not name.endswith(family.counters)}
    for older, official in family.older_names:
        for name in [name for name in tensors if name.startswith(older)]:
            new = official + name.removeprefix(older)
            if new not in expected:
                continue
            if new in named:
                log.info('ignored %s: the checkpoint has %s as well', name, new)
            else:
                log.info('took %s for %s', name, new)
                named[new] = named[name]
            del named[name]
    for name in [name for name in named if name.startswith(family.unused)]:
        log.info('ignored %s: %s has no such part', name, family.name)
        del named[name]
    return named


def _check_names(shapes: Shapes, family: Family, expected: Shapes) -> None:
    missing = [name for name in expected if name not in shapes]
    extra = [name for name in shapes if name not in expected]
    misshapen = [
        f'{name} {list(shapes[name])} instead of {list(shape)}'
        for name, shape in expected.items()
        if name in shapes and shapes[name] != tuple(shape)
    ]
    faults = {'missing': missing, 'extra': extra, 'of another shape': misshapen}
    if any(faults.values()):
        found = ', '.join(f'{len(n)} {what} ({_some(n)})' for what, n in faults.items() if n)
        raise CheckpointError(f'does not fit {family.name}: of {len(expected)} entries {found}')


def _some(names: Collection[str]) -> str:
    shown = ', '.join(list(names)[:SHOWN])
    return f'{shown}, ...' if len(names) > SHOWN else shown


def _checked_values(name: str, tensor: Tensor) -> Tensor:
    import torch

    if tensor.layout is not torch.strided or not tensor.is_floating_point():
        raise CheckpointError(f'has {tensor.dtype} in {name}, expected floating point numbers')
    values = tensor.detach().float().contiguous()
    if not np.isfinite(values.numpy()).all():  # torch is ten times slower at it
        raise CheckpointError(f'has NaN or infinite weights in {name}')
    return values
