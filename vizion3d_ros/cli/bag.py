# SPDX-License-Identifier: Apache-2.0
"""A bag with a stereo pair to a bag with depth."""

from __future__ import annotations

import shutil
import sys
from argparse import Namespace
from typing import Any

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from vizion3d_ros.bags.convert import Conversion, Outcome, convert
from vizion3d_ros.bags.outgoing import OUTPUTS
from vizion3d_ros.bags.parts import METADATA, PROGRESS
from vizion3d_ros.cli.parser.arguments import OPENCV_SGBM, PROGRAM
from vizion3d_ros.contracts.camera import MM_PER_METRE
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.settings.onnx_settings import is_onnx
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings


def run(asked: Namespace) -> int:
    """Convert the bag and give the exit code: 1 if anything was left out."""
    conversion = _conversion(asked)
    if asked.force:
        _make_room(asked)
    shown = sys.stderr.isatty()
    with logging_redirect_tqdm(), tqdm(unit='pair', disable=not shown, leave=False) as bar:

        def on_pair(total: int | None) -> None:
            bar.total = total
            bar.update()

        outcome = convert(conversion, on_pair)
    _tell(asked, outcome)
    return 1 if outcome.faults else 0


def _tell(asked: Namespace, outcome: Outcome) -> None:
    if outcome.already:
        print(f'{asked.bag}: already in {asked.out}')
        return
    for fault in outcome.faults:
        print(f'{PROGRAM} bag: {fault}', file=sys.stderr)
    failed = f', {outcome.failed} without depth' if outcome.failed else ''
    print(f'{asked.bag}: {outcome.pairs} pairs{failed} -> {asked.out}')


def _conversion(asked: Namespace) -> Conversion:
    unknown = [name for name in asked.topics or () if name not in OUTPUTS]
    if unknown:
        raise InputError(f'--topics: expected some of {", ".join(OUTPUTS)}, got {unknown[0]}')
    options: dict[str, Any] = {'topics': tuple(asked.topics)} if asked.topics else {}
    return Conversion(
        source=asked.bag,
        target=asked.out,
        settings=_settings(asked),
        left=asked.left,
        right=asked.right,
        left_info=asked.left_info,
        right_info=asked.right_info,
        storage=asked.storage,
        jobs=asked.jobs,
        part_bytes=asked.max_bag_size,
        **options,
    )


def _settings(asked: Namespace) -> StereoSettings:
    """Those of the node, but for what is given."""
    given: dict[str, Any] = {'device': asked.device, 'rectify': asked.rectify, 'sgbm': {}}
    given['mono16_bits'] = asked.mono16_bits
    if asked.min_depth_mm is not None:
        given['min_depth'] = asked.min_depth_mm / MM_PER_METRE
    if asked.max_depth_mm is not None:
        given['max_depth'] = asked.max_depth_mm / MM_PER_METRE
    if asked.scale is not None:
        given['sgbm']['scale'] = asked.scale
    if asked.slop is not None:
        given['sync'] = {'slop': asked.slop}
    given['points'] = {'max_range': asked.z_far}
    if is_onnx(asked.backend):
        given |= {'backend': 'onnx', 'onnx': {'model': asked.backend}}
    elif asked.backend != OPENCV_SGBM:
        given |= {'backend': 's2m2', 's2m2': {'model_backend': asked.backend}}
    return StereoSettings.model_validate(given)


def _make_room(asked: Namespace) -> None:
    """Remove what this command wrote before, and nothing else."""
    if not asked.out.exists():
        return
    if not any((asked.out / name).exists() for name in (METADATA, PROGRESS)):
        raise InputError(f'{asked.out}: no bag, so not removed by --force')
    if asked.out.resolve() in (asked.bag.resolve(), *asked.bag.resolve().parents):
        raise InputError(f'{asked.out}: is, or holds, the bag that is read')
    shutil.rmtree(asked.out)
