# SPDX-License-Identifier: Apache-2.0
"""
S2M2 as it runs against its plain form: same weights, same images, same run.

    python benchmarks/s2m2.py [--variants S L] [--sizes 320x256] [--repeats 5] [--json FILE]

Plain is the network with every step as docs/networks/s2m2.md defines it, fast is what the node
runs; both in inference mode, one pair at a time, in turns. ms is the fastest of the repeats. MB is
the peak above the loaded weights: resident memory of a fresh process on a CPU, allocated memory
on a GPU. px is the difference of the disparities, largest and mean. Without a GPU, S at two small
sizes in float32; with one, every variant at three sizes in float16.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch
from machine import print_table
from measure import fastest_in_turns, in_fresh_process, peak_on_gpu, peak_resident
from plain_s2m2 import plain

from vizion3d_ros.engine.networks.s2m2 import build
from vizion3d_ros.engine.networks.sizes import S2M2_SIZES

FORMS = ('plain', 'fast')
DTYPES = {'float32': torch.float32, 'float16': torch.float16, 'bfloat16': torch.bfloat16}
LARGEST_SHIFT = 24


def main() -> None:
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    where = f'{arguments.threads} threads'
    if arguments.device == 'cuda':
        where = torch.cuda.get_device_name()
    title = f'S2M2, plain against fast, {arguments.precision}, {where}, torch {torch.__version__}'
    rows = [row for variant in arguments.variants for row in measure(variant, arguments)]
    print_table(title, rows, arguments.json)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cuda = torch.cuda.is_available()
    parser.add_argument('--device', choices=('cpu', 'cuda'), default='cuda' if cuda else 'cpu')
    parser.add_argument('--precision', choices=DTYPES, help='default: float16 on a GPU')
    parser.add_argument('--variants', nargs='+', choices=S2M2_SIZES)
    parser.add_argument('--sizes', nargs='+', metavar='WxH', type=size)
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--threads', type=int, default=torch.get_num_threads())
    parser.add_argument('--json', type=Path, metavar='FILE', help='also write the table there')
    arguments = parser.parse_args()
    cuda = arguments.device == 'cuda'
    arguments.precision = arguments.precision or ('float16' if cuda else 'float32')
    arguments.variants = arguments.variants or (list(S2M2_SIZES) if cuda else ['S'])
    sizes = [(640, 480), (960, 544), (1216, 1024)] if cuda else [(320, 256), (640, 480)]
    arguments.sizes = arguments.sizes or sizes
    return arguments


def size(text: str) -> tuple[int, int]:
    width, height = (int(part) for part in text.split('x'))
    if width % 32 or height % 32:
        raise argparse.ArgumentTypeError(f'{text}: both must be multiples of 32')
    return width, height


def measure(variant: str, arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    """One row for each size."""
    device, precision = arguments.device, arguments.precision
    networks = {form: make(variant, form, device, precision) for form in FORMS}
    for width, height in arguments.sizes:
        pair = [image.to(device) for image in make_pair(width, height)]
        answers, ms = run_in_turns(networks, pair, arguments.repeats)
        if device == 'cuda':
            mb = {form: peak_allocated(networks[form], pair) for form in FORMS}
        else:
            job = (variant, precision, (width, height), arguments.threads)
            mb = {form: in_fresh_process(peak_of, form, *job) for form in FORMS}
        difference = (answers['plain'] - answers['fast']).abs()
        yield {
            'variant': variant,
            'size': f'{width}x{height}',
            'plain ms': f'{ms["plain"]:.1f}',
            'fast ms': f'{ms["fast"]:.1f}',
            'ratio': f'{ms["plain"] / ms["fast"]:.2f}',
            'plain MB': f'{mb["plain"]:.0f}',
            'fast MB': f'{mb["fast"]:.0f}',
            'max px': f'{difference.max():.1e}',
            'mean px': f'{difference.mean():.1e}',
        }


def make(variant: str, form: str, device: str, precision: str) -> torch.nn.Module:
    """Random weights, the same for every form, that spread the matching scores as real ones do."""
    torch.manual_seed(0)
    network = build(variant)
    torch.nn.init.constant_(network.disp_init.layer_norm.weight, 0.42)
    network = network.to(device, DTYPES[precision])
    return plain(network) if form == 'plain' else network


def make_pair(width: int, height: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A texture of several scales whose shift grows down the picture: (1, 3, height, width)."""
    noise = torch.Generator().manual_seed(0)
    wide = torch.zeros(1, 3, height, width + LARGEST_SHIFT)
    for cell in (2, 8, 32):
        coarse = torch.rand(1, 3, height // cell, wide.shape[-1] // cell, generator=noise)
        wide += torch.nn.functional.interpolate(coarse, wide.shape[-2:], mode='bilinear')
    wide *= 255 / wide.max()
    shift = torch.arange(height) * LARGEST_SHIFT // height
    columns = torch.arange(width) + shift[:, None]
    right = wide.gather(3, columns.expand(1, 3, -1, -1))
    return wide[..., :width].contiguous(), right


@torch.inference_mode()
def run_in_turns(networks, pair, repeats: int) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    answers = {form: network(*pair)[0].cpu() for form, network in networks.items()}
    calls = {form: partial(network, *pair) for form, network in networks.items()}
    return answers, fastest_in_turns(calls, repeats)


@torch.inference_mode()
def peak_allocated(network: torch.nn.Module, pair) -> float:
    return peak_on_gpu(partial(network, *pair))


@torch.inference_mode()
def peak_of(form, variant, precision, shape: tuple[int, int], threads: int) -> float:
    """To be called in a fresh process."""
    torch.set_num_threads(threads)
    network = make(variant, form, 'cpu', precision)
    network(*make_pair(64, 64))
    return peak_resident(partial(network, *make_pair(*shape)))


if __name__ == '__main__':
    main()
