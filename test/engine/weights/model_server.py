# SPDX-License-Identifier: Apache-2.0
"""A real HTTP server on this machine that can be as bad as the real world's."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DEADLINE_S = 20.0
ELSEWHERE = '/elsewhere'  # never redirects


@dataclass
class ModelServer:
    """Serves one content; each answer takes the first entry of the lists that is left."""

    content: bytes
    etag: str = '"one"'
    ranges: bool = True
    believes_if_range: bool = True
    range_shift: int = 0  # bytes by which an answered range is off
    tells_size: bool = True
    cuts: list[int] = field(default_factory=list)  # bytes of the body, then the line is cut
    statuses: list[int] = field(default_factory=list)  # instead of an answer
    redirects: list[str] = field(default_factory=list)
    stall_at: int = -1  # body bytes after which one answer waits for `gate`
    gate: threading.Event = field(default_factory=threading.Event)
    stalled: threading.Event = field(default_factory=threading.Event)
    asked: list[dict[str, str]] = field(default_factory=list)  # the headers of every request
    port: int = 0

    def url(self, name: str = 'model.pth') -> str:
        return f'http://127.0.0.1:{self.port}/{name}'


class _Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        scene = self.server.scene
        scene.asked.append({**self.headers, 'path': self.path})
        self.close_connection = True
        if scene.statuses:
            self._answer(scene.statuses.pop(0), {}, b'<html>no</html>')
        elif scene.redirects and self.path != ELSEWHERE:
            self._answer(302, {'Location': scene.redirects.pop(0)}, b'')
        else:
            self._content(scene)

    def _content(self, scene):
        start = self._start(scene)
        size = len(scene.content)
        headers = {'ETag': scene.etag} if scene.etag else {}
        if start and start >= size:
            return self._answer(416, {'Content-Range': f'bytes */{size}'}, b'')
        if start:
            start += scene.range_shift
            headers['Content-Range'] = f'bytes {start}-{size - 1}/{size}'
        return self._answer(206 if start else 200, headers, scene.content[start:])

    def _start(self, scene):
        if not scene.ranges:
            return 0
        if scene.believes_if_range and self.headers.get('If-Range') != scene.etag:
            return 0
        found = re.fullmatch(r'bytes=(\d+)-', self.headers.get('Range', ''))
        return int(found[1]) if found else 0

    def _answer(self, status, headers, body):
        scene = self.server.scene
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if scene.tells_size:
            self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if status < 300:
            self._body(scene, body)

    def _body(self, scene, body):
        if scene.cuts:
            body = body[: scene.cuts.pop(0)]
        if 0 <= scene.stall_at < len(body):
            self.wfile.write(body[: scene.stall_at])
            self.wfile.flush()
            body, scene.stall_at = body[scene.stall_at :], -1
            scene.stalled.set()
            scene.gate.wait(DEADLINE_S)
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that was killed is part of the tests


def serve(scene: ModelServer) -> _Server:
    """Start serving scene on a free port; the caller shuts the server down."""
    server = _Server(('127.0.0.1', 0), _Handler)
    server.scene = scene
    scene.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server
