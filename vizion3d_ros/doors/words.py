# SPDX-License-Identifier: Apache-2.0
"""What a client is told of an error."""

from __future__ import annotations

from vizion3d_ros.contracts.errors import explain, sendable

OF_PARAMETERS = 'requests.'  # what a flag of the command line is called as a parameter of a node


def sentence(error: Exception) -> str:
    """Say what went wrong in the words of the command line."""
    return sendable(explain(error).replace(OF_PARAMETERS, '--'))
