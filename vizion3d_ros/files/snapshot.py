# SPDX-License-Identifier: Apache-2.0
"""One frame as files that other programs read: PNG, PFM, PLY, calibration YAML and a JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from vizion3d_ros.contracts.camera import MM_PER_METRE
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.files.ply import encode_ply
from vizion3d_ros.files.result_folder import write_whole

MAX_MM = 65535

FloatMap = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """
    What there is of one frame; None = not there, and then not written.

    name: how the files begin. image: uint8 (H, W) or (H, W, 3) RGB. depth_m: float32 (H, W)
    metres, disparity: float32 (H, W) pixels, NaN = no measurement; relative: float32 (H, W).
    points: float32 (N, 4) as encode_ply takes them. cameras: calibration by name. facts: for the
    JSON file.
    """

    name: str
    image: NDArray[np.uint8]
    depth_m: FloatMap | None = None
    disparity: FloatMap | None = None
    relative: FloatMap | None = None
    points: FloatMap | None = None
    cameras: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


def write_snapshot(snapshot: Snapshot, folder: Path) -> list[Path]:
    """
    Write the files, the JSON last, and give their paths; InputError if that cannot be done.

    image.png; depth.png (16 bit, millimetres, 0 = none), disparity.pfm and relative.pfm (float32),
    cloud.ply (OpenGL axes), <camera>.yaml (as camera_calibration_parsers reads it), each behind
    the snapshot's name. Where one fails none is left: a full disk would stay full of halves.
    """
    begun: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for ending, encode in _files(snapshot).items():
            begun.append(folder / f'{snapshot.name}_{ending}')
            write_whole(begun[-1], encode())
        facts = {**snapshot.facts, 'files': [path.name for path in begun]}
        begun.append(folder / f'{snapshot.name}.json')
        write_whole(begun[-1], (json.dumps(facts, indent=2) + '\n').encode())
    except OSError as error:
        for path in begun:
            with suppress(OSError):
                path.unlink()
        raise InputError(
            f'{folder}: cannot be written to: {error.strerror or error}; make room, or give '
            'another directory'
        ) from error
    return begun


def depth_png(depth_m: FloatMap) -> bytes:
    """Encode float32 (H, W) metres as 16-bit millimetres; NaN and what does not fit become 0."""
    millimetres = np.rint(depth_m * MM_PER_METRE)
    fits = (millimetres > 0) & (millimetres <= MAX_MM)
    return png(np.where(fits, millimetres, 0).astype(np.uint16))


def image_png(image: NDArray[np.uint8]) -> bytes:
    """Encode an image, uint8 (H, W) or (H, W, 3) RGB."""
    return png(image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR))


def png(pixels: NDArray[Any]) -> bytes:
    """Encode pixels in the order of OpenCV: (H, W) grey or (H, W, 3) BGR, uint8 or uint16."""
    _, encoded = cv2.imencode('.png', pixels)
    return encoded.tobytes()


def pfm(values: FloatMap) -> bytes:
    """Encode a map, float32 (H, W), as a grey PFM image: rows from the bottom up."""
    height, width = values.shape
    rows = np.ascontiguousarray(values[::-1], '<f4')
    return f'Pf\n{width} {height}\n-1.0\n'.encode() + rows.tobytes()


def npy(values: NDArray[Any]) -> bytes:
    """Encode an array of any shape and type as np.save does."""
    buffer = BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


def _files(snapshot: Snapshot) -> dict[str, Callable[[], bytes]]:
    encoders: dict[str, tuple[Callable[[Any], bytes], Any]] = {
        'image.png': (image_png, snapshot.image),
        'depth.png': (depth_png, snapshot.depth_m),
        'disparity.pfm': (pfm, snapshot.disparity),
        'relative.pfm': (pfm, snapshot.relative),
        'cloud.ply': (encode_ply, snapshot.points),
    }
    files: dict[str, Callable[[], bytes]] = {
        ending: partial(encode, values)
        for ending, (encode, values) in encoders.items()
        if values is not None
    }
    for name, camera in snapshot.cameras.items():
        files[f'{name}.yaml'] = partial(_yaml, camera)
    return files


def _yaml(camera: Mapping[str, Any]) -> bytes:
    return yaml.safe_dump(dict(camera), sort_keys=False, default_flow_style=None).encode()
