# SPDX-License-Identifier: Apache-2.0
"""
Many inputs, one after another: what is done is skipped, what fails is named at the end.

A line per input on standard output, a bar on a terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from vizion3d_ros.cli.parser.arguments import PROGRAM
from vizion3d_ros.contracts.errors import CheckpointError, DepthError, DownloadError, explain
from vizion3d_ros.files.result_folder import ResultFiles, is_done, write_result

BAR = '{n_fmt} of {total_fmt} |{bar}| {elapsed}, {remaining} to go'


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One input: its name, the files it is read from, where the answer goes and how it is made."""

    name: str
    inputs: Sequence[Path]
    folder: Path
    make: Callable[[], ResultFiles]


def run_batch(items: Sequence[BatchItem], asked: Mapping[str, Any], redo: bool) -> int:
    """
    Work through the items and give the exit code: 1 if any failed.

    asked: what all of them are made with, plain JSON values; an answer made with anything else is
    made again. redo: make all of them again. Raises CheckpointError or DownloadError, which every
    further item would meet.
    """
    results: list[ResultFiles | None] = []
    failures: list[str] = []
    with logging_redirect_tqdm(), _bar(items) as bar:
        for item in bar:
            try:
                results.append(_do(item, asked, redo))
            except (CheckpointError, DownloadError):
                raise
            except (DepthError, ValidationError) as error:
                failures.append(f'{item.name}: {explain(error)}')
    _tell_files(results)
    if len(items) > 1:
        there = results.count(None)
        print(f'{len(results) - there} done, {there} already there, {len(failures)} failed')
    for failure in failures:
        print(f'{PROGRAM}: {failure}', file=sys.stderr)
    return 1 if failures else 0


def _bar(items: Sequence[BatchItem]) -> Any:
    hidden = len(items) == 1 or not sys.stderr.isatty()
    return tqdm(items, bar_format=BAR, disable=hidden, leave=False)


def _do(item: BatchItem, asked: Mapping[str, Any], redo: bool) -> ResultFiles | None:
    """Make and write one answer; None if it is there already."""
    if not redo and is_done(item.folder, item.inputs, asked):
        tqdm.write(f'{item.name}: already in {item.folder}')
        return None
    result = item.make()
    write_result(item.folder, result, asked)
    tqdm.write(f'{item.name}: {result.summary} -> {item.folder}')
    if message := result.facts.get('message'):
        tqdm.write(f'{item.name}: {message}')
    return result


def _tell_files(results: Sequence[ResultFiles | None]) -> None:
    """Say once what the files mean; answers of one call have the same files, or nearly."""
    meanings: dict[str, str] = {}
    for result in filter(None, results):
        meanings |= {name: file.meaning for name, file in result.files.items()}
    for name, meaning in meanings.items():
        print(f'  {name:<14} {meaning}')
