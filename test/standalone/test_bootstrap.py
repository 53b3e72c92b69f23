# SPDX-License-Identifier: Apache-2.0
"""Steps are taken once, again when something about them changed, and never by halves."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bootstrap(script, monkeypatch):
    module = script('bootstrap')
    module.STAMPS.mkdir(parents=True)
    monkeypatch.setattr(module.preflight, 'problems', list)
    return module


def step(bootstrap, taken, name, *, inputs=(), whole=True, error=None):
    def build(job):
        taken.append(name)
        if error:
            raise error

    return bootstrap.Step(name, name, lambda: list(inputs), lambda: whole, build)


def run(bootstrap, monkeypatch, *steps, checks=(), arguments=()):
    monkeypatch.setattr(bootstrap, 'STEPS', steps)
    monkeypatch.setattr(bootstrap, 'CHECKS', checks)
    return bootstrap.main([*arguments, bootstrap.CHOSEN])


def test_a_step_is_taken_once(bootstrap, monkeypatch, capsys):
    taken = []
    steps = [step(bootstrap, taken, name) for name in 'ab']
    assert run(bootstrap, monkeypatch, *steps) == 0
    assert run(bootstrap, monkeypatch, *steps) == 0
    assert taken == ['a', 'b']
    assert capsys.readouterr().out == '[1/2] a ... 0 s\n[2/2] b ... 0 s\n'


def test_what_changed_takes_the_steps_after_it_again(bootstrap, monkeypatch):
    taken = []
    for version in '12':
        steps = [step(bootstrap, taken, 'a'), step(bootstrap, taken, 'b', inputs=[version])]
        run(bootstrap, monkeypatch, *steps, step(bootstrap, taken, 'c'))
    assert taken == list('abcbc')


def test_what_is_damaged_is_repaired_alone(bootstrap, monkeypatch):
    taken = []
    after = step(bootstrap, taken, 'b')
    run(bootstrap, monkeypatch, step(bootstrap, taken, 'a'), after)
    run(bootstrap, monkeypatch, step(bootstrap, taken, 'a', whole=False), after)
    assert taken == list('aba')


def test_a_run_does_not_wait_for_the_tools_of_the_tests(bootstrap, monkeypatch):
    taken = []
    parts = {'checks': (step(bootstrap, taken, 'checks'),)}
    run(bootstrap, monkeypatch, step(bootstrap, taken, 'a'), arguments=['run'], **parts)
    assert taken == ['a']
    run(bootstrap, monkeypatch, step(bootstrap, taken, 'a'), **parts)
    assert taken == ['a', 'checks']


@pytest.mark.parametrize(
    ('error', 'code', 'said'),
    [
        (OSError(errno.ENOSPC, 'No space left on device'), 1, 'disk is full'),
        (PermissionError(errno.EACCES, 'Permission denied', '/x'), 1, 'must be yours'),
        (KeyboardInterrupt(), 130, 'the next call goes on from here'),
    ],
)
def test_a_failed_step_says_why_and_is_taken_again(
    bootstrap, monkeypatch, capsys, error, code, said
):
    taken = []
    assert run(bootstrap, monkeypatch, step(bootstrap, taken, 'a', error=error)) == code
    assert said in capsys.readouterr().err
    assert run(bootstrap, monkeypatch, step(bootstrap, taken, 'a')) == 0
    assert taken == ['a', 'a']


def test_a_folder_that_somebody_else_made_is_left_alone(bootstrap, monkeypatch, capsys):
    bootstrap.STAMPS.rmdir()
    (bootstrap.VENV / 'theirs').touch()
    assert run(bootstrap, monkeypatch, *bootstrap.STEPS[:1]) == 1
    assert 'was not made by this script' in capsys.readouterr().err
    assert (bootstrap.VENV / 'theirs').exists()


def test_an_activated_environment_is_made_anew_by_the_python_behind_it(bootstrap, monkeypatch):
    own = bootstrap.VENV / 'bin' / 'python3'
    own.parent.mkdir(parents=True)
    own.symlink_to(sys.executable)
    monkeypatch.setattr(bootstrap.sys, 'executable', str(own))
    assert run(bootstrap, monkeypatch, *bootstrap.STEPS[:1]) == 0
    assert bootstrap.PYTHON.exists()


def test_the_environment_that_runs_this_needs_nothing():
    """A second call is quiet and quick, also from a process that has our libraries on its path."""
    command = [sys.executable, ROOT / 'standalone' / 'bootstrap.py']
    if not (ROOT / '.venv' / 'stamps' / 'libraries').exists():
        pytest.skip('not an environment that `make` built')
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')
