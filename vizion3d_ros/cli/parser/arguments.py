# SPDX-License-Identifier: Apache-2.0
"""What can be asked on the command line. Loads nothing else, so that --help answers at once."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from vizion3d_ros.cli.parser.descriptions import ANNOTATE, BAG, EXPORT, MONO, RIG, STEREO

PROGRAM = 'vizion3d_depth'
OPENCV_SGBM = 'opencv-sgbm'  # as the contract has it, whose import takes time
TABLE_DEPTHS_MM = [200.0, 300.0, 400.0, 500.0, 750.0, 1000.0, 2000.0, 3000.0, 4000.0, 5000.0]
NEEDED, OPTIONAL = ('fx', 'cx', 'cy', 'baseline_mm'), ('fy', 'doffs')  # of a calibration
RIG_FLAGS = '--fx, --cx, --cy and --baseline-mm'


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Exit with 2."""
        print(f'{self.prog}: {message}; see {self.prog} --help', file=sys.stderr)
        sys.exit(2)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with 2 if it cannot be understood."""
    parser = _Parser(prog=PROGRAM, description='Depth from files, and what a stereo rig can do.')
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    for name, text, add_options in (
        ('stereo', STEREO, _add_stereo),
        ('mono', MONO, _add_mono),
        ('bag', BAG, _add_bag),
        ('annotate', ANNOTATE, _add_annotate),
        ('rig', RIG, _add_rig),
        ('export', EXPORT, _add_export),
    ):
        command = commands.add_parser(
            name,
            help=text.partition(':')[0],
            description=text,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        add_options(command)
        command.set_defaults(usage_error=command.error)
    asked = parser.parse_args(arguments)
    if asked.command == 'stereo':
        _check_calibration(asked)
    return asked


def _add_stereo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('left', type=Path, metavar='LEFT|FOLDER')
    parser.add_argument('right', type=Path, metavar='RIGHT', nargs='?')
    rig = parser.add_argument_group(
        'calibration', 'a file or numbers, for all pairs; a folder may have its own calib.txt'
    )
    rig.add_argument('--calib', type=Path, metavar='FILE', help='calib.txt as Middlebury has it')
    _add_numbers(
        rig,
        ('--fx', 'PX', 'focal length of both cameras', None),
        ('--fy', 'PX', 'the same along columns, if it is not fx', None),
        ('--cx', 'PX', 'principal point of the left image: column', None),
        ('--cy', 'PX', 'principal point of the left image: row', None),
        ('--baseline-mm', 'MM', 'distance of the cameras', None),
        ('--doffs', 'PX', 'cx of the right image - cx of the left one, if not 0', None),
    )
    _add_matcher(parser)
    _add_output(parser)


def _add_bag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('bag', type=Path, metavar='IN')
    parser.add_argument('out', type=Path, metavar='OUT')
    for name, text in (
        ('--left', 'left images; if not given, the one that ends in left/image_rect'),
        ('--right', 'right images'),
        ('--left-info', 'if not given, camera_info beside the images'),
        ('--right-info', 'the same of the right camera'),
    ):
        parser.add_argument(name, metavar='TOPIC', help=text)
    parser.add_argument('--rectify', action='store_true', help='the images are raw ones')
    parser.add_argument(
        '--mono16-bits',
        type=_count,
        default=16,
        metavar='N',
        help='significant bits of 16-bit images (default: 16)',
    )
    _add_numbers(parser, ('--slop', 'S', 'stamps of a pair differ by this at most', None))
    _add_matcher(parser, z_far=0.0)
    parser.add_argument('--topics', nargs='+', metavar='NAME', help='what to write instead')
    parser.add_argument('--storage', choices=('mcap', 'sqlite3'), help='if not that of IN')
    parser.add_argument('--jobs', type=_count, default=1, metavar='N', help='processes')
    parser.add_argument(
        *('--max-bag-size', '-b'),
        type=_count,
        default=256 * 2**20,
        metavar='BYTES',
        help='begin another file of OUT then; what a kill can cost (default: 256 MiB)',
    )
    parser.add_argument('--force', action='store_true', help='replace OUT')
    parser.add_argument('--device', default='auto', help='auto (default), cpu, cuda or cuda:N')


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'expected a whole number from 1 on, got {text!r}')
    return int(text)


def _add_matcher(parser: argparse.ArgumentParser, z_far: float = 50.0) -> None:
    parser.add_argument(
        *('--backend', '--model-backend'),
        type=_backend,
        default=OPENCV_SGBM,
        metavar='NAME|PATH|URL',
        help='opencv-sgbm (default; no weights needed), an S2M2 checkpoint such as s2m2-L, or an '
        'ONNX file',
    )
    _add_numbers(
        parser,
        (
            '--min-depth-mm',
            'MM',
            'nearest depth; opencv-sgbm: if not given 500, or farther by ndisp of calib.txt',
            None,
        ),
        ('--max-depth-mm', 'MM', 'farthest depth; opencv-sgbm: if not given 50000', None),
        ('--scale', 'SHARE', 'match at this share of the image size', None),
        (
            '--z-far',
            'METRES',
            'where the cloud ends',
            z_far,
        ),
    )


def _backend(name: str) -> str:
    """Take the name that the node has for semi-global matching, too."""
    return OPENCV_SGBM if name == 'sgbm' else name


def _add_mono(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('image', type=Path, metavar='IMAGE|FOLDER')
    parser.add_argument(
        *('--model', '--model-backend'),
        default='depth-anything-v2-base',
        metavar='NAME|PATH|URL',
        help='Depth Anything V2 checkpoint (default: depth-anything-v2-base, a relative one), or '
        'an ONNX file',
    )
    camera = parser.add_argument_group('camera of the cloud', 'if not given, 61 degrees wide')
    _add_numbers(camera, *((f'--{name}', 'PX', '', None) for name in ('fx', 'fy', 'cx', 'cy')))
    _add_numbers(parser, ('--depth-trunc', 'METRES', 'where the cloud ends', 10.0))
    _add_output(parser)


def _add_annotate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('cloud', type=Path, metavar='CLOUD.ply')
    parser.add_argument('image', type=Path, metavar='IMAGE', nargs='?')
    parser.add_argument(
        *('--model', '--model-backend'),
        default='',
        metavar='NAME|PATH|URL',
        help='maskrcnn-resnet50-fpn-v2, another checkpoint of it, or a model of Ultralytics such '
        'as yolo26l-seg.pt (default: of the library that is installed)',
    )
    parser.add_argument(
        '--masks',
        type=Path,
        metavar='PNG',
        help='the objects: 8 or 16 bit grey at the size of the image, 0 = nothing; no model then',
    )
    camera = parser.add_argument_group('camera of the cloud', 'if not given, 61 degrees wide')
    _add_numbers(camera, *((f'--{name}', 'PX', '', None) for name in ('fx', 'fy', 'cx', 'cy')))
    _add_numbers(
        parser,
        ('--conf-threshold', 'SHARE', 'least confidence of an object', 0.25),
        ('--iou-threshold', 'SHARE', 'boxes of one class that overlap more are one', 0.45),
    )
    parser.add_argument(
        '--surface',
        choices=('dominant', 'all'),
        default='dominant',
        help='dominant (default): the object alone; all: every visible point in the mask',
    )
    parser.add_argument(
        '--frame',
        choices=('opengl', 'optical'),
        default='opengl',
        help='axes of the cloud: y up, z backward (default), or y down, z forward',
    )
    _add_output(parser)


def _add_rig(parser: argparse.ArgumentParser) -> None:
    for name, unit, text in (
        ('--baseline-mm', 'MM', 'distance of the cameras'),
        ('--focal-mm', 'MM', 'focal length of the lenses'),
        ('--pixel-um', 'UM', 'size of a pixel of the sensors'),
    ):
        parser.add_argument(name, type=float, metavar=unit, help=text, required=True)
    for name, default in (('--width', 1600), ('--height', 1300)):
        text = f'image size in pixels (default: {default})'
        parser.add_argument(name, type=int, metavar='PX', help=text, default=default)
    _add_numbers(
        parser,
        ('--scale', 'SHARE', 'match at this share of the image size', 1.0),
        ('--disparity-step', 'PX', 'smallest step of a disparity, at the matched size', 1 / 16),
        ('--disparity-error', 'PX', 'error of a disparity, at the matched size', 0.5),
        (
            '--max-disparity',
            'PX',
            'largest one searched; about an eighth of the width if not given',
            None,
        ),
        ('--error-percent', '%', 'largest usable error, of the depth', 5.0),
    )
    parser.add_argument(
        '--depths-mm', type=float, nargs='+', metavar='MM', default=TABLE_DEPTHS_MM, help='rows'
    )
    parser.add_argument('--plot', type=Path, metavar='FILE', help='write a plot (PNG)')


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('model', metavar='NAME|PATH|URL')
    parser.add_argument(
        '--size',
        type=_size,
        metavar='WxH',
        help='of the images in the network; S2M2: multiples of 32 (default: 960x544), Depth '
        'Anything V2: of 14 (default: 924x518)',
    )
    parser.add_argument(
        '--precision',
        choices=('float32', 'float16'),
        default='float32',
        help='(default: float32)',
    )
    parser.add_argument('--out', type=Path, metavar='FILE', required=True, help='ends in .onnx')


def _size(text: str) -> tuple[int, int]:
    """Width and height."""
    width, _, height = text.lower().partition('x')
    if not (width.isdecimal() and height.isdecimal()):
        raise argparse.ArgumentTypeError(f'expected WIDTHxHEIGHT such as 960x544, got {text!r}')
    return int(width), int(height)


def _add_numbers(
    parser: argparse._ActionsContainer, *options: tuple[str, str, str, float | None]
) -> None:
    """Add options with (name, unit, help, default)."""
    for name, unit, text, default in options:
        shown = text if default is None else f'{text} (default: {default:g})'
        parser.add_argument(
            name, type=float, metavar=unit, help=shown.replace('%', '%%'), default=default
        )


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--out', type=Path, metavar='DIR', default=Path('out'), help='(default: out)'
    )
    parser.add_argument('--force', action='store_true', help='make again what is there already')
    parser.add_argument('--device', default='auto', help='auto (default), cpu, cuda or cuda:N')


def _check_calibration(asked: argparse.Namespace) -> None:
    """Refuse half a calibration, two of them, and two images without any."""
    given = [name for name in (*NEEDED, *OPTIONAL) if getattr(asked, name) is not None]
    if given and asked.calib:
        asked.usage_error(f'expected --calib or numbers, got --calib and {_flags(given)}')
    missing = [name for name in NEEDED if name not in given]
    if given and missing:
        asked.usage_error(f'calibration by numbers takes {RIG_FLAGS}, missing: {_flags(missing)}')
    if asked.right and not given and not asked.calib:
        asked.usage_error(
            f'no calibration, so no depth: give --calib FILE (calib.txt) or {RIG_FLAGS}'
        )


def _flags(names: list[str]) -> str:
    return ', '.join(f'--{name.replace("_", "-")}' for name in names)
