# SPDX-License-Identifier: Apache-2.0
"""What lies in the cache."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.engine import onnx_file
from vizion3d_ros.engine.weights.cache import Slot, cache_dir
from vizion3d_ros.engine.weights.container import ONNX
from vizion3d_ros.engine.weights.families import family_of
from vizion3d_ros.engine.weights.fit import shapes_of
from vizion3d_ros.engine.weights.load import read_tensors
from vizion3d_ros.engine.weights.names import licence_of


@dataclass(frozen=True)
class Entry:
    """One file of the cache: its name, size in bytes, what it is, and its licence if known."""

    name: str
    size: int
    content: str
    licence: str = ''


def inventory() -> list[Entry]:
    """Every model in the cache, and what is left of downloads that went wrong."""
    if not cache_dir().is_dir():
        return []
    return list(_entries(sorted(cache_dir().iterdir())))


def _entries(paths: list[Path]) -> Iterator[Entry]:
    for path in paths:
        size = path.stat().st_size
        if path.suffix in ('.pth', '.pt'):
            yield Entry(path.name, size, *_content(path))
        elif path.suffix == ONNX:
            yield Entry(path.name, size, *_of_onnx(path))
        elif path.suffix == '.bad':
            reason = Slot(path.with_suffix('')).record.refused
            yield Entry(path.name, size, f'set aside: {reason or "damaged after its download"}')
        elif path.suffix == '.part':
            yield Entry(path.name, size, 'unfinished download')


def _of_onnx(path: Path) -> tuple[str, str]:
    """What the file says it is, and its licence; one of somebody else may say neither."""
    try:
        notes = onnx_file.read(path).notes
    except onnx_file.DamagedError as error:
        return f'no whole ONNX file: {error}', ''
    told = (notes.get(name, '') for name in ('network', 'variant', 'size'))
    return ' '.join(filter(None, ('ONNX', *told))), notes.get('licence', '')


def _content(path: Path) -> tuple[str, str]:
    """Family with variant, and licence; judged by the shapes, whatever the file is called."""
    try:
        shapes = shapes_of(read_tensors(path, device='meta'))
    except BackendError as error:
        return str(error), ''
    family = family_of(shapes)
    variant = family.variant_of(shapes) if family else ''
    if not family or not variant:
        return 'no known network', ''
    return f'{family.name} {variant}', licence_of(path.name, family, variant)
