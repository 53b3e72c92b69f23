# SPDX-License-Identifier: Apache-2.0
"""What every server does between its command line and its exit."""

from __future__ import annotations

import logging
import os
import signal
import sys
from argparse import Namespace
from typing import TYPE_CHECKING, NoReturn

from vizion3d_ros.doors.arguments import FEATURES, Program
from vizion3d_ros.doors.words import as_flags

if TYPE_CHECKING:
    from vizion3d_ros.contracts.settings.service_settings import ServiceSettings
    from vizion3d_ros.doors.depth_worker import DepthWorker

CLOSE_S = 5.0
SIGNALS = signal.SIGTERM, signal.SIGINT


def start(program: Program, asked: Namespace) -> NoReturn:
    """Make the worker, open the door until told to stop, and exit: with 1 and one line if not."""
    logging.basicConfig(level=logging.ERROR, format='%(message)s', stream=sys.stderr)
    logging.getLogger('vizion3d_ros').setLevel(logging.INFO)
    for number in SIGNALS:
        signal.signal(number, _stop)
    # Spinning threads make a network ten times slower where a core is taken; read by torch.
    os.environ.setdefault('OMP_WAIT_POLICY', 'passive')
    # An image that is damaged is told in a sentence, and not once more in OpenCV's words.
    os.environ.setdefault('OPENCV_LOG_LEVEL', 'SILENT')
    try:
        sys.exit(_run(program, asked))
    except ModuleNotFoundError as error:
        sys.exit(f'{program.name}: {program.lacks(error)}')


def _run(program: Program, asked: Namespace) -> int:
    from pydantic import ValidationError

    from vizion3d_ros.contracts.errors import DepthError, explain
    from vizion3d_ros.files.current_folder import check_current_folder

    try:
        check_current_folder()
        settings = settings_of(asked)
        from vizion3d_ros.doors.depth_worker import DepthWorker  # seconds, as torch is

        worker = DepthWorker(lambda: settings, as_flags)
        try:
            _serve(program, worker, asked)
        finally:
            _leave(worker)
    except (DepthError, ValidationError) as error:
        print(f'{program.name}: {as_flags(explain(error))}', file=sys.stderr)
        return 1
    return 0


def _serve(program: Program, worker: DepthWorker, asked: Namespace) -> None:
    """Serve until a signal; what was accepted is answered first."""
    from vizion3d_ros.doors.door import open_door

    features = [name for name in FEATURES if getattr(asked, name)]
    door = open_door(program, worker, features, asked.host, asked.port)
    worker.preload()  # behind the address, which may be taken
    for number in SIGNALS:
        signal.signal(number, lambda *_: door.stop())
    door.serve()
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # it is ending: once is enough


def settings_of(asked: Namespace) -> ServiceSettings:
    """What the command line says, in the words of the node that answers requests."""
    from vizion3d_ros.contracts.mono_request import DEFAULT_MONO_BACKEND
    from vizion3d_ros.contracts.settings.onnx_settings import is_onnx
    from vizion3d_ros.contracts.settings.service_settings import ServiceSettings
    from vizion3d_ros.contracts.stereo_request import DEFAULT_STEREO_BACKEND, OPENCV_SGBM

    preload = {(True, True): 'both', (True, False): 'stereo', (False, True): 'mono'}
    stereo, mono = asked.stereo_model or DEFAULT_STEREO_BACKEND, asked.depth_model
    network = 'onnx' if is_onnx(stereo) else 's2m2'
    return ServiceSettings.model_validate(
        {
            'device': asked.device,
            'preload': preload.get((bool(asked.stereo_model), bool(asked.depth_model)), 'nothing'),
            'backend': 'sgbm' if stereo == OPENCV_SGBM else network,
            's2m2': {'model_backend': '' if stereo == OPENCV_SGBM or is_onnx(stereo) else stereo},
            'onnx': {'model': stereo if is_onnx(stereo) else ''},
            'mono_backend': 'onnx' if is_onnx(mono) else 'depth_anything_v2',
            'depth_anything_v2': {
                'model_backend': DEFAULT_MONO_BACKEND if is_onnx(mono) or not mono else mono
            },
            'mono_onnx': {'model': mono if is_onnx(mono) else ''},
            'annotation': {'model_backend': asked.annotation_model},
            'requests': {
                name: getattr(asked, name)
                for name in ('max_pixels', 'max_bytes', 'allowed_models')
            },
            'web': {'places': asked.places, 'deadline': asked.deadline},
        }
    )


def _leave(worker: DepthWorker) -> None:
    """End the process although a matcher is still at work; C++ would wait for it at exit."""
    if not worker.close(CLOSE_S):
        sys.stderr.flush()
        os._exit(0)


def _stop(*_: object) -> NoReturn:
    sys.exit(0)
