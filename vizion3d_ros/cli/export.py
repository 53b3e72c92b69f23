# SPDX-License-Identifier: Apache-2.0
"""A checkpoint to an ONNX file, compared with what it was made of."""

from __future__ import annotations

from argparse import Namespace

from vizion3d_ros.engine.onnx.export.write import export
from vizion3d_ros.engine.weights.progress import in_words


def run(asked: Namespace) -> int:
    """Write the file and say what is in it; the exit code is 0."""
    made = export(asked.model, asked.size, asked.precision, asked.out)
    print(f'{made.path}: {in_words(made.bytes)}')
    for name, value in made.facts.items():
        print(f'  {name:<18} {value}')
    return 0
