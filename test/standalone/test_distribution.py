# SPDX-License-Identifier: Apache-2.0
"""Packages of the distribution, by the real apt and dpkg from a repository made here."""

import hashlib
import shutil
import subprocess

import pytest

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ('apt-get', 'dpkg-deb'))), reason='needs apt and dpkg'
)


@pytest.fixture
def distribution(script, monkeypatch):
    monkeypatch.delenv('VIZION3D_APT', raising=False)
    return script('distribution')


def make_package(folder, name, depends=''):
    """Build a .deb with one file; returns its entry for the list of packages."""
    tree = folder / f'{name}-tree'
    (tree / 'DEBIAN').mkdir(parents=True)
    (tree / 'usr' / 'lib').mkdir(parents=True)
    (tree / 'usr' / 'lib' / f'{name}.so.1').write_text(name)
    control = (
        f'Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: a test <t@example.org>\n'
        f'Depends: {depends}\nDescription: made by a test\n'
    ).replace('Depends: \n', '')
    (tree / 'DEBIAN' / 'control').write_text(control)
    archive = folder / f'{name}_1.0_all.deb'
    subprocess.run(['dpkg-deb', '--build', tree, archive], check=True, capture_output=True)
    data = archive.read_bytes()
    checksum = hashlib.sha256(data).hexdigest()
    return f'{control}Filename: {archive.name}\nSize: {len(data)}\nSHA256: {checksum}\n'


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Two packages, one of which needs the other, in a repository that apt alone is told of."""
    folder = tmp_path / 'repository'
    folder.mkdir()
    entries = [
        make_package(folder, 'vizion3d-outer', depends='vizion3d-inner'),
        make_package(folder, 'vizion3d-inner'),
    ]
    (folder / 'Packages').write_text('\n'.join(entries))
    sources = tmp_path / 'sources.list'
    sources.write_text(f'deb [trusted=yes] copy:{folder} ./\n')
    config = tmp_path / 'apt.conf'
    config.write_text(f'Dir::Etc::sourcelist "{sources}"; Dir::Etc::sourceparts "/dev/null";\n')
    monkeypatch.setenv('APT_CONFIG', str(config))
    return folder


def test_packages_are_unpacked_with_what_they_need(distribution, repository, job, tmp_path):
    place = tmp_path / 'place'
    distribution.unpack(['vizion3d-outer'], place, job)
    libraries = place / 'usr' / 'lib'
    assert {path.name for path in libraries.iterdir()} == {
        'vizion3d-outer.so.1',
        'vizion3d-inner.so.1',
    }
    assert not distribution.APT.exists()


def test_a_damaged_package_is_refused(distribution, repository, job, tmp_path):
    archive = repository / 'vizion3d-inner_1.0_all.deb'
    archive.write_bytes(archive.read_bytes()[:-1] + b'!')
    with pytest.raises(distribution.StepError, match='vizion3d-inner'):
        distribution.unpack(['vizion3d-outer'], tmp_path / 'place', job)
    assert not (tmp_path / 'place').exists()


def test_a_package_that_does_not_exist_is_named(distribution, repository, job, tmp_path):
    with pytest.raises(distribution.StepError, match='Unable to locate package vizion3d-other'):
        distribution.unpack(['vizion3d-other'], tmp_path / 'place', job)


def test_without_apt_there_is_a_sentence(distribution, job, monkeypatch, tmp_path):
    monkeypatch.setattr(distribution.shutil, 'which', lambda name: None)
    with pytest.raises(distribution.StepError, match='no apt-get here'):
        distribution.unpack(['vizion3d-outer'], tmp_path / 'place', job)


# --- who may install -------------------------------------------------------------------------


def with_sudo(folder, monkeypatch, *, answers):
    """Put a sudo on PATH that lets us through, or asks for a password."""
    sudo = folder / 'sudo'
    sudo.write_text(f'#!/bin/sh\nexit {0 if answers else 1}\n')
    sudo.chmod(0o755)
    monkeypatch.setenv('PATH', f'{folder}:/usr/bin:/bin')
    return str(sudo)


def test_root_installs_and_may_forbid_it(distribution, monkeypatch):
    monkeypatch.setattr(distribution.os, 'geteuid', lambda: 0)
    assert distribution.rights() == []
    monkeypatch.setenv('VIZION3D_APT', 'never')
    assert distribution.rights() is None


def test_a_user_installs_only_by_a_sudo_without_a_password(distribution, monkeypatch, tmp_path):
    monkeypatch.setattr(distribution.os, 'geteuid', lambda: 1000)
    monkeypatch.setenv('http_proxy', 'http://proxy.example:3128')
    sudo = with_sudo(tmp_path, monkeypatch, answers=True)
    assert distribution.rights()[:2] == [sudo, '-n']
    assert 'http_proxy=http://proxy.example:3128' in distribution.rights()
    with_sudo(tmp_path, monkeypatch, answers=False)
    assert distribution.rights() is None


def test_an_unknown_wish_is_refused(distribution, monkeypatch):
    monkeypatch.setenv('VIZION3D_APT', 'no')
    with pytest.raises(distribution.StepError, match='\'no\'; "never" forbids'):
        distribution.rights()
