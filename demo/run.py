#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three processes over DDS: a camera, the stereo node, a recorder. Then a table and a picture.

    python demo/run.py                       a synthetic rig whose depth is known
    python demo/run.py --pair FOLDER         left.png, right.png, calib.txt [disparity.npz]
    python demo/run.py -- -p sgbm.sgbm_mode:=hh      anything after -- goes to the stereo node

Writes montage.png, cloud.ply, disparity.npy, report.json and the logs into out/. Exits with 1 and
the reason when nothing came.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmark_range import search_range  # noqa: E402
from nodes import START_S, exit_code_of, node, record, show  # noqa: E402 (beside this file)

from vizion3d_ros.files.pair import load_pair  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

NEAREST_M = 0.8  # nothing in the synthetic room comes nearer; a shorter search is faster


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--pair', type=Path, metavar='FOLDER', help='play this pair instead')
    parser.add_argument('--frames', type=int, help='default 120, for a pair 12')
    parser.add_argument('--rate', type=float, metavar='HZ', help='default 10, for a pair 2')
    parser.add_argument('--disparities', type=int, metavar='N', help='search 0..N px (pair)')
    parser.add_argument('--view', action='store_true', help='show it live, by rerun')
    parser.add_argument('--out', type=Path, default=ROOT / 'out', help='default: out/')
    parser.add_argument('node', nargs='*', metavar='-- ...', help='arguments of the stereo node')
    options = parser.parse_args(argv)
    options.frames = options.frames or (12 if options.pair else 120)
    options.rate = options.rate or (2.0 if options.pair else 10.0)
    options.out = options.out.resolve()
    return options


def source(options: argparse.Namespace) -> list[str]:
    """Build the command line of the camera: a synthetic rig, or a pair played again and again."""
    common: dict[str, object] = {
        'frames': options.frames,
        'rate': options.rate,
        'wait_for_subscribers': START_S,
    }
    if options.pair is None:
        return node('testbed.synthetic_rig', common)
    return node('testbed.play_pair', {'folder': str(options.pair.resolve()), **common})


def matcher(options: argparse.Namespace) -> list[str]:
    """Build the command line of the stereo node and say which disparities it searches."""
    parameters: dict[str, object] = {'backend': 'sgbm'}
    if options.pair is None:
        parameters['min_depth'] = NEAREST_M
        print(f'search range: depths from {NEAREST_M} m on')
    else:
        pair = load_pair(options.pair)
        ndisp, width = pair.calibration.ndisp, pair.left.shape[1]
        found = search_range(options.disparities, pair.disparity, ndisp, width)
        print(f'search range: {found.reason}')
        if found.disparities:
            parameters['sgbm.min_disparity'] = 0
            parameters['sgbm.disparity_range'] = found.disparities
    return node('nodes.stereo_node', parameters, options.node)


def viewer() -> list[str]:
    """Build the command line of the viewer: a window, or where there is no display a browser's."""
    from vizion3d_ros.ros.testbed.viewer import has_display, page_at

    if has_display():
        return node('testbed.view', {})
    print(f'no display: open {page_at()} in a browser while the demo runs')
    return [*node('testbed.view', {}), '--web']


def demonstrate(options: argparse.Namespace) -> None:
    """Run the three processes, and the viewer if asked for, and show what came."""
    options.out.mkdir(parents=True, exist_ok=True)
    print(f'{options.frames} frames at {options.rate:g} Hz; logs in {options.out}', flush=True)
    recorder = {'out': str(options.out), 'frames': options.frames, 'timeout': START_S + 10.0}
    commands = {
        'recorder': node('testbed.recorder', recorder),
        'stereo_node': matcher(options),
        'source': source(options),
    }
    if options.view:
        commands = {'view': viewer(), **commands}
    show(record(commands, options.out, options.frames / options.rate), options.out)


def main() -> int:
    """Run the demo; gives the exit code."""
    options = parse()
    return exit_code_of(lambda: demonstrate(options))


if __name__ == '__main__':
    sys.exit(main())
