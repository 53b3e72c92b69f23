# SPDX-License-Identifier: Apache-2.0
"""A request waits for its answer: until it is there, too late, or nobody wants it any more."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Any, TypeVar

from fastapi import HTTPException, Request

from vizion3d_ros.doors.words import too_late

Answer = TypeVar('Answer')
CLIENT_GONE = 499  # as nginx has it; nobody is there to read it


async def answer_of(job: Future[Answer], request: Request, deadline_s: float) -> Answer:
    """
    Give the result of a job of the worker; the body of its request has been read.

    A job that is given up leaves the queue. Raises what the job raises, LateError past the
    deadline, and HTTPException if the client hangs up.
    """
    waiting = asyncio.wrap_future(job)
    gone = asyncio.ensure_future(request.receive())
    first: set[asyncio.Future[Any]] = {waiting, gone}
    try:
        await asyncio.wait(first, timeout=deadline_s, return_when='FIRST_COMPLETED')
        if waiting.done():
            return waiting.result()
    finally:
        job.cancel()  # at once, and not with the next turn of the loop
        waiting.cancel()
        gone.cancel()
    if gone.done():
        raise HTTPException(CLIENT_GONE, 'the client hung up')
    raise too_late(deadline_s)
