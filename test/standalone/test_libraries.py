# SPDX-License-Identifier: Apache-2.0
"""Libraries that the machine lacks come with what they load, and go when it has its own."""

import shutil
import subprocess

import pytest

pytestmark = pytest.mark.skipif(not shutil.which('gcc'), reason='needs a compiler')

OUTER, INNER = 'libvizion3d_outer.so.1', 'libvizion3d_inner.so.1'


@pytest.fixture
def libraries(script, monkeypatch):
    module = script('libraries')
    monkeypatch.setattr(module.preflight, 'LIBRARIES', {OUTER: 'vizion3d-outer'})
    module.PLACE.mkdir(parents=True)
    return module


@pytest.fixture
def unpacked(libraries, monkeypatch, tmp_path):
    """What the package of the outer library unpacks to; it loads the inner one, none the third."""
    built = tmp_path / 'built'
    built.mkdir()

    def link(name, *needed):
        command = ['gcc', '-shared', f'-Wl,-soname,{name}', '-Wl,--no-as-needed', '-o', name]
        source = ['-x', 'c', '/dev/null', '-x', 'none', *needed]
        subprocess.run([*command, *source], cwd=built, check=True)

    link(INNER)
    link(OUTER, INNER)
    link('libvizion3d_idle.so.1')

    def unpack(packages, folder, job):
        assert packages == {'vizion3d-outer'}
        shutil.copytree(built, folder / 'usr' / 'lib')

    monkeypatch.setattr(libraries.distribution, 'unpack', unpack)


def test_a_missing_library_comes_with_what_it_loads_and_nothing_else(libraries, unpacked, job):
    assert not libraries.are_right()
    libraries.bring(job)
    assert libraries.are_right()
    assert {path.name for path in libraries.PLACE.iterdir()} == {OUTER, INNER}
    assert all(path.resolve().is_file() for path in libraries.PLACE.iterdir())
    assert not (libraries.VENV / 'unpacked').exists()


def test_ours_goes_when_the_machine_has_its_own(libraries, unpacked, job, monkeypatch):
    (libraries.PLACE / 'libof_a_wheel.so').touch()
    libraries.bring(job)
    monkeypatch.setattr(libraries.preflight, 'missing_libraries', dict)
    assert not libraries.are_right()
    libraries.bring(job)
    assert libraries.are_right()
    assert [path.name for path in libraries.PLACE.iterdir()] == ['libof_a_wheel.so']


def test_a_failure_ends_with_the_line_that_a_person_types(libraries, job, monkeypatch):
    def unpack(packages, folder, job):
        raise libraries.StepError('The package server cannot be reached.')

    monkeypatch.setattr(libraries.distribution, 'unpack', unpack)
    with pytest.raises(libraries.StepError) as caught:
        libraries.bring(job)
    assert str(caught.value).splitlines() == [
        'The package server cannot be reached.',
        f'missing: vizion3d-outer ({OUTER}, for open3d)',
        'sudo apt-get install -y vizion3d-outer',
    ]
