# SPDX-License-Identifier: Apache-2.0
"""
A checkpoint becomes an ONNX file that says what it is, and is compared with what it was made of.

    checkpoint ─ network ─ (half) ─ torch.onnx ─ folded ─ notes ─ file ─ compared ─ kept, or not
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vizion3d_ros.contracts.errors import BackendError, InputError
from vizion3d_ros.engine.device import every_core
from vizion3d_ros.engine.onnx.export.group_norm import norms_by_rows
from vizion3d_ros.engine.onnx.export.half import halved
from vizion3d_ros.engine.onnx.export.networks import Exportable, exportable
from vizion3d_ros.engine.onnx.profile import NOTE
from vizion3d_ros.engine.onnx.providers import Wanted
from vizion3d_ros.engine.onnx.session import Session, open_session, runtime
from vizion3d_ros.engine.weights.container import ONNX

OPSET = 18  # what torch translates into by itself
LARGEST_DIFFERENCE = 0.01
MORE = (1, 2)  # made-up images, if the first leave doubt
CPU = torch.device('cpu')
TALKERS = ('torch.onnx', 'onnxscript', 'onnx_ir')


@dataclass(frozen=True)
class Exported:
    """
    A file that was kept: its size in bytes, and what it says of itself.

    difference: the largest from torch that counts, in pixels or as a share of the range.
    """

    path: Path
    bytes: int
    difference: float
    facts: dict[str, str]


def export(model: str, size: tuple[int, int] | None, precision: str, out: Path) -> Exported:
    """
    Write a checkpoint as an ONNX file for images of one size.

    model: as s2m2.model_backend or depth_anything_v2.model_backend take it. size: width and
    height, None for what images of 960x540 become. precision: float32 or float16. Raises
    InputError for a size or a path that cannot be, BackendError if a package is missing, the
    checkpoint cannot be had, or the file differs from the network by more than 0.01 pixels (of a
    depth map: than 0.01 of its range); that file is not kept.
    """
    _check_path(out)
    _packages()
    runtime()
    made = exportable(model, size)
    network = halved(made.network) if precision == 'float16' else made.network
    draft = out.with_name(f'{out.name}.part')
    try:
        facts = {**made.facts, 'precision': precision, 'opset': str(OPSET)}
        with norms_by_rows(network):
            _write(network, made, facts, draft)
        del network
        apart = _compared(draft, made, precision)
        draft.replace(out)
    except OSError as error:
        raise InputError(f'--out {out} cannot be written: {error.strerror}') from error
    finally:
        draft.unlink(missing_ok=True)
    facts['difference'] = _in_words(apart, made.unit)
    return Exported(out, out.stat().st_size, apart.median(0).values.max().item(), facts)


def _check_path(out: Path) -> None:
    if out.suffix != ONNX:
        raise InputError(f'--out {out}: expected the path of a file that ends in {ONNX}')
    if not out.parent.is_dir():
        raise InputError(f'--out {out}: there is no folder {out.parent}: make it first')


def _packages() -> Any:
    """The module onnx; BackendError if it, or what folds constants, is not there."""
    try:
        import onnx
        import onnxscript.optimizer  # noqa: F401
    except ImportError as error:
        raise BackendError(
            f'export needs onnx and onnxscript ({error}): '
            'python3 -m pip install "vizion3d_ros[onnx]"'
        ) from error
    return onnx


def _write(network: nn.Module, made: Exportable, facts: dict[str, str], path: Path) -> None:
    """Translate the network and write it with its notes, all in one file."""
    inputs = made.images()
    with _silence(), torch.no_grad():
        program = torch.onnx.export(
            network,
            inputs,
            dynamo=True,
            optimize=False,  # most of the time of an export, and onnxruntime does it anyway
            opset_version=OPSET,
            input_names=list(made.inputs),
            output_names=list(made.outputs),
            verbose=False,
        )
        if program is None:
            raise BackendError(f'torch {torch.__version__} gave no ONNX program: install another')
        _fold(program.model)
    notes = {**facts, NOTE: made.profile.model_dump_json(exclude_defaults=True)}
    program.model.metadata_props.update(notes)
    program.model.producer_name = 'vizion3d_ros'
    # In one file whatever its size: torch puts weights of 1.5 GB and more, as of XL, into another,
    # whose name would be that of the draft.
    _packages().save(program.model_proto, str(path))


def _fold(model: Any) -> None:
    """Compute what is constant; the rest of what onnxscript can do takes longer than it saves."""
    from onnxscript import optimizer

    optimizer.inline(model)
    optimizer.fold_constants(model, onnx_shape_inference=False)
    optimizer.remove_unused_nodes(model)


@contextmanager
def _silence() -> Iterator[None]:
    """What these tell is for those who write exporters."""
    talkers = [logging.getLogger(name) for name in TALKERS]
    before = [talker.level for talker in talkers]
    for talker in talkers:
        talker.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    finally:
        for talker, level in zip(talkers, before):
            talker.setLevel(level)


def _compared(path: Path, made: Exportable, precision: str) -> Tensor:
    """
    Differences from the network, (images, 1, 1, H, W); BackendError if they are too large.

    Where two surfaces fit equally well the last bit decides, in some pair or other; so if one has
    such places two more are tried, and what differs in most of them is a fault. Of float16, which
    errs everywhere, the first pair decides.
    """
    session = open_session(path, OPSET, Wanted('cpu', precision, 'cpu', precision))
    apart = compare(session, made, 0)[None]
    if precision == 'float32' and not apart.max() <= LARGEST_DIFFERENCE:
        apart = torch.cat([apart, *(compare(session, made, number)[None] for number in MORE)])
    difference = apart.median(0).values.max().item()
    if not difference <= LARGEST_DIFFERENCE:  # also where it is no number
        raise BackendError(
            f'the {precision} file differs from the network by {difference:.2g} {made.unit}, more '
            f'than {LARGEST_DIFFERENCE:g}: it was not kept'
            + ('; export it as float32' if precision != 'float32' else '')
        )
    return apart


def compare(session: Session, made: Exportable, number: int) -> Tensor:
    """Difference of the first answers for made-up images, (1, 1, H, W); number: which of many."""
    images = made.images(number)
    with torch.inference_mode(), every_core(CPU):
        expected = made.run(images)
    feeds = dict(zip(made.inputs, (image.numpy() for image in images)))
    return made.apart(torch.from_numpy(session.run(feeds)[made.outputs[0]]), expected)


def _in_words(apart: Tensor, unit: str) -> str:
    steady = apart.median(0).values.max().item()
    said = f'{steady:.2g} {unit} at most, from torch'
    odd = apart > LARGEST_DIFFERENCE
    if not odd.any():
        return said
    return (
        f'{said}; besides {odd.float().mean() * 100:.2g} % of the pixels, where surfaces fit '
        f'equally well, up to {apart.max():.2g} {unit}'
    )
