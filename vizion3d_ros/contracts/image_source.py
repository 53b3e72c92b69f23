# SPDX-License-Identifier: Apache-2.0
"""What a request may give as an image: a path, encoded bytes, or pixels."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import PlainValidator

KINDS = (str, os.PathLike, bytes, bytearray, memoryview, np.ndarray)


def _check_kind(source: object) -> object:
    if not isinstance(source, KINDS):
        raise ValueError(
            'expected the path of an image, its encoded bytes, or pixels as uint8 (H, W, 3) RGB '
            f'or (H, W) grey, got {type(source).__name__}'
        )
    return source


ImageSource = Annotated[
    str | Path | bytes | bytearray | memoryview | np.ndarray, PlainValidator(_check_kind)
]
