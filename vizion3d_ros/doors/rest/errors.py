# SPDX-License-Identifier: Apache-2.0
"""
Which status an error gets, and its sentence as {"detail": ...}.

A form that does not fit gets FastAPI's list of what is wrong instead, which clients parse.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from vizion3d_ros.contracts.errors import (
    BackendError,
    BusyError,
    DepthError,
    InputError,
    LateError,
    NotAllowedError,
    sendable,
)
from vizion3d_ros.doors.words import FAILED

STATUS: dict[type[Exception], int] = {
    NotAllowedError: 403,
    ValidationError: 422,
    InputError: 400,
    BackendError: 503,
    MemoryError: 503,
    LateError: 504,
}
COME_AGAIN = {'Retry-After': '1'}

logger = logging.getLogger(__name__)


def tell_errors(app: FastAPI, sentence: Callable[[Exception], str]) -> None:
    """Let the app answer with one sentence, whatever goes wrong; sentence(error) is told."""
    tell = partial(_tell, sentence)
    for kind in (DepthError, ValidationError, MemoryError, Exception):
        app.add_exception_handler(kind, tell)
    app.add_exception_handler(HTTPException, partial(_tell_http, sentence))
    app.add_exception_handler(RequestValidationError, _tell_fields)


async def _tell(
    sentence: Callable[[Exception], str], _: Request, error: Exception
) -> JSONResponse:
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500)
    text = FAILED if status == 500 else sentence(error)
    headers = COME_AGAIN if isinstance(error, BusyError) else None
    return JSONResponse({'detail': text}, status, headers)


async def _tell_http(
    sentence: Callable[[Exception], str], request: Request, error: Exception
) -> Response:
    """Tell that a body could not be kept, which FastAPI takes for one that it cannot read."""
    cause = error.__cause__
    if isinstance(cause, MemoryError):
        return await _tell(sentence, request, cause)
    if isinstance(cause, OSError) and cause.errno:  # a timeout has none
        text = (
            f'the request cannot be kept in {tempfile.gettempdir()}: {cause.strerror}; send it '
            'again later, or let the operator make room there or set TMPDIR to another folder'
        )
        logger.error('%s', text)
        return JSONResponse({'detail': text}, 503, COME_AGAIN)
    return await http_exception_handler(request, cast('HTTPException', error))


async def _tell_fields(_: Request, error: Exception) -> JSONResponse:
    fields = cast('RequestValidationError', error).errors()
    return JSONResponse({'detail': [_field(dict(field)) for field in fields]}, 422)


def _field(field: dict[str, Any]) -> dict[str, Any]:
    """FastAPI's words, but what came only if it is a text: it tells files piece by piece."""
    came = field['input']
    shown = sendable(came) if isinstance(came, str) else None
    told = {**{name: field[name] for name in ('type', 'loc', 'msg')}, 'input': shown}
    if 'Expected UploadFile' in told['msg']:
        name = field['loc'][-1]
        told['msg'] = f'expected a file, got a text: send the file itself, curl -F {name}=@{shown}'
    return told
