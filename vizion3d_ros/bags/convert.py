# SPDX-License-Identifier: Apache-2.0
"""One bag to another one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from vizion3d_ros.bags.chosen_topics import ChosenTopics, choose
from vizion3d_ros.bags.depth import compute
from vizion3d_ros.bags.outgoing import USUAL
from vizion3d_ros.bags.pairs import PairSource
from vizion3d_ros.bags.parts import BagInParts
from vizion3d_ros.bags.recording import Recording
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings

PART_BYTES = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Conversion:
    """
    What is to be done.

    left, right, left_info, right_info: topics; None = by their usual names. topics: outputs of
    the node. storage: mcap or sqlite3, None = as the source's. jobs: processes.
    part_bytes: of a file of the target, about.
    """

    source: Path
    target: Path
    settings: StereoSettings
    left: str | None = None
    right: str | None = None
    left_info: str | None = None
    right_info: str | None = None
    topics: tuple[str, ...] = USUAL
    storage: str | None = None
    jobs: int = 1
    part_bytes: int = PART_BYTES


@dataclass
class Outcome:
    """pairs: of the source, failed: without depth; faults: sentences; already: was there."""

    pairs: int = 0
    failed: int = 0
    faults: list[str] = field(default_factory=list)
    already: bool = False


def convert(
    conversion: Conversion,
    on_pair: Callable[[int | None], None] = lambda total: None,
    on_fault: Callable[[str], None] = lambda fault: None,
) -> Outcome:
    """
    Write the depth of all pairs of a bag, going on where an earlier call was interrupted.

    on_pair(total): after each pair, those done before as well; total: None = unknown.
    Raises InputError for a bag that cannot be used or a target that must not be, CalibrationError
    without a rig, and BackendError if the matcher cannot be had.
    """
    faults: dict[str, None] = {}

    def note(fault: str) -> None:
        if fault not in faults:
            on_fault(fault)
        faults[fault] = None

    recording = Recording(conversion.source, note)
    inputs = conversion.left, conversion.right, conversion.left_info, conversion.right_info
    try:
        chosen = choose(recording.topics, *inputs)
    except InputError as error:  # which what is damaged may explain
        raise InputError('; '.join([str(error), *faults])) from error
    target = BagInParts(
        conversion.target,
        conversion.storage or recording.storage,
        chosen.namespace,
        conversion.part_bytes,
        _asked(conversion, recording, chosen),
    )
    if target.is_finished:
        return Outcome(already=True)
    try:
        _write(
            conversion,
            PairSource(recording, chosen, conversion.settings),
            target,
            on_pair,
            recording.counts.get(chosen.left),
            note,
        )
        target.finish()
    finally:
        target.abandon()
    progress = target.progress
    return Outcome(progress.pairs, len(progress.faults), list(faults))


def _write(
    conversion: Conversion,
    source: PairSource,
    target: BagInParts,
    on_pair: Callable[[int | None], None],
    total: int | None,
    note: Callable[[str], None],
) -> None:
    done = target.progress.pairs
    for fault in target.progress.faults:
        note(fault)
    pairs = source.pairs()
    for _ in islice(pairs, done):
        on_pair(total)
    count = done
    settings, topics = conversion.settings, conversion.topics
    for computed in compute(pairs, settings, topics, conversion.jobs):
        target.add(computed)
        if computed.fault:
            note(computed.fault)
        on_pair(total)
        count += 1
    if not count:
        raise source.explain_none()


def _asked(conversion: Conversion, recording: Recording, chosen: ChosenTopics) -> dict[str, Any]:
    """All that the content depends on, as plain JSON values."""
    return {
        'files': [
            [file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in recording.files
        ],
        'settings': conversion.settings.model_dump(mode='json', exclude={'device'}),
        'from': [chosen.left, chosen.right, chosen.left_info, chosen.right_info],
        'topics': list(conversion.topics),
        'storage': conversion.storage or recording.storage,
    }
