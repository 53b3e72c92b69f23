# SPDX-License-Identifier: Apache-2.0
"""
S2M2 as torch runs it against its ONNX files: same weights, same pair, same run.

    python benchmarks/onnx_backend.py [--size 320x256] [--checkpoint FILE] [--repeats 5]

torch is what backend s2m2 runs; the others are the file of `vizion3d_depth export` with each
provider that onnxruntime has here, and with OpenVINO itself where that is installed, once with
float32 stated and once as it chooses by itself. ms is the fastest of the repeats, in turns. MB is
what the loaded network takes and a call adds at its peak: resident memory of a fresh process, so
of a CPU. px is the difference of the disparity from that of torch in float32, largest and median.
Without --checkpoint the weights of S are random.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

os.environ.setdefault('OMP_WAIT_POLICY', 'passive')  # as in the nodes; read by torch

import numpy as np
import onnxruntime
import torch
from machine import print_table
from measure import fastest_in_turns, in_fresh_process, peak_resident, resident

from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.engine.networks import s2m2
from vizion3d_ros.engine.onnx.export.networks import exportable, made_up_pair
from vizion3d_ros.engine.onnx.export.write import export
from vizion3d_ros.engine.onnx.providers import FULL_NAMES, Wanted
from vizion3d_ros.engine.onnx.session import open_session

Run = Callable[[], np.ndarray]
BASELINE = 'torch, float32'


def main() -> None:
    arguments = parse_arguments()
    width, height = arguments.size
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = arguments.checkpoint or random_checkpoint(Path(folder))
        jobs = prepare(checkpoint, arguments.size, Path(folder))
        rows = measure(jobs, arguments)
    title = f'S2M2 on a pair of {width}x{height}, torch {torch.__version__}'
    print_table(f'{title}, onnxruntime {onnxruntime.__version__}', rows, arguments.json)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--size', type=size, metavar='WxH', default=(320, 256))
    parser.add_argument('--checkpoint', type=Path, metavar='FILE')
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--json', type=Path, metavar='FILE', help='also write the table there')
    return parser.parse_args()


def size(text: str) -> tuple[int, int]:
    width, height = map(int, text.split('x'))
    return width, height


def random_checkpoint(folder: Path) -> Path:
    torch.manual_seed(0)
    path = folder / 'random_s.pth'
    torch.save(s2m2.build('S').state_dict(), path)
    return path


def prepare(checkpoint: Path, size: tuple[int, int], folder: Path) -> dict[str, Callable[[], Run]]:
    """What makes each of the things to measure, by name; all of it can go to another process."""
    jobs: dict[str, Callable[[], Run]] = {BASELINE: partial(torch_run, checkpoint, size)}
    files = {}
    for precision in ('float32', 'float16'):
        try:
            made = export(str(checkpoint), size, precision, folder / f'{precision}.onnx')
        except BackendError as refusal:
            print(refusal)
            continue
        files[precision] = made.path
        print(f'{precision} file: {made.bytes / 1e6:.0f} MB, {made.difference:.2g} px off')
    for name, full in FULL_NAMES.items():
        if full in onnxruntime.get_available_providers():
            for precision, file in files.items():
                formats = (name, precision, file, size)
                jobs[f'onnxruntime {name}, {precision}'] = partial(onnx_run, *formats)
    if importlib.util.find_spec('openvino') and 'float32' in files:
        for hint in ('float32', 'its own choice'):
            run = partial(openvino_run, hint, files['float32'], size)
            jobs[f'OpenVINO, {hint}'] = run
    return jobs


def torch_run(checkpoint: Path, size: tuple[int, int]) -> Run:
    network = exportable(str(checkpoint), size).network
    pair = made_up_pair(*reversed(size))

    def run() -> np.ndarray:
        with torch.inference_mode():
            return network(*pair)[0].numpy()

    return run


def feeds(size: tuple[int, int]) -> dict[str, np.ndarray]:
    left, right = made_up_pair(*reversed(size))
    return {'left': left.numpy(), 'right': right.numpy()}


def onnx_run(name: str, precision: str, file: Path, size: tuple[int, int]) -> Run:
    session = open_session(file, 18, Wanted(name, 'auto', 'auto', precision))
    given = feeds(size)
    return lambda: session.run(given)['disparity']


def openvino_run(hint: str, file: Path, size: tuple[int, int]) -> Run:
    import openvino

    chosen = {'INFERENCE_PRECISION_HINT': 'f32'} if hint == 'float32' else {}
    compiled = openvino.Core().compile_model(str(file), 'CPU', chosen)
    given = feeds(size)
    return lambda: compiled(given)['disparity']


def measure(
    jobs: dict[str, Callable[[], Run]], arguments: argparse.Namespace
) -> list[dict[str, object]]:
    runs = {name: make() for name, make in jobs.items()}
    answers = {name: run() for name, run in runs.items()}
    ms = fastest_in_turns(runs, arguments.repeats)
    runs.clear()
    apart = {name: np.abs(answer - answers[BASELINE]) for name, answer in answers.items()}
    return [
        {
            'network': name,
            'ms': round(ms[name]),
            'times': f'{ms[BASELINE] / ms[name]:.2f}',
            'MB': round(in_fresh_process(peak, make)),
            'px, largest': f'{apart[name].max():.1e}',
            'px, median': f'{np.median(apart[name]):.1e}',
        }
        for name, make in jobs.items()
    ]


def peak(make: Callable[[], Run]) -> float:
    """Libraries apart, which are there before."""
    torch.zeros(1)
    before = resident('VmRSS')
    run = make()
    run()  # some take at the first call what they keep
    loaded = resident('VmRSS') - before
    return loaded + peak_resident(run)


if __name__ == '__main__':
    main()
