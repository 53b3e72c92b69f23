# SPDX-License-Identifier: Apache-2.0
"""A folder of results counts as done only if it is whole, newer and made in the same way."""

import json
import os
import time

import pytest

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.files.result_folder import (
    File,
    ResultFiles,
    is_done,
    write_file,
    write_result,
)

ASKED = {'scale': 0.5, 'backend': 'opencv-sgbm'}


def result(**encoders):
    files = {name: File(encode, f'what {name} is') for name, encode in encoders.items()}
    return ResultFiles(files, {'points': 3}, 'fine')


@pytest.fixture
def source(tmp_path):
    """Return an input that is older than anything a test writes."""
    path = tmp_path / 'left.png'
    path.write_bytes(b'image')
    an_hour_ago = time.time() - 3600
    os.utime(path, (an_hour_ago, an_hour_ago))
    return path


@pytest.fixture
def folder(tmp_path, source):
    place = tmp_path / 'out' / 'pair'
    write_result(place, result(a=lambda: b'1', b=lambda: b'2'), ASKED)
    return place


def test_files_and_what_they_are_stand_in_the_record(folder):
    assert [(folder / name).read_bytes() for name in 'ab'] == [b'1', b'2']
    record = json.loads((folder / 'result.json').read_text())
    assert record['files'] == {'a': 'what a is', 'b': 'what b is'}
    assert (record['points'], record['asked']) == (3, ASKED)


def test_a_whole_and_newer_folder_is_done(folder, source):
    assert is_done(folder, [source], ASKED)


def test_it_is_not_done_after_any_change(folder, source, tmp_path):
    assert not is_done(folder, [source], {**ASKED, 'scale': 1.0})
    assert not is_done(tmp_path / 'elsewhere', [source], ASKED)
    later = time.time() + 3600
    os.utime(source, (later, later))
    assert not is_done(folder, [source], ASKED)


def test_it_is_not_done_without_one_of_its_files(folder, source):
    (folder / 'b').unlink()
    assert not is_done(folder, [source], ASKED)


@pytest.mark.parametrize('damaged', ['', '{', '[]', '{"asked": 1}', '{"files": 3}'])
def test_a_damaged_record_is_no_record(folder, source, damaged):
    (folder / 'result.json').write_text(damaged)
    assert not is_done(folder, [source], ASKED)


def test_a_folder_that_was_left_halfway_is_not_done(folder, source):
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_result(folder, result(a=lambda: b'new', b=interrupted), ASKED)
    assert (folder / 'b').exists()
    assert not is_done(folder, [source], ASKED)


def test_a_place_that_cannot_be_written_to_is_named(source):
    with pytest.raises(InputError, match=r'left\.png.*cannot be written: Not a directory'):
        write_result(source / 'out', result(a=lambda: b'1'), ASKED)


def test_a_disk_that_fills_up_keeps_no_half_of_a_file_and_what_was_there(small_disk):
    before = result(a=lambda: b'before', b=lambda: b'2')
    write_result(small_disk, before, ASKED)
    with pytest.raises(InputError, match=r'a: cannot be written: No space left on device'):
        write_result(small_disk, result(a=lambda: bytes(2**16)), ASKED)
    assert {path.name: path.read_bytes() for path in small_disk.iterdir()} == {
        'a': b'before',
        'b': b'2',
    }


def test_a_link_stays_one_and_a_device_is_written_to(tmp_path):
    (tmp_path / 'link').symlink_to(tmp_path / 'file')
    write_file(tmp_path / 'link', b'1')
    assert (tmp_path / 'link').is_symlink() and (tmp_path / 'file').read_bytes() == b'1'
    os.mkfifo(tmp_path / 'pipe')
    reader = os.open(tmp_path / 'pipe', os.O_RDONLY | os.O_NONBLOCK)
    write_file(tmp_path / 'pipe', b'2')
    assert os.read(reader, 9) == b'2'
    os.close(reader)
    assert (tmp_path / 'pipe').is_fifo()
