# SPDX-License-Identifier: Apache-2.0
"""What doors say alike, and what an operator calls the settings that a sentence names."""

from __future__ import annotations

import re

from vizion3d_ros.contracts.errors import LateError

OF_FLAGS = re.compile(r'\b(requests|web)\.')  # groups of parameters
FAILED = 'failed, and the log of the server says why'


def too_late(deadline_s: float) -> LateError:
    """Make the error of a request that has waited so long."""
    return LateError(
        f'no answer within {deadline_s:g} s: ask again later, send a smaller image, or let the '
        'operator raise web.deadline'
    )


def as_flags(text: str) -> str:
    """Put the flags of the command line for the parameters of a node that they stand for."""
    return OF_FLAGS.sub('--', text)
