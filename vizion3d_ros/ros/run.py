# SPDX-License-Identifier: Apache-2.0
"""How every node of this package starts, spins and stops."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import rclpy
from pydantic import ValidationError
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node

from vizion3d_ros.contracts.errors import DepthError, InputError, explain
from vizion3d_ros.ros.arguments import check_arguments, check_domain, explain_init
from vizion3d_ros.ros.given import explain_sections, explain_unknown

LEAVE_SECONDS = 5


def run_node(
    make_node: Callable[[], Node], about: str | None, args: list[str] | None = None
) -> int:
    """
    Spin one node until told to stop and give the exit code: 1, with one line, if it failed.

    about: what the node is, for --help. args: the command line, None = that of the process.
    SystemExit instead where that asks for help, or for what there is not.
    """
    given = sys.argv[1:] if args is None else args
    check_arguments(about, given)
    keep_large_blocks()
    have_a_home()
    exit_code = _spin(make_node, given)
    rclpy.try_shutdown()
    signal.alarm(0)
    return exit_code


def _spin(make_node: Callable[[], Node], args: list[str]) -> int:
    node = None
    try:
        _init(args)
        node = _made(make_node)
        tell_what_is_ignored(node, args)
        rclpy.spin(node)
    except (DepthError, ParameterException, ValidationError) as error:
        rclpy.logging.get_logger('vizion3d_ros').fatal(explain(error))
        return 1
    except (KeyboardInterrupt, ExternalShutdownException):
        sys.unraisablehook = lambda _: None  # of what rclpy had half made when the signal came
        return 0
    except Exception:
        if rclpy.ok():  # else a signal came between two waits, which makes the next one fail
            traceback.print_exc()
            return 1
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is ending: once is enough
        _leave_or_end()
        if node is not None:
            node.destroy_node()
    return 0


def tell_what_is_ignored(node: Node, args: list[str]) -> None:
    """Warn of what was given and reaches nothing, while all that the node declares is known."""
    files = [file for option, file in pairwise(args) if option == '--params-file']
    for text in (explain_unknown(node), explain_sections(files, node)):
        if text:
            node.get_logger().warning(text)


def _init(args: list[str]) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # from here on it is ended well
    check_domain(os.environ.get('ROS_DOMAIN_ID', ''))
    try:
        rclpy.init(args=args)
    except RuntimeError as error:  # what rcl cannot read, in its own words
        raise InputError(explain_init(error)) from error


def _made(make_node: Callable[[], Node]) -> Node:
    try:
        return make_node()
    except RuntimeError as error:  # RCLError, which has no public name
        if not str(error).startswith('error creating node') or not rclpy.ok():
            raise  # not ok: a signal came meanwhile, and that is no fault
        raise InputError(explain_init(error)) from error


def _leave_or_end() -> None:
    """
    End the process if it cannot leave the graph within LEAVE_SECONDS.

    A peer that was killed while it wrote leaves a lock in the shared memory of Fast DDS, for which
    destroy_node and shutdown wait for ever; in native code, out of reach of Python.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(LEAVE_SECONDS)


def keep_large_blocks() -> None:
    """
    Let glibc reuse the memory of the last frame instead of returning it to the system.

    Every image and cloud is a block of megabytes; mapping them anew for each frame costs more
    in page faults than the arithmetic on them. Other C libraries are left as they are.
    """
    trim_threshold, mmap_threshold, arena_max = -1, -3, -8  # from malloc.h
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        return
    mallopt(mmap_threshold, 32 << 20)  # the most that glibc takes
    mallopt(trim_threshold, 512 << 20)
    mallopt(arena_max, 1)


def have_a_home() -> None:
    """
    Give ROS a place for its log where HOME is missing or cannot be written to.

    Units of systemd and containers with another user have none, and then rcl does not start.
    """
    if {'ROS_LOG_DIR', 'ROS_HOME'} & os.environ.keys():
        return
    if not os.environ.get('HOME'):
        os.environ.pop('HOME', None)
    home = Path(os.path.expanduser('~'))  # of the user, where HOME is not set
    if home.is_dir() and os.access(home, os.W_OK):
        os.environ['HOME'] = str(home)
    else:
        os.environ.setdefault('HOME', tempfile.gettempdir())
        os.environ['ROS_LOG_DIR'] = str(Path(tempfile.gettempdir(), 'ros_log'))
