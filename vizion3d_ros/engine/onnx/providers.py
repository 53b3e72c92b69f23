# SPDX-License-Identifier: Apache-2.0
"""
Which part of ONNX Runtime computes a network, and in which number format.

A format is always stated: what a library takes by default may be another one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.engine.weights.container import sha256_of

AUTO = 'auto'
FULL_NAMES = {
    'tensorrt': 'TensorrtExecutionProvider',
    'cuda': 'CUDAExecutionProvider',
    'openvino': 'OpenVINOExecutionProvider',
    'cpu': 'CPUExecutionProvider',
}
"""Short names, in the order of auto."""
DIGITS = 16  # of a SHA-256
ON_A_GPU = ('tensorrt', 'cuda')


@dataclass(frozen=True)
class Wanted:
    """
    How a file is to be run.

    providers: as the setting has it. precision: auto, float32 or float16. device: auto, cpu, cuda
    or cuda:N. stored: number format of the file.
    """

    providers: str
    precision: str
    device: str
    stored: str


def candidates(wanted: Wanted, installed: Sequence[str]) -> list[list[str]]:
    """
    Lists of providers to try, by short name as far as they have one; the first that starts runs.

    More than one only if auto was asked for. installed: what onnxruntime offers, by full name.
    Raises BackendError for a name that it does not have.
    """
    known = {full: short for short, full in FULL_NAMES.items()}
    there = [known.get(full, full) for full in installed]
    if wanted.providers.strip().lower() == AUTO:
        fitting = [
            [name, 'cuda'] if name == 'tensorrt' and 'cuda' in there else [name]
            for name in FULL_NAMES
            if name in there and _fits(name, wanted.device)
        ]
        if not fitting:
            raise BackendError(
                f'device {wanted.device} was asked for, but onnxruntime has {", ".join(there)} '
                'only: install onnxruntime-gpu, or choose cpu or auto'
            )
        return fitting
    chosen = [_known(name.strip(), there) for name in wanted.providers.split(',') if name.strip()]
    if not chosen:
        raise BackendError(f'onnx.providers is empty: expected auto or some of {", ".join(there)}')
    return [chosen]


def _fits(name: str, device: str) -> bool:
    return device == AUTO or (name in ON_A_GPU) == device.startswith('cuda')


def _known(name: str, there: Sequence[str]) -> str:
    folded = {each.lower(): each for each in there}
    folded |= {full.lower(): short for short, full in FULL_NAMES.items() if short in there}
    if name.lower() not in folded:
        raise BackendError(
            f'onnx.providers {name!r} is not in this onnxruntime: it has {", ".join(there)}; '
            'choose one of these, or install the onnxruntime that has it'
        )
    return folded[name.lower()]


def computed_in(name: str, wanted: Wanted) -> str:
    """The number format that a provider computes in; BackendError if not in the one asked for."""
    possible = {'tensorrt': ('float32', 'float16'), 'openvino': ('float32',)}
    formats = possible.get(name, (wanted.stored,))
    if name == 'tensorrt' and wanted.stored == 'float16':
        formats = ('float16',)
    if wanted.precision == AUTO:
        return wanted.stored if wanted.stored in formats else formats[0]
    if wanted.precision not in formats:
        raise BackendError(
            f'onnx.precision {wanted.precision} was asked for, but {name} runs this file of '
            f'{wanted.stored} in {" or ".join(formats)}: set onnx.precision to auto, or export '
            f'the network with --precision {wanted.precision}'
        )
    return wanted.precision


def options(name: str, precision: str, device: str, model: Path) -> tuple[str, dict[str, Any]]:
    """Full name and settings of a provider, the number format always among them."""
    number = int(device.partition(':')[2] or 0)
    made: dict[str, dict[str, Any]] = {
        'tensorrt': {
            'device_id': number,
            'trt_fp16_enable': precision == 'float16',
            'trt_int8_enable': False,
            **_engine_cache(model),
        },
        'cuda': {'device_id': number, 'use_tf32': 0},
        'openvino': {'device_type': 'CPU', 'precision': 'FP32'},
    }
    return FULL_NAMES.get(name, name), made.get(name, {})


def _engine_cache(model: Path) -> dict[str, Any]:
    """
    Building an engine takes minutes: it is kept beside the model, if that can be written.

    TensorRT knows engines by the names of file and nodes alone: the folder is that of the content,
    so that the same network with other weights or of another size does not get the old one.
    """
    if not os.access(model.parent, os.W_OK):
        return {}
    folder = model.with_name(f'{model.name}.tensorrt') / sha256_of(model)[:DIGITS]
    return {
        'trt_engine_cache_enable': True,
        'trt_timing_cache_enable': True,
        'trt_engine_cache_path': str(folder),
    }
