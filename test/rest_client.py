# SPDX-License-Identifier: Apache-2.0
"""What a client sends to a REST server, and what comes back."""

import http.client
import json
import socket
from dataclasses import dataclass

STEREO, MONO = '/lifting/stereo-depth', '/lifting/depth-estimation'
BOUNDARY = 'zwischen'
OF_FORM = {'Content-Type': f'multipart/form-data; boundary={BOUNDARY}'}
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


class RestClient:
    """Asks the server on a port of this machine."""

    def __init__(self, port):
        self.port = port

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


def multipart(fields=None, files=None):
    """The body of a form: texts by name, and bytes by name."""
    parts = [(f'name="{name}"', str(value).encode()) for name, value in (fields or {}).items()]
    parts += [(f'name="{name}"; filename="{name}.png"', data) for name, data in files.items()]
    body = b''.join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n'.encode() + data + b'\r\n'
        for head, data in parts
    )
    return body + f'--{BOUNDARY}--\r\n'.encode()


def lower(headers):
    return {name.lower(): value for name, value in headers}
