# SPDX-License-Identifier: Apache-2.0
"""
What an answer by REST and by gRPC costs besides matching, for a 1280x720 pair.

    python benchmarks/doors.py [--calls 5] [--json FILE]

The matcher is replaced by a stored answer in which every pixel is valid. Client and servers are
processes of this machine, on loopback; a call sends two PNG files and reads all bytes of the
answer without parsing any.

REST and gRPC: vizion3d-serve-rest and -grpc. plain idiom: a FastAPI route that calls the Python
API and returns a dict with `tolist()` of both maps, which FastAPI writes by the standard JSON
encoder.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import grpc
from machine import print_table
from plain_rest import ROUTE
from python_api import BASELINE_MM, FOCAL_PX, inputs

from vizion3d_ros.proto import lifting_pb2

WARM_UP = 1
BOUNDARY = 'between'
REST, GRPC, PLAIN = 'REST', 'gRPC', 'plain idiom'
MAPS = {}
ALL = {'return_depth_image': True, 'return_point_cloud': True}
ASKED = {'two maps': MAPS, 'two maps, picture and cloud': ALL}
NUMBERS = {'focal_length': FOCAL_PX, 'baseline': BASELINE_MM}
BACKEND = {'model_backend': 'opencv-sgbm'}
METHOD = '/vizion3d.lifting.LiftingService/RunStereoDepth'
PORT = re.compile(r'(?:listening|running) on \S*127.0.0.1:(\d+)')


def form(fields: dict[str, bool]) -> bytes:
    """The body of a request for the pair of benchmarks/python_api.py."""
    texts = {**NUMBERS, **BACKEND, **fields}
    parts = [(f'name="{name}"', str(value).encode()) for name, value in texts.items()]
    for name, data in zip(('left_image', 'right_image'), inputs()['PNG bytes, ms']):
        parts.append((f'name="{name}"; filename="{name}.png"', data))
    body = b''.join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n'.encode() + data + b'\r\n'
        for head, data in parts
    )
    return body + f'--{BOUNDARY}--\r\n'.encode()


def message(fields: dict[str, bool]) -> bytes:
    """The same request for gRPC."""
    left, right = inputs()['PNG bytes, ms']
    config = lifting_pb2.StereoDepthAdvancedConfig(**NUMBERS)
    return lifting_pb2.StereoDepthRequest(
        left_image_bytes=left, right_image_bytes=right, advanced_config=config, **BACKEND, **fields
    ).SerializeToString()


def post(port: int, body: bytes, query: str = '', **headers: str) -> int:
    """Bytes of an answer by HTTP."""
    connection = http.client.HTTPConnection('127.0.0.1', port)
    kind = {'Content-Type': f'multipart/form-data; boundary={BOUNDARY}'}
    connection.request('POST', ROUTE + query, body, kind | headers)
    answer = connection.getresponse()
    size = len(answer.read())
    connection.close()
    assert answer.status == 200
    return size


def call(port: int, request: bytes) -> int:
    """Bytes of an answer by gRPC."""
    options = [('grpc.max_receive_message_length', -1)]
    with grpc.insecure_channel(f'127.0.0.1:{port}', options) as channel:
        return len(channel.unary_unary(METHOD)(request))


@contextmanager
def server(role: str) -> Iterator[int]:
    """One of the three, started and stopped; gives its port."""
    here = Path(__file__).resolve()
    path = os.pathsep.join([str(here.parents[1]), str(here.parent), *sys.path])
    process = subprocess.Popen(
        [sys.executable, __file__, '--role', role],
        env={**os.environ, 'PYTHONPATH': path},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield next(int(found[1]) for line in process.stderr if (found := PORT.search(line)))
    finally:
        process.terminate()
        process.communicate(timeout=60)


def ways(ports: dict[str, int], fields: dict[str, bool]) -> dict[str, Callable[[], int]]:
    """What is compared, by name."""
    rest = partial(post, ports[REST], form(fields))
    return {
        'REST': rest,
        'REST, gzip': partial(rest, **{'Accept-Encoding': 'gzip'}),
        'REST, maps=npy': partial(rest, '?maps=npy'),
        'gRPC': partial(call, ports[GRPC], message(fields)),
        PLAIN: partial(post, ports[PLAIN], form(fields)),
    }


def measure(calls: int) -> list[dict[str, object]]:
    """One row per request and way; ways take turns, so the machine hits them alike."""
    with ExitStack() as servers:
        ports = {role: servers.enter_context(server(role)) for role in (REST, GRPC, PLAIN)}
        return [
            row
            for asked, fields in ASKED.items()
            for row in rows(asked, ways(ports, fields), calls)
        ]


def rows(asked: str, compared: dict[str, Callable[[], int]], calls: int):
    """Median milliseconds and size of each way."""
    samples = {name: [] for name in compared}
    for _ in range(calls + WARM_UP):
        for name, way in compared.items():
            start = time.perf_counter()
            size = way()
            samples[name].append((1e3 * (time.perf_counter() - start), size))
    medians = {n: statistics.median(ms for ms, _ in s[WARM_UP:]) for n, s in samples.items()}
    for name, ms in medians.items():
        yield {
            'asked for': asked,
            'by': name,
            'ms': f'{ms:.0f}',
            'of the plain idiom': f'{ms / medians[PLAIN]:.2f}',
            'MB on the wire': f'{samples[name][-1][1] / 1e6:.1f}',
        }


def serve(role: str) -> None:
    """One of the servers, its matcher replaced."""
    import uvicorn

    from vizion3d_ros.doors.grpc import serve as by_grpc
    from vizion3d_ros.doors.rest import serve as by_rest
    from vizion3d_ros.engine import registry

    registry.STEREO_BACKENDS['sgbm'] = 'python_api:StoredMatch'
    if role == PLAIN:
        uvicorn.run('plain_rest:app', port=0, access_log=False)
    else:
        ours = by_rest if role == REST else by_grpc
        ours.main(['--port', '0', '--device', 'cpu', '--stereo_depth'])


def main() -> None:
    """Print the table, or play one of the two servers."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('--calls', type=int, default=5)
    parser.add_argument('--json', type=Path)
    parser.add_argument('--role', help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role:
        serve(options.role)
        return
    title = 'REST and gRPC without the matcher, 1280x720 pair as PNG, medians'
    print_table(title, measure(options.calls), options.json)


if __name__ == '__main__':
    main()
