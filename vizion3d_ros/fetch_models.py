# SPDX-License-Identifier: Apache-2.0
"""
Fetch models ahead of time, and list what is there.

    ros2 run vizion3d_ros fetch_models                 what is cached, and the names there are
    ros2 run vizion3d_ros fetch_models s2m2-L          by name, or by https address

A file that was set aside as bad is fetched anew. Exits with 1 and the reasons if a model could
not be had.
"""

from __future__ import annotations

import argparse
import logging
import sys

from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.engine.weights import KNOWN, cache_dir
from vizion3d_ros.engine.weights.inventory import inventory
from vizion3d_ros.engine.weights.progress import in_words
from vizion3d_ros.engine.weights.resolve import allow_download, resolve


def main(arguments: list[str] | None = None) -> None:
    """Fetch what the command line names, then list the cache."""
    parser = argparse.ArgumentParser(
        prog='fetch_models', description='Fetch models ahead of time, and list what is cached.'
    )
    parser.add_argument('model', nargs='*', help='a name of the list, or an https address')
    models = parser.parse_args(arguments).model
    logging.basicConfig(level=logging.INFO, format='%(message)s', stream=sys.stderr)
    try:
        failures = [reason for model in models if (reason := _fetch(model))]
    except KeyboardInterrupt:
        sys.exit('stopped; the next call goes on where it ended')
    print(_listing())
    if failures:
        sys.exit('\n'.join(failures))


def _fetch(model: str) -> str:
    """Have the model in the cache, whole; answer why not, '' if it is there."""
    try:
        allow_download(model)
        resolve(model).check()
    except BackendError as error:
        return f'{model}: {error}'
    return ''


def _listing() -> str:
    entries = inventory()
    cached = [
        f'  {entry.name}  {in_words(entry.size)}  {entry.content}  {entry.licence}'.rstrip()
        for entry in entries
    ]
    names = [
        f'  {known.name}  {known.family.name} {known.variant}  {known.licence}  '
        f'{known.url or f"put {known.file_name} into the folder above by hand"}'
        for known in KNOWN
    ]
    return '\n'.join([f'Cached in {cache_dir()}:', *(cached or ['  nothing']), 'Names:', *names])


if __name__ == '__main__':
    main()
