# SPDX-License-Identifier: Apache-2.0
"""The command line of an executable: help, and what cannot be read, in one sentence."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from vizion3d_ros.contracts.errors import InputError

HELP = {'-h', '--help'}
USAGE = """{about}

usage: {name} [--help] [--ros-args ...]

  --ros-args -p NAME:=VALUE           one parameter, as -p max_depth:=10.0 (docs/parameters.md)
  --ros-args --params-file FILE.yaml  many; config/ of this package has a file for each node
  --ros-args -r FROM:=TO              another name for a topic; -r __ns:=/rig for the namespace
  --ros-args --log-level debug        more of the log

Topics and services: docs/topics.md and docs/services.md."""
EXPECTED = {
    'params file': 'NODE:, below it ros__parameters:, below that NAME: VALUE, each further in by '
    'spaces, and all numbers of a list alike, as [0.0, 1.0]',
    'remap rule': 'FROM:=TO, as -r left/image_rect:=/camera/left/image_rect',
    'log level': 'debug, info, warn, error or fatal',
    'parameter override rule': 'NAME:=VALUE, as -p max_depth:=10.0, all numbers of a list alike',
}
NAMESPACE = '__ns:=/rig, of letters, digits and _, with / before each part and none at the end'
NODE_NAME = '__node:=NAME, of letters, digits and _, not beginning with a digit'
CURES = {
    'log directory': 'set ROS_LOG_DIR to a folder that can be made and written to',
    'Unable to resolve peer': 'correct ROS_STATIC_PEERS',
    'invalid node namespace': f'expected {NAMESPACE}',
}
LAST_DOMAIN = 232  # the ports of later ones are beyond 65535
UNREADABLE = re.compile(
    r"Couldn't parse ([a-z ]+): '(?:-\S+ )?(.*?)'\. Error: (.*?),? at /", re.DOTALL
)
PLACE = re.compile(r',? at /.*', re.DOTALL)  # in the source of rcl


def check_arguments(about: str | None, args: Sequence[str]) -> None:
    """
    End with help where it is asked for, and with exit code 2 at words that mean nothing.

    about: what the executable is. args: the command line without the program.
    """
    name = Path(sys.argv[0]).name
    if not HELP.isdisjoint(args):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head -1` may stop reading
        print(USAGE.format(about=(about or '').strip(), name=name))
        sys.exit(0)
    stray = list(_before_ros_args(args))
    if stray:
        print(
            f'{name}: unexpected {" ".join(stray)}: expected --ros-args and behind it parameters '
            'and remaps, see --help',
            file=sys.stderr,
        )
        sys.exit(2)


def check_domain(given: str) -> None:
    """
    Raise InputError for a ROS_DOMAIN_ID that is none.

    Fast DDS ends the process at those that it has no ports for, and rcl reads 1.5 as 1.
    """
    if given and not (given.isdecimal() and int(given) <= LAST_DOMAIN):
        raise InputError(
            f'ROS_DOMAIN_ID is {given!r}: expected a whole number from 0 to {LAST_DOMAIN}, or none'
        )


def explain_init(error: Exception) -> str:
    """Say why ROS did not start, without the places in its source."""
    text = str(error)
    found = UNREADABLE.search(text)
    if text.startswith('['):  # a list of them is all that rclpy says
        return f'ROS 2 does not know {text.strip("[]")}; see --help'
    if not found:
        cures = [cure for part, cure in CURES.items() if part in text]
        said = ' '.join(PLACE.sub('', text).split())
        return f'ROS 2 cannot start: {said}; {cures[0] if cures else "see --help"}'
    what, given, why = (' '.join(part.split()) for part in found.groups())
    if what == 'params file' and not Path(given).is_file():
        return f'there is no parameter file {given}: give the path of one'
    expected = EXPECTED.get(what, 'another')
    if given.startswith(('__ns:', '__node:')):
        expected = NAMESPACE if given.startswith('__ns') else NODE_NAME
    because = '' if why == 'error not set' else f' ({why})'
    return f'the {what} {given} cannot be read{because}: expected {expected}'


def _before_ros_args(args: Sequence[str]) -> Iterator[str]:
    for_ros = False
    for word in args:
        if word == '--ros-args':
            for_ros = True
        elif word == '--' and for_ros:
            for_ros = False
        elif not for_ros:
            yield word
