# SPDX-License-Identifier: Apache-2.0
"""The command line of the servers. Loads nothing else, so that --help answers at once."""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from typing import NoReturn


@dataclass(frozen=True)
class Program:
    """A server: its command, what pip calls what it needs, its door, its port, what it is for."""

    name: str
    extra: str
    door: str
    port: int
    about: str

    def lacks(self, error: ModuleNotFoundError) -> str:
        """Say how to get a module that is not there."""
        return f'{error}; python3 -m pip install "vizion3d_ros[{self.extra}]"'


REST = Program(
    'vizion3d-serve-rest',
    'rest',
    'vizion3d_ros.doors.rest.door:RestDoor',
    8000,
    'Depth over HTTP, with the routes and fields of vizion3d: POST /lifting/stereo-depth,\n'
    '/lifting/depth-estimation and /annotation/object-mask-annotation-3d.',
)
GRPC = Program(
    'vizion3d-serve-grpc',
    'grpc',
    'vizion3d_ros.doors.grpc.door:GrpcDoor',
    50051,
    'Depth by gRPC, with the messages of vizion3d: RunStereoDepth, RunDepthEstimation and\n'
    'RunObjectMaskAnnotation3D of vizion3d.lifting.LiftingService.',
)
FLAGS = """
Without a flag of a feature or a model every feature is on; with any of them only what is
named. A model of a flag is loaded before the first request and answers those that name none."""
FEATURES = ('depth_estimation', 'stereo_depth', 'object_mask_annotation_3d')
MODELS = dict(zip(FEATURES, ('depth_model', 'stereo_model', 'annotation_model')))
NOT_OFFERED = (
    *('scene_mask_annotation_3d', 'scale_observation', 'reconstruction', 'scene_model'),
)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Exit with 2."""
        print(f'{self.prog}: {message}; see {self.prog} --help', file=sys.stderr)
        sys.exit(2)


def parse(program: Program, arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line of a server; exits with 2 if it cannot be understood."""
    parser = _Parser(
        prog=program.name,
        description=program.about + FLAGS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_features(parser)
    _add_address(parser, program.port)
    _add_limits(parser)
    given = sys.argv[1:] if arguments is None else arguments
    asked = parser.parse_args([_with_underscores(word) for word in given])
    for name in NOT_OFFERED:
        if getattr(asked, name) is not None:
            parser.error(
                f'--{name}: not offered here, only depth estimation, stereo depth and object mask '
                'annotation are: leave it out'
            )
    return _with_features(asked)


def _add_features(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--depth_estimation', action='store_true', help='depth of one image')
    parser.add_argument('--stereo_depth', action='store_true', help='depth of rectified pairs')
    parser.add_argument(
        '--object_mask_annotation_3d', action='store_true', help='objects in clouds'
    )
    parser.add_argument(
        '--depth_model',
        default='',
        metavar='NAME|PATH|URL',
        help='Depth Anything V2 checkpoint, or an ONNX file',
    )
    parser.add_argument(
        '--stereo_model',
        default='',
        metavar='NAME|PATH|URL',
        help='S2M2 checkpoint, an ONNX file, or opencv-sgbm, which needs no weights',
    )
    parser.add_argument(
        '--annotation_model',
        default='',
        metavar='NAME|PATH|URL',
        help='segmenter: Mask R-CNN of torchvision, or a *-seg.pt of Ultralytics',
    )
    for name in NOT_OFFERED:
        parser.add_argument(f'--{name}', nargs='?', const='', help=argparse.SUPPRESS)


def _add_address(parser: argparse.ArgumentParser, port: int) -> None:
    parser.add_argument(
        '--host',
        default='127.0.0.1',
        help='where to listen (default: 127.0.0.1, this machine alone; 0.0.0.0: any)',
    )
    parser.add_argument(
        '--port', type=int, default=port, help=f'0: any that is free (default: {port})'
    )


def _add_limits(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--device', default='auto', help='auto (default), cpu, cuda or cuda:N')
    parser.add_argument(
        '--allowed_models',
        nargs='+',
        default=[],
        metavar='NAME|PATH|URL',
        help='checkpoints that requests may name; a folder stands for its files (default: none)',
    )
    for name, default, text in (
        ('max_pixels', 16_000_000, 'largest image of a request'),
        ('max_bytes', 64 * 2**20, 'largest encoded image of a request'),
        ('places', 32, 'requests on their way at once; more are told to come later'),
    ):
        parser.add_argument(
            f'--{name}', type=int, default=default, help=f'{text} (default: {default})'
        )
    parser.add_argument(
        '--deadline',
        type=float,
        default=300.0,
        metavar='SECONDS',
        help='how long a request may wait for its answer (default: 300)',
    )


def _with_underscores(word: str) -> str:
    """A flag in the spelling that it has here: --stereo-model counts as --stereo_model."""
    flag = re.match(r'--[a-z0-9-]+', word)
    return word if flag is None else f'--{flag[0][2:].replace("-", "_")}{word[flag.end() :]}'


def _with_features(asked: argparse.Namespace) -> argparse.Namespace:
    """Switch on what a model belongs to, and everything if nothing is named."""
    named = {f for f in FEATURES if getattr(asked, f) or getattr(asked, MODELS[f])}
    for feature in FEATURES:
        setattr(asked, feature, not named or feature in named)
    return asked
