# SPDX-License-Identifier: Apache-2.0
"""Commands of the set-up: their output is kept, their failures become a sentence."""

import os
import signal
import subprocess
import sys

import pytest


@pytest.fixture
def process(script):
    return script('process')


def test_output_is_kept_and_read_while_the_command_runs(process, job):
    seen = []
    code = 'import time; print("one", flush=True); time.sleep(1); print("two")'
    process.run([sys.executable, '-c', code], 'x.log', job, lambda text: seen.append(text) or '')
    assert 'one\n' in seen
    assert (process.LOGS / 'x.log').read_text() == 'one\ntwo\n'


@pytest.mark.parametrize(
    ('printed', 'said'),
    [
        ("WARNING: Retrying after NewConnectionError('<...>')", 'no network'),
        ('E: Failed to fetch http://deb.example/x  Temporary failure resolving', 'no network'),
        ("ProxyError('Cannot connect to proxy.', OSError('Tunnel failed: 407'))", 'http_proxy'),
        ('SSLError(SSLCertVerificationError(1, CERTIFICATE_VERIFY_FAILED))', 'PIP_CERT'),
        ('OSError: [Errno 28] No space left on device', 'disk is full'),
        ("PermissionError: [Errno 13] Permission denied: '/x'", 'must be yours'),
    ],
)
def test_failures_become_a_sentence_with_the_log_and_its_last_lines(process, job, printed, said):
    with pytest.raises(process.StepError) as caught:
        process.run(['sh', '-c', f'cat <<"E"\n{printed}\nE\nexit 1'], 'bad.log', job)
    first, *lines = str(caught.value).splitlines()
    assert said in first
    assert printed in lines
    assert lines[-1] == f'The full output is in {process.LOGS / "bad.log"}.'


def test_a_failure_without_a_known_cause_shows_its_errors(process):
    output = 'a\nx.cpp:3: error: no\n' + '\n'.join('bcdefghij')
    assert process.explain(output).splitlines() == ['x.cpp:3: error: no', *'cdefghij']
    assert process.explain('\n'.join('abcdefghij')).splitlines() == list('cdefghij')


def test_a_command_that_was_stopped_says_so(process, job):
    with pytest.raises(process.StepError, match='Stopped by signal 9; the next call goes on'):
        process.run(['sh', '-c', 'kill -9 $$'], 'x.log', job)


def test_an_interrupt_leaves_no_command_behind(process, job):
    def interrupted(text):
        raise KeyboardInterrupt

    code = 'import os, time; print(os.getpid(), flush=True); time.sleep(60)'
    with pytest.raises(KeyboardInterrupt):
        process.run([sys.executable, '-c', code], 'x.log', job, interrupted)
    pid = (process.LOGS / 'x.log').read_text().strip()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid or 2**30), signal.SIGTERM)


def test_two_calls_wait_for_each_other(process, tmp_path):
    with process.locked():
        code = 'import process\nwith process.locked(): print("mine")'
        own = {**os.environ, 'PYTHONPATH': str(process.ROOT / 'standalone')}
        other = subprocess.Popen([sys.executable, '-c', code], env=own, stdout=-1, text=True)
        assert other.stdout.readline() == 'Waiting for another call that builds .venv ...\n'
    assert other.communicate(timeout=20)[0] == 'mine\n'
