# SPDX-License-Identifier: Apache-2.0
"""Opens rerun, which shows what `view` subscribes to: a window, a page for browsers, or a file."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from typing import Any
from urllib.parse import quote

from vizion3d_ros.contracts.errors import InputError

GRPC_PORT, WEB_PORT = 9876, 9090
MEMORY = '512MB'  # of what was shown; older frames are forgotten
BEHIND_M, ABOVE_M, AHEAD_M = 1.5, 0.7, 2.0


def opened(options: argparse.Namespace) -> tuple[Any, str]:
    """
    Give rerun, with the layout of the views in it, and what is to be said of where it shows.

    InputError without rerun, and where it cannot open what was asked for.
    """
    if not (options.web or options.save or has_display()):
        raise InputError(
            'view opens a window, and there is no display: give --web to see it in a browser, '
            'or --save FILE'
        )
    try:
        import rerun
    except ImportError as error:
        raise InputError(
            f'view shows things by rerun, which is not here ({error}): '
            'python3 -m pip install rerun-sdk'
        ) from error
    rerun.init('vizion3d_ros')
    try:
        where = _open(rerun, options)
    except RuntimeError as error:  # whatever fails inside rerun
        raise InputError(f'view cannot open what was asked for: {error}') from error
    rerun.log('/', rerun.ViewCoordinates.RDF, static=True)
    rerun.send_blueprint(_layout())
    return rerun, where


def _open(rerun: Any, options: argparse.Namespace) -> str:
    if options.save:
        rerun.save(options.save)
        return f'recording into {options.save}: Ctrl-C ends it, `rerun {options.save}` shows it'
    if not options.web:
        # Where pip put it, which is on the PATH only of an environment that is activated.
        os.environ['PATH'] += os.pathsep + os.path.dirname(sys.executable)
        rerun.spawn(memory_limit=MEMORY)
        return 'showing in a window of rerun'
    web, grpc = options.web_port, options.grpc_port
    for name, port in (('web', web), ('grpc', grpc)):
        _check_free(name, port)
    source = rerun.serve_grpc(grpc_port=grpc, server_memory_limit=MEMORY)
    rerun.serve_web_viewer(web_port=web, open_browser=False, connect_to=source)
    tunnel = f'ssh -L {web}:localhost:{web} -L {grpc}:localhost:{grpc}'
    return (
        f'open {page_at(web, grpc)} in a browser; one on another machine needs `{tunnel}` to this '
        'one first'
    )


def page_at(web_port: int = WEB_PORT, grpc_port: int = GRPC_PORT) -> str:
    """Give the address for a browser; without its last part rerun shows its own start page."""
    source = f'rerun+http://127.0.0.1:{grpc_port}/proxy'
    return f'http://127.0.0.1:{web_port}/?url={quote(source, safe="")}'


def _check_free(name: str, port: int) -> None:
    """Rerun only logs that it cannot listen, and shows what another one serves there."""
    try:
        with socket.create_server(('', port)):
            pass
    except (OSError, OverflowError) as error:
        raise InputError(
            f'view cannot serve at port {port} ({error}): give another one from 1 to 65535 by '
            f'--{name}-port'
        ) from error


def has_display() -> bool:
    """Whether a window can be opened, as far as the environment tells."""
    names = 'DISPLAY', 'WAYLAND_DISPLAY', 'WAYLAND_SOCKET'
    return not sys.platform.startswith('linux') or any(map(os.environ.get, names))


def _layout() -> Any:
    """Points and state side by side with the three images."""
    from rerun import blueprint

    flat = {
        'camera/image': 'image',
        'camera/depth': 'depth (blue is near)',
        'confidence': 'confidence (white is sure)',
    }
    images = [blueprint.Spatial2DView(origin=path, name=name) for path, name in flat.items()]
    contents = ['camera', 'camera/image', 'cloud']  # not the depth, which is the cloud once more
    eye: dict[str, Any] = {}
    if hasattr(blueprint, 'EyeControls3D'):  # of later versions: else it looks from somewhere
        eye['eye_controls'] = blueprint.EyeControls3D(
            position=(0, -ABOVE_M, -BEHIND_M), look_target=(0, 0, AHEAD_M), eye_up=(0, -1, 0)
        )
    deep = blueprint.Spatial3DView(contents=contents, name='points', **eye)
    state = blueprint.TextDocumentView(origin='diagnostics', name='diagnostics')
    left = blueprint.Vertical(deep, state, row_shares=[3, 2])
    sides = blueprint.Horizontal(left, blueprint.Vertical(*images), column_shares=[3, 2])
    return blueprint.Blueprint(sides, collapse_panels=True)
