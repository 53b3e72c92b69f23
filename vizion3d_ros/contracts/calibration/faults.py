# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with a calibration, and what it costs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum


class Severity(IntEnum):
    """What a fault costs."""

    DOUBT = 0
    NO_DEPTH = 1
    NO_OUTPUT = 2


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a calibration: what it costs, what came, what to do."""

    severity: Severity
    text: str


def named(subject: str, faults: Iterable[Fault]) -> list[Fault]:
    """Put in front of each text whose it is."""
    return [replace(fault, text=f'{subject} {fault.text}') for fault in faults]


def of_both(left: list[Fault], right: list[Fault]) -> list[Fault]:
    """Say whose camera_info each fault is of; what both have is said once."""
    if left == right:
        return named('camera_info of both cameras', left)
    return [*named('left camera_info', left), *named('right camera_info', right)]


def worst(faults: Iterable[Fault]) -> Severity:
    """Tell what all of them together cost."""
    return max((fault.severity for fault in faults), default=Severity.DOUBT)


def joined(faults: Iterable[Fault]) -> str:
    """All texts as one; empty without faults."""
    return '; '.join(fault.text for fault in faults)
