# SPDX-License-Identifier: Apache-2.0
"""Compiler and headers: installed where we may, unpacked where not, named where neither helps."""

import pytest


@pytest.fixture
def toolchain(script, monkeypatch):
    module = script('toolchain')
    monkeypatch.setattr(module.preflight, 'missing_tools', lambda unpacked: dict(LACKING))
    return module


LACKING = {'g++': 'builds the interfaces'}


def record(monkeypatch, toolchain, name, *, cures):
    calls = []

    def called(packages, *rest):
        calls.append(sorted(packages))
        if cures:
            monkeypatch.setattr(toolchain.preflight, 'missing_tools', lambda unpacked: {})

    monkeypatch.setattr(toolchain.distribution, name, called)
    return calls


def test_who_may_installs_after_saying_what_and_why(toolchain, job, monkeypatch, capsys):
    monkeypatch.setattr(toolchain.distribution, 'rights', list)
    calls = record(monkeypatch, toolchain, 'install', cures=True)
    toolchain.bring(job)
    assert calls == [['g++']]
    said = 'apt-get install g++ (builds the interfaces); VIZION3D_APT=never forbids it.'
    assert capsys.readouterr().out.split('\n') == ['', said, '']


def test_an_apt_that_fails_is_no_obstacle(toolchain, job, monkeypatch, capsys):
    def install(*_):
        raise toolchain.StepError('Could not get lock /var/lib/dpkg/lock.')

    monkeypatch.setattr(toolchain.distribution, 'rights', list)
    monkeypatch.setattr(toolchain.distribution, 'install', install)
    calls = record(monkeypatch, toolchain, 'unpack', cures=True)
    toolchain.bring(job)
    assert calls == [['g++']]
    assert 'Could not get lock' in capsys.readouterr().out


def test_who_may_not_unpacks(toolchain, job, monkeypatch):
    monkeypatch.setattr(toolchain.distribution, 'rights', lambda: None)
    calls = record(monkeypatch, toolchain, 'unpack', cures=True)
    toolchain.bring(job)
    assert calls == [['g++']]
    assert (toolchain.SYSTEM / 'lib64' / 'ld-linux-x86-64.so.2').exists()
    assert (toolchain.SYSTEM / toolchain.LIBRARIES / 'libc.so.6').exists()


def test_what_did_not_help_ends_with_the_apt_line(toolchain, job, monkeypatch):
    monkeypatch.setattr(toolchain.distribution, 'rights', lambda: None)
    record(monkeypatch, toolchain, 'unpack', cures=False)
    with pytest.raises(toolchain.StepError, match='sudo apt-get install -y g\\+\\+'):
        toolchain.bring(job)


def test_a_failed_download_names_cause_and_apt_line(toolchain, job, monkeypatch):
    def unpack(*_):
        raise toolchain.StepError('The disk is full.')

    monkeypatch.setattr(toolchain.distribution, 'rights', lambda: None)
    monkeypatch.setattr(toolchain.distribution, 'unpack', unpack)
    with pytest.raises(toolchain.StepError) as caught:
        toolchain.bring(job)
    assert str(caught.value).splitlines()[0] == 'The disk is full.'
    assert str(caught.value).splitlines()[-1] == 'sudo apt-get install -y g++'


def test_an_unpacked_compiler_is_used_only_without_one_of_the_machine(toolchain, monkeypatch):
    assert toolchain.variables() == {}
    (toolchain.SYSTEM / 'usr').mkdir(parents=True)
    monkeypatch.setattr(toolchain.shutil, 'which', lambda tool: None)
    unpacked = toolchain.variables()
    assert unpacked['CXX'] == f'{toolchain.SYSTEM}/usr/bin/g++ --sysroot={toolchain.SYSTEM}'
    assert unpacked['PATH'].endswith(f':{toolchain.SYSTEM}/usr/bin')
    monkeypatch.setattr(toolchain.shutil, 'which', lambda tool: f'/usr/bin/{tool}')
    assert 'CXX' not in toolchain.variables()


def test_unpacked_headers_are_used_only_without_those_of_the_machine(toolchain, monkeypatch):
    headers = toolchain.SYSTEM / 'usr' / 'include' / toolchain.PYTHON_NAME
    headers.mkdir(parents=True)
    (headers / 'Python.h').touch()
    own = toolchain.sysconfig.get_paths()['include']
    monkeypatch.setattr(toolchain.preflight, 'has_headers', lambda include: True)
    assert toolchain.python_include() == own
    monkeypatch.setattr(toolchain.preflight, 'has_headers', lambda include: include != own)
    assert toolchain.python_include() == str(headers)
    assert f'-DPython3_INCLUDE_DIR={headers}' in toolchain.cmake_options()
