# SPDX-License-Identifier: Apache-2.0
"""
Depth Anything V2 as the node runs it against Hugging Face transformers: same weights, same run.

    pip install transformers        (not into an environment with a torchvision of another torch)
    python benchmarks/depth_anything_v2.py [--encoders vits] [--sizes 518x518] [--repeats 5]

theirs is DepthAnythingForDepthEstimation with its default attention (sdpa), ours the network of
this package; both in inference mode, one image at a time, in turns, on the same random weights.
ms is the fastest of the repeats. MB is the peak above the loaded weights: resident memory of a
fresh process on a CPU, allocated memory on a GPU. start s is import, build and load from a file of
each one's own format, in a fresh process that has imported torch. difference is the largest over
the range of their answer; at other sizes than 518x518 theirs is another function, as it stretches
the position table in another way. Without a GPU float32, with one float16. On a machine that does
other work as well set OMP_WAIT_POLICY=passive, as the nodes do.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import torch
from machine import print_table
from measure import fastest_in_turns, in_fresh_process, peak_on_gpu, peak_resident
from transformers_baseline import converted, make_baseline, read_baseline

from vizion3d_ros.engine.networks.depth_anything_v2 import PATCH, build
from vizion3d_ros.engine.networks.sizes import DEPTH_ANYTHING_SIZES
from vizion3d_ros.engine.weights import DEPTH_ANYTHING_V2, load, resolve

DTYPES = {'float32': torch.float32, 'float16': torch.float16, 'bfloat16': torch.bfloat16}


def main() -> None:
    arguments = parse_arguments()
    if find_spec('transformers') is None:
        print('skipped: depth_anything_v2 compares with transformers; pip install transformers')
        return
    import transformers

    torch.set_num_threads(arguments.threads)
    where = f'{arguments.threads} threads'
    if arguments.device == 'cuda':
        where = torch.cuda.get_device_name()
    title = (
        f'Depth Anything V2 against transformers {transformers.__version__}, '
        f'{arguments.precision}, {where}, torch {torch.__version__}'
    )
    rows = [row for encoder in arguments.encoders for row in measure(encoder, arguments)]
    print_table(title, rows, arguments.json)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cuda = torch.cuda.is_available()
    parser.add_argument('--device', choices=('cpu', 'cuda'), default='cuda' if cuda else 'cpu')
    parser.add_argument('--precision', choices=DTYPES, help='default: float16 on a GPU')
    parser.add_argument('--encoders', nargs='+', choices=DEPTH_ANYTHING_SIZES)
    parser.add_argument('--sizes', nargs='+', metavar='WxH', type=size, default=[(518, 518)])
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--threads', type=int, default=torch.get_num_threads())
    parser.add_argument('--json', type=Path, metavar='FILE', help='also write the table there')
    arguments = parser.parse_args()
    cuda = arguments.device == 'cuda'
    arguments.precision = arguments.precision or ('float16' if cuda else 'float32')
    arguments.encoders = arguments.encoders or (list(DEPTH_ANYTHING_SIZES) if cuda else ['vits'])
    return arguments


def size(text: str) -> tuple[int, int]:
    width, height = (int(part) for part in text.split('x'))
    if width % PATCH or height % PATCH:
        raise argparse.ArgumentTypeError(f'{text}: both must be multiples of {PATCH}')
    return width, height


def measure(encoder: str, arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    """One row for each size."""
    device, precision = arguments.device, arguments.precision
    with tempfile.TemporaryDirectory() as folder:
        files = write_checkpoints(encoder, Path(folder))
        start = {form: starting_time(form, files[form]) for form in READERS}
        networks = {
            form: READERS[form](files[form]).to(device, DTYPES[precision]) for form in READERS
        }
        for shape in arguments.sizes:
            x = make_input(shape).to(device, DTYPES[precision])
            answers, ms = run_in_turns(networks, x, arguments.repeats)
            if device == 'cuda':
                mb = {form: peak_allocated(networks[form], x) for form in READERS}
            else:
                job = (precision, shape, arguments.threads)
                mb = {f: in_fresh_process(peak_of, f, files[f], *job) for f in READERS}
            theirs, ours = answers['theirs'], answers['ours']
            difference = (theirs - ours).abs().max() / (theirs.max() - theirs.min())
            yield {
                'encoder': encoder,
                'size': f'{shape[0]}x{shape[1]}',
                **{f'{form} ms': f'{ms[form]:.1f}' for form in READERS},
                'ratio': f'{ms["theirs"] / ms["ours"]:.2f}',
                **{f'{form} MB': f'{mb[form]:.0f}' for form in READERS},
                **{f'{form} start s': f'{start[form]:.2f}' for form in READERS},
                'difference': f'{difference:.1e}',
            }


def write_checkpoints(encoder: str, folder: Path) -> dict[str, str]:
    """The same weights as each side reads them: paths by form."""
    torch.manual_seed(0)
    network = build(encoder)
    for name, weight in network.named_parameters():  # as lively as after training
        if name.endswith(('gamma', 'pos_embed', 'cls_token')):
            torch.nn.init.uniform_(weight, -0.75, 0.75)
    torch.nn.init.constant_(network.depth_head.scratch.output_conv2[2].bias, 0.5)
    ours = folder / f'{encoder}.pth'
    torch.save(network.state_dict(), ours)
    theirs = make_baseline(DEPTH_ANYTHING_SIZES[encoder])
    theirs.load_state_dict(converted(network.state_dict(), theirs.state_dict()))
    theirs.save_pretrained(folder)
    return {'theirs': str(folder), 'ours': str(ours)}


def read_ours(path: str) -> torch.nn.Module:
    """Build and load, as a program would that starts."""
    checkpoint = load(resolve(path), DEPTH_ANYTHING_V2, shapes)
    with torch.device('meta'):
        network = build(checkpoint.variant)
    network.load_state_dict(checkpoint.tensors, assign=True)
    return network


def shapes(encoder: str) -> dict[str, tuple[int, ...]]:
    with torch.device('meta'):
        return {name: tuple(x.shape) for name, x in build(encoder).state_dict().items()}


def starting_time(form: str, path: str) -> float:
    """Seconds in a fresh process that has imported torch, and nothing of ours or theirs."""
    module, function = READERS[form].__module__, READERS[form].__name__
    module = Path(__file__).stem if module == '__main__' else module
    program = (
        'import time, torch; start = time.perf_counter(); '
        f'from {module} import {function}; {function}({path!r}); '
        'print(time.perf_counter() - start)'
    )
    command, folder = [sys.executable, '-c', program], Path(__file__).parent
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)


def make_input(shape: tuple[int, int]) -> torch.Tensor:
    """A normalised image of noise: (1, 3, height, width)."""
    width, height = shape
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(0))


def depth(network: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    answer = network(x)
    return answer if isinstance(answer, torch.Tensor) else answer.predicted_depth


@torch.inference_mode()
def run_in_turns(networks, x, repeats: int) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    calls = {form: partial(depth, network, x) for form, network in networks.items()}
    answers = {form: call().float().cpu() for form, call in calls.items()}
    return answers, fastest_in_turns(calls, repeats)


@torch.inference_mode()
def peak_allocated(network: torch.nn.Module, x: torch.Tensor) -> float:
    return peak_on_gpu(partial(depth, network, x))


@torch.inference_mode()
def peak_of(form, path, precision, shape: tuple[int, int], threads: int) -> float:
    """To be called in a fresh process."""
    torch.set_num_threads(threads)
    network = READERS[form](path).to(DTYPES[precision])
    depth(network, make_input((56, 56)).to(DTYPES[precision]))
    return peak_resident(partial(depth, network, make_input(shape).to(DTYPES[precision])))


READERS = {'theirs': read_baseline, 'ours': read_ours}

if __name__ == '__main__':
    main()
