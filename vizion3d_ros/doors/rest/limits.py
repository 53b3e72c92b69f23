# SPDX-License-Identifier: Apache-2.0
"""
What a client may take: bytes of a body, and time.

uvicorn waits for ever for a request that does not begin, a body that does not go on and an
answer that nobody reads. Here each of them ends.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, suppress

from fastapi import HTTPException, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_BYTES = 500 * 2**20
TOO_LARGE = 'Request body exceeds the 500 MB limit.'  # word for word what vizion3d says
SILENCE_S = 20.0  # without a head, more of a body, or room for more of an answer
CHUNK = 256 * 2**10
LINGER_S = 2.0


class BodyLimits:
    """Ends a request whose body is too large, compressed or stalled, whatever its head says."""

    def __init__(self, app: ASGIApp) -> None:
        """app: what the requests go to."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; its body is refused while it is read."""
        if scope['type'] != 'http':
            await self._app(scope, receive, send)
            return
        body = _Body(scope, receive)

        async def send_and_linger(message: Message) -> None:
            if body.refused and message['type'] == 'http.response.body':
                await send({**message, 'more_body': True})
                await body.discard()
                message = {'type': 'http.response.body'}
            await send(message)

        await self._app(scope, body, send_and_linger)


class _Body:
    """Receives a body up to the limit; whoever reads on gets an HTTPException."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._headers = dict(scope['headers'])
        self._receive = receive
        self._read = 0
        self._more = True
        self.refused = False

    async def __call__(self) -> Message:
        if not self._more:
            return await self._receive()  # until the client is gone
        if not self._read:
            self._check_head()
        message = await self._next()
        self._read += len(message.get('body', b''))
        self._more = message.get('more_body', False)
        if self._read > MOST_BYTES:
            raise self._refusal(413, TOO_LARGE)
        return message

    async def discard(self) -> None:
        """Read on for a moment: a client that is cut off while it sends never sees its answer."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._discard(), LINGER_S)

    async def _discard(self) -> None:
        while (await self._receive()).get('more_body'):
            pass

    def _refusal(self, status: int, text: str) -> HTTPException:
        self.refused = True
        return HTTPException(status, text, {'Connection': 'close'})

    def _check_head(self) -> None:
        length, coding = (
            self._headers.get(name, b'').decode('latin-1')
            for name in (b'content-length', b'content-encoding')
        )
        if length.isdecimal() and int(length) > MOST_BYTES:
            raise self._refusal(413, TOO_LARGE)
        if coding not in ('', 'identity'):
            text = f'Content-Encoding {coding!r}: expected an uncompressed body, send it as it is'
            raise self._refusal(415, text)

    async def _next(self) -> Message:
        try:
            return await asyncio.wait_for(self._receive(), SILENCE_S)
        except asyncio.TimeoutError as error:
            text = f'nothing more of the body came in {SILENCE_S:g} s: send it again'
            raise self._refusal(408, text) from error


class Delivery(Response):
    """An answer that is sent bit by bit, so that one that nobody reads does not stay in memory."""

    def __init__(self, body: bytes, headers: dict[str, str], place: ExitStack) -> None:
        """place: left when the answer is sent, or the client is gone."""
        super().__init__(body, headers=headers)
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, as fast as the client takes it."""
        start = {'status': self.status_code, 'headers': self.raw_headers}
        with self._place:
            await send({'type': 'http.response.start', **start})
            for begin in range(0, len(self.body), CHUNK):
                part = bytes(self.body[begin : begin + CHUNK])
                await send({'type': 'http.response.body', 'body': part, 'more_body': True})
            await send({'type': 'http.response.body'})


class PatientProtocol(H11Protocol):
    """Closes a connection on which no request begins, or whose answer is not taken."""

    _full: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first head."""
        super().connection_made(transport)
        self._await_head(None)

    def on_response_complete(self) -> None:
        """Wait for the next one."""
        done = self.cycle
        super().on_response_complete()
        self._await_head(done)

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self._full = self.loop.call_later(SILENCE_S, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on."""
        super().resume_writing()
        if self._full:
            self._full.cancel()

    def _await_head(self, before: object) -> None:
        self.loop.call_later(SILENCE_S, self._close_if_idle, before)

    def _close_if_idle(self, before: object) -> None:
        if self.cycle is before:
            self.timeout_keep_alive_handler()
