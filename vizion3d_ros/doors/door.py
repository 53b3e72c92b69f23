# SPDX-License-Identifier: Apache-2.0
"""What every door can, and how one is opened."""

from __future__ import annotations

import resource
import socket
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol

from vizion3d_ros.contracts.errors import DepthError
from vizion3d_ros.doors.arguments import Program
from vizion3d_ros.doors.depth_worker import DepthWorker

MOST_FILES = 1 << 16  # open at once; each connection is one


class Door(Protocol):
    """A server that has taken its address, at which nobody can connect before it serves."""

    address: str

    def serve(self) -> None:
        """Answer until told to stop, and what was accepted until then; in any thread."""
        ...

    def stop(self) -> None:
        """Have serve() end; from any thread, or a signal."""
        ...


def open_door(
    program: Program, worker: DepthWorker, features: Sequence[str], host: str, port: int
) -> Door:
    """
    Take an address for a door.

    features: what is served, of arguments.FEATURES; port 0: any that is free. Raises DepthError if
    the address cannot be had, ModuleNotFoundError where what the door needs is not installed.
    """
    module, _, kind = program.door.partition(':')
    door: Door = getattr(import_module(module), kind)(worker, features, host, port)
    return door


def bound(host: str, port: int) -> socket.socket:
    """Take an address, at which nobody can connect yet; DepthError if it cannot be had."""
    listener = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise cannot_listen(shown(host, port), error) from error
    return listener


def cannot_listen(address: str, error: Exception) -> DepthError:
    """Make the error of an address that cannot be had."""
    return DepthError(f'cannot listen on {address}: {error}; choose another host or port')


def allow_many_files() -> None:
    """Let the process have as many connections as it may."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = MOST_FILES if most == resource.RLIM_INFINITY else min(MOST_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (enough, most))


def shown(host: str, port: int) -> str:
    """An address as people write it."""
    return f'[{host}]:{port}' if ':' in host else f'{host}:{port}'
