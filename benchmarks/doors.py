# SPDX-License-Identifier: Apache-2.0
"""
What an answer by REST costs besides matching, for a 1280x720 pair.

    python benchmarks/doors.py [--calls 5] [--json FILE]

The matcher is replaced by a stored answer in which every pixel is valid. Client and servers are
processes of this machine, on loopback; a call is one POST of two PNG files, with all bytes of the
answer read and none of it parsed.

ours: vizion3d-serve-rest. plain idiom: a FastAPI route that calls the Python API and returns a
dict with `tolist()` of both maps, which FastAPI writes by the standard JSON encoder.
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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from machine import print_table
from plain_rest import ROUTE
from python_api import BASELINE_MM, FOCAL_PX, inputs

WARM_UP = 1
BOUNDARY = 'between'
ASKED = {'two maps': {}, 'two maps, picture and cloud': {'return_depth_image': 'true'}}
ASKED['two maps, picture and cloud']['return_point_cloud'] = 'true'
OURS, PLAIN = 'ours', 'plain idiom'
WAYS = {
    (OURS, ''): {},
    (OURS, 'gzip'): {'Accept-Encoding': 'gzip'},
    (OURS, '?maps=npy'): {},
    (PLAIN, ''): {},
}


def form(fields: dict[str, str]) -> bytes:
    """The body of a request for the pair of benchmarks/python_api.py."""
    numbers = {'focal_length': FOCAL_PX, 'baseline': BASELINE_MM, 'model_backend': 'opencv-sgbm'}
    parts = [(f'name="{name}"', str(value).encode()) for name, value in (numbers | fields).items()]
    for name, data in zip(('left_image', 'right_image'), inputs()['PNG bytes, ms']):
        parts.append((f'name="{name}"; filename="{name}.png"', data))
    body = b''.join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n'.encode() + data + b'\r\n'
        for head, data in parts
    )
    return body + f'--{BOUNDARY}--\r\n'.encode()


@contextmanager
def server(role: str) -> Iterator[int]:
    """One of the two, started and stopped; gives its port."""
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


PORT = re.compile(r'(?:listening|running) on http://127.0.0.1:(\d+)')


def call(port: int, way: str, body: bytes, headers: dict[str, str]) -> tuple[float, int]:
    """Milliseconds and bytes of one answer."""
    connection = http.client.HTTPConnection('127.0.0.1', port)
    connection.connect()
    start = time.perf_counter()
    kind = {'Content-Type': f'multipart/form-data; boundary={BOUNDARY}'}
    path = ROUTE + (way if way.startswith('?') else '')
    connection.request('POST', path, body, kind | headers)
    answer = connection.getresponse()
    size = len(answer.read())
    ms = 1e3 * (time.perf_counter() - start)
    connection.close()
    assert answer.status == 200
    return ms, size


def measure(calls: int) -> list[dict[str, object]]:
    """One row per way and request; ways take turns, so the machine hits them alike."""
    samples: dict[tuple, list[tuple[float, int]]] = {}
    with server(OURS) as ours, server(PLAIN) as plain:
        for asked, fields in ASKED.items():
            body = form(fields)
            for _ in range(calls + WARM_UP):
                for (who, way), headers in WAYS.items():
                    port = ours if who == OURS else plain
                    taken = samples.setdefault((asked, who, way), [])
                    taken.append(call(port, way, body, headers))
    return [row(key, taken[WARM_UP:], samples) for key, taken in samples.items()]


def row(key: tuple, taken: list, samples: dict) -> dict[str, object]:
    asked, who, way = key
    ms = statistics.median(ms for ms, _ in taken)
    plain = statistics.median(ms for ms, _ in samples[asked, PLAIN, ''][WARM_UP:])
    return {
        'asked for': asked,
        'by': f'{who} {way}'.strip(),
        'ms': f'{ms:.0f}',
        'of the plain idiom': f'{ms / plain:.2f}',
        'MB on the wire': f'{taken[-1][1] / 1e6:.1f}',
    }


def serve(role: str) -> None:
    """One of the two servers, its matcher replaced."""
    import uvicorn

    from vizion3d_ros.doors.rest.serve import main as serve_ours
    from vizion3d_ros.engine import registry

    registry.STEREO_BACKENDS['sgbm'] = 'python_api:StoredMatch'
    if role == OURS:
        serve_ours(['--port', '0', '--device', 'cpu', '--stereo_depth'])
    else:
        uvicorn.run('plain_rest:app', port=0, access_log=False)


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
    title = 'REST without the matcher, 1280x720 pair as PNG, medians'
    print_table(title, measure(options.calls), options.json)


if __name__ == '__main__':
    main()
