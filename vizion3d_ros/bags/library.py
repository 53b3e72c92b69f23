# SPDX-License-Identifier: Apache-2.0
"""The library that knows types and files of bags, loaded on first need."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from vizion3d_ros.contracts.errors import InputError


def typestore() -> Any:
    """Types of ROS 2 Jazzy, to be written; InputError if the library is not there."""
    try:
        from rosbags.typesys import Stores, get_typestore
    except ImportError as error:
        raise InputError(
            f'bags are read with the package rosbags, which is not here ({error}): '
            'python3 -m pip install rosbags'
        ) from error
    return get_typestore(Stores.ROS2_JAZZY)


def plain(message: Any) -> Any:
    """Copy a message of the library, whose classes other processes do not have."""
    if not hasattr(message, '__dataclass_fields__'):
        return message
    fields = message.__dataclass_fields__
    return SimpleNamespace(**{name: plain(getattr(message, name)) for name in fields})
