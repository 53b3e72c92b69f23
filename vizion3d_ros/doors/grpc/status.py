# SPDX-License-Identifier: Apache-2.0
"""Which code of gRPC an error gets, and its sentence."""

from __future__ import annotations

import logging
from collections.abc import Callable

from grpc import StatusCode
from pydantic import ValidationError

from vizion3d_ros.contracts.errors import (
    BackendError,
    BusyError,
    InputError,
    LateError,
    NotAllowedError,
    explain,
)
from vizion3d_ros.doors.words import FAILED

CODES: dict[type[BaseException], StatusCode] = {
    NotAllowedError: StatusCode.PERMISSION_DENIED,
    ValidationError: StatusCode.INVALID_ARGUMENT,
    InputError: StatusCode.INVALID_ARGUMENT,
    BusyError: StatusCode.RESOURCE_EXHAUSTED,
    BackendError: StatusCode.UNAVAILABLE,
    MemoryError: StatusCode.UNAVAILABLE,
    LateError: StatusCode.DEADLINE_EXCEEDED,
}

logger = logging.getLogger(__name__)


def status_of(error: Exception, sentence: Callable[[Exception], str]) -> tuple[StatusCode, str]:
    """Give the code, and what sentence(error) says; what nobody expected is logged."""
    found = (code for kind, code in CODES.items() if isinstance(error, kind))
    code = next(found, StatusCode.INTERNAL)
    if code is StatusCode.INTERNAL:
        logger.error('failed: %s', explain(error), exc_info=error)
        return code, FAILED
    return code, sentence(error)
