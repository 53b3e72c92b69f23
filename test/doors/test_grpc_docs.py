# SPDX-License-Identifier: Apache-2.0
"""The client of docs/grpc.md, run."""

import subprocess
import sys

from pages import ROOT, code_blocks
from served import PATIENCE_S

from vizion3d_ros.doors.arguments import GRPC, parse

PAGE = ROOT / 'docs' / 'grpc.md'


def test_the_client_is_answered(spoken, tmp_path, pair, scene, checkpoint):
    for name, data in {'left': 'left_image', 'right': 'right_image', 'scene': 'image'}.items():
        (tmp_path / f'{name}.png').write_bytes((pair | scene)[data])
    (code,) = code_blocks(PAGE, 'python')
    done = subprocess.run(
        [sys.executable, '-c', code.replace('localhost:50051', f'127.0.0.1:{spoken.port}')],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.stdout.splitlines() == ['Backend: opencv-sgbm', f'Backend: {checkpoint}'], (
        done.stderr
    )


def test_the_command_line_and_the_port_are_those_of_the_server():
    (line,) = [
        line
        for block in code_blocks(PAGE, 'bash')
        for line in block.splitlines()
        if line.startswith(GRPC.name)
    ]
    asked = parse(GRPC, line.partition('#')[0].split()[1:])
    assert f'{asked.host}:{asked.port}' in line
