# SPDX-License-Identifier: Apache-2.0
"""The curl lines of docs/rest.md, run."""

import json
import shutil
import subprocess

import pytest
from pages import ROOT, code_blocks, prose
from served import PATIENCE_S

from vizion3d_ros.doors.arguments import REST, parse

PAGE = ROOT / 'docs' / 'rest.md'
CALLS = [block for block in code_blocks(PAGE, 'bash') if block.startswith('curl')]


@pytest.fixture
def folder(tmp_path, pair, scene):
    for name, data in (pair | scene).items():
        file = {'image': 'scene'}.get(name, name.removesuffix('_image'))
        (tmp_path / f'{file}.png').write_bytes(data)
    return tmp_path


@pytest.mark.skipif(not shutil.which('curl'), reason='needs curl')
@pytest.mark.parametrize('call', CALLS)
def test_every_call_is_answered(both, folder, call):
    ours = call.replace('localhost:8000', f'127.0.0.1:{both.port}')
    strict = ours.replace('curl ', 'curl -sS --fail-with-body ')
    done = subprocess.run(
        ['bash', '-ec', strict], cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert (done.returncode, done.stderr) == (0, '')
    if '-X POST' in call:
        written = folder / 'answer.json'
        answer = json.loads(written.read_text() if '-o' in call else done.stdout)
        assert answer['depth_map'] and answer['backend_used']


def test_flags_are_those_of_the_server():
    told = PAGE.read_text()
    known = {f'--{name}' for name, value in vars(parse(REST, [])).items() if value is not None}
    assert [flag for flag in known if f'`{flag}`' not in told] == []
    lines = [line for block in code_blocks(PAGE, 'bash') for line in block.splitlines()]
    for line in lines:
        if line.startswith('vizion3d-serve-rest'):
            parse(REST, line.partition('#')[0].split()[1:])


def test_defaults_are_those_of_the_server():
    said = prose(PAGE)
    asked = parse(REST, [])
    for value in (asked.host, asked.port, asked.max_pixels, asked.max_bytes, asked.places):
        assert f'{value}' in said
