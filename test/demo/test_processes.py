# SPDX-License-Identifier: Apache-2.0
import os
import sys
import time

import pytest
from processes import Children

STUBBORN = """
import os, signal, subprocess, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])
print('{"pid": %d}' % child.pid, flush=True)
child.wait()
"""


@pytest.fixture
def start(tmp_path):
    with Children(dict(os.environ), tmp_path, tmp_path) as children:

        def start_python(code):
            return children, children.start('probe', [sys.executable, '-c', code])

        yield start_python


def test_an_end_brings_exit_code_result_and_last_lines(start, tmp_path):
    children, child = start("print('hello'); print('{\"n\": 1}'); raise SystemExit(3)")
    assert children.next_end(20.0) is child
    assert (child.exit_code, child.result, list(child.lines)) == (
        3,
        '{"n": 1}',
        ['hello', '{"n": 1}'],
    )
    assert (tmp_path / 'probe.log').read_text() == 'hello\n{"n": 1}\n'


def test_warnings_are_shown_and_the_rest_is_not(start, capsys):
    children, _ = start("print('[INFO] quiet'); print('[WARN] [n]: loud')")
    children.next_end(20.0)
    assert capsys.readouterr().out == '  probe: [WARN] [n]: loud\n'


def test_waiting_has_an_end(start):
    children, _ = start('import time; time.sleep(60)')
    assert children.next_end(0.2) is None


def test_nobody_survives_even_who_ignores_the_interrupt(tmp_path):
    with Children(dict(os.environ), tmp_path, tmp_path) as children:
        child = children.start('probe', [sys.executable, '-c', STUBBORN])
        deadline = time.monotonic() + 20.0
        while not child.result:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        started = time.monotonic()
    assert time.monotonic() - started < 3.0
    grandchild = int(child.result.split(':')[1].strip(' }'))
    deadline = time.monotonic() + 5.0
    while is_running(grandchild):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_running(pid):
    try:
        with open(f'/proc/{pid}/stat') as stat:
            return stat.read().split()[2] != 'Z'  # a dead orphan may wait for init to collect it
    except FileNotFoundError:
        return False
