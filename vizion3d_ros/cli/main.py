# SPDX-License-Identifier: Apache-2.0
"""
Depth from files, and what a stereo rig can do, on the command line.

    vizion3d_depth stereo left.png right.png --calib calib.txt      one rectified pair
    vizion3d_depth stereo folder                                    all pairs of a folder
    vizion3d_depth mono image.png                                   one camera
    vizion3d_depth bag recorded depth                               a rosbag2 folder
    vizion3d_depth annotate cloud.ply image.png                     which points are which object
    vizion3d_depth rig --baseline-mm 65 --focal-mm 2.8 --pixel-um 3
    vizion3d_depth export s2m2-L --out s2m2-L.onnx                  for ONNX Runtime

The same as `ros2 run vizion3d_ros depth` and `python -m vizion3d_ros.cli`. Exits with 1 and a
reason per line if anything failed, with 2 if the command line cannot be understood.
"""

from __future__ import annotations

import logging
import os
import sys
from argparse import Namespace
from importlib import import_module

from vizion3d_ros.cli.parser.arguments import PROGRAM, parse

INTERRUPTED = 130  # as shells have it


def main(arguments: list[str] | None = None) -> None:
    """Do what the command line asks for, and exit."""
    asked = parse(arguments)
    logging.basicConfig(level=logging.INFO, format='%(message)s', stream=sys.stderr)
    # Spinning threads make a network ten times slower where a core is taken; read by torch.
    os.environ.setdefault('OMP_WAIT_POLICY', 'passive')
    # An image that is damaged is told in a sentence, and not once more in OpenCV's words.
    os.environ.setdefault('OPENCV_LOG_LEVEL', 'SILENT')
    try:
        code = _run(asked)
        print(end='', flush=True)  # here, where what it cannot take can be told
        sys.exit(code)
    except BrokenPipeError:  # as of `head`, which has read enough
        _give_up_output()
        sys.exit(1)
    except OSError as error:
        _give_up_output()
        place = error.filename or 'standard output'
        sys.exit(f'{PROGRAM} {asked.command}: {place}: {error.strerror}; name another place')
    except ModuleNotFoundError as error:
        sys.exit(f'{PROGRAM}: {error}; python3 -m pip install torch "pydantic>=2" tqdm')
    except KeyboardInterrupt:
        print('stopped; the next call skips what is done', file=sys.stderr)
        sys.exit(INTERRUPTED)


def _run(asked: Namespace) -> int:
    from pydantic import ValidationError

    from vizion3d_ros.contracts.errors import DepthError, explain
    from vizion3d_ros.files.current_folder import check_current_folder

    try:
        check_current_folder()
        return int(import_module(f'vizion3d_ros.cli.{asked.command}').run(asked))
    except (DepthError, ValidationError) as error:
        print(f'{PROGRAM} {asked.command}: {explain(error)}', file=sys.stderr)
        return 1


def _give_up_output() -> None:
    """Let what is left of it go nowhere, or Python complains of it when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == '__main__':
    main()
