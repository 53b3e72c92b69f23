# SPDX-License-Identifier: Apache-2.0
"""A REST server in a process of its own, and what a client sends to it."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULE = ['-m', 'vizion3d_ros.doors.rest.serve']
STEREO, MONO = '/lifting/stereo-depth', '/lifting/depth-estimation'
BOUNDARY = 'zwischen'
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Answer:
    """What came back; headers by lower-case name."""

    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


def multipart(fields=None, files=None):
    """The body of a form: texts by name, and bytes by name."""
    parts = [(f'name="{name}"', str(value).encode()) for name, value in (fields or {}).items()]
    parts += [(f'name="{name}"; filename="{name}.png"', data) for name, data in files.items()]
    body = b''.join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n'.encode() + data + b'\r\n'
        for head, data in parts
    )
    return body + f'--{BOUNDARY}--\r\n'.encode()


OF_FORM = {'Content-Type': f'multipart/form-data; boundary={BOUNDARY}'}


class RestServer:
    """Started at once; its log is read until it listens, and kept."""

    def __init__(self, flags, script=MODULE, **pipes):
        command = [sys.executable, *script, '--port', '0', '--device', 'cpu', *flags]
        environment = {**os.environ, 'PYTHONPATH': os.pathsep.join([str(ROOT), *sys.path])}
        self.process = subprocess.Popen(
            command, env=environment, stderr=subprocess.PIPE, text=True, bufsize=1, **pipes
        )
        self.lines = []
        self._listens = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._listens.wait(PATIENCE_S), self.lines
        said = next(line for line in self.lines if line.startswith('listening on '))
        self.port = int(said.split(',')[0].rpartition(':')[2])

    def connect(self):
        """A connection for http.client."""
        return http.client.HTTPConnection('127.0.0.1', self.port, timeout=PATIENCE_S)

    def plug(self):
        """A bare connection."""
        return socket.create_connection(('127.0.0.1', self.port), PATIENCE_S)

    def ask(self, method, path, body=None, headers=None, **options):
        """One request on a connection of its own."""
        connection = self.connect()
        try:
            connection.request(method, path, body, headers or {}, **options)
            answer = connection.getresponse()
            return Answer(answer.status, lower(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def post(self, path, files, fields=None, **headers):
        """Send a form."""
        named = {name.replace('_', '-'): value for name, value in headers.items()}
        return self.ask('POST', path, multipart(fields, files), OF_FORM | named)

    def on_their_way(self):
        """How many requests have a place."""
        return self.ask('GET', '/health').json['requests_on_their_way']

    def resident_mb(self):
        """Memory of the process."""
        pages = Path(f'/proc/{self.process.pid}/statm').read_text().split()[1]
        return int(pages) * os.sysconf('SC_PAGE_SIZE') / 2**20

    def terminate(self):
        """Ask it to end."""
        self.process.send_signal(signal.SIGTERM)

    def close(self):
        """End it, and give the exit code."""
        if self.process.poll() is None:
            self.terminate()
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return code

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip())
            if line.startswith('listening on '):
                self._listens.set()
        self._listens.set()


def lower(headers):
    return {name.lower(): value for name, value in headers}
