# SPDX-License-Identifier: Apache-2.0
"""The line that moves: what pip, apt and CMake print becomes a few words."""

import io

import pytest


@pytest.fixture
def progress(script):
    return script('progress')


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_sees_one_line_that_changes(progress):
    out = Terminal()
    line = progress.Line('[1/2] packages', out)
    line.show('3 of 9')
    line.done()
    assert out.getvalue().count('\n') == 1
    shown = out.getvalue().split('\r')[1:]
    assert [text.split('\x1b')[0] for text in shown] == [
        '[1/2] packages ...',
        '[1/2] packages ... 0 s 3 of 9',
        '[1/2] packages ... 0 s',
    ]


def test_a_log_gets_a_line_now_and_then(progress, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, 'monotonic', lambda: now[0])
    out = io.StringIO()
    line = progress.Line('packages', out)
    for now[0] in (1.0, 9.9, 10.1, 12.0, 20.2):
        line.show('moving')
    line.done()
    assert out.getvalue().splitlines() == [
        'packages ... 10 s moving',
        'packages ... 20 s moving',
        'packages ... 20 s',
    ]


def test_pip_tells_what_it_found_and_downloaded(progress, tmp_path):
    stage = progress.pip_stage(tmp_path)
    output = 'Collecting numpy\nProgress 5000000 of 9000000\nProgress 9000000 of 9000000\n'
    assert stage(output) == '1 packages found, 9 MB downloaded'
    output += 'Collecting torch\nProgress 0 of 200000000\nProgress 31000000 of 200000000\n'
    assert stage(output) == '2 packages found, 40 MB downloaded'


def test_pip_tells_which_package_it_installs(progress, tmp_path):
    (tmp_path / 'pip-26.dist-info').mkdir()
    stage = progress.pip_stage(tmp_path)
    output = 'Collecting a\nInstalling collected packages: a, b, c\n'
    assert stage(output) == 'installing package 1 of 3'
    (tmp_path / 'a-1.dist-info').mkdir()
    assert stage(output) == 'installing package 2 of 3'
    for name in 'bcd':
        (tmp_path / f'{name}-1.dist-info').mkdir()
    assert stage(output) == 'installing package 3 of 3'


def test_apt_and_cmake_tell_how_far_they_are(progress):
    output = 'Get:1 http://deb.example lists\n'
    assert progress.apt_stage(output) == 'reading the lists of packages'
    output += '0 upgraded, 9 newly installed, 0 to remove.\nGet:1 http://x\nGet:2 http://x\n'
    assert progress.apt_stage(output) == '2 of 9 packages'
    assert progress.cmake_stage('[  3%] Building C\n[ 41%] Building CXX\n') == '41 %'
    assert progress.cmake_stage('') == ''
