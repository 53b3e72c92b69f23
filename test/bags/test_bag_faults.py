# SPDX-License-Identifier: Apache-2.0
"""Bags that are damaged, cut short, incomplete or no bags at all."""

import shutil
import sqlite3
import subprocess
import sys

import numpy as np
import pytest
from bag_files import content_of, messages, pack_files, write, write_mcap

from vizion3d_ros.bags.convert import Conversion, convert
from vizion3d_ros.contracts.errors import CalibrationError, InputError
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings

SETTINGS = StereoSettings(min_depth=1.0, device='cpu')
STRING = b'\0\1\0\0\5\0\0\0what\0'


def depth(source, tmp_path, **options):
    target = tmp_path / 'out'
    outcome = convert(Conversion(source, target, SETTINGS, **options))
    return outcome, [time for topic, time, _ in content_of(target) if topic == '/depth/image']


@pytest.fixture
def times(rows):
    return [time for topic, _, time, _ in rows if topic == '/left/image_rect']


def test_what_comes_before_the_end_of_a_cut_file_is_used(rows, times, tmp_path):
    starts = write_mcap(tmp_path / 'cut.mcap', rows, 'lz4', per_chunk=2)
    content = (tmp_path / 'cut.mcap').read_bytes()
    (tmp_path / 'cut.mcap').write_bytes(content[: starts[-1] + 50])
    outcome, made = depth(tmp_path / 'cut.mcap', tmp_path)
    assert made == times[:3]
    assert [f'breaks off at byte {starts[-1]}' in fault for fault in outcome.faults] == [True]


def test_a_damaged_chunk_costs_its_pair(rows, times, tmp_path):
    starts = write_mcap(tmp_path / 'bad.mcap', rows, 'lz4', per_chunk=2)
    content = bytearray((tmp_path / 'bad.mcap').read_bytes())
    middle = (starts[2] + starts[3]) // 2
    content[middle : middle + 20] = bytes(20)
    (tmp_path / 'bad.mcap').write_bytes(content)
    outcome, made = depth(tmp_path / 'bad.mcap', tmp_path)
    assert made == [times[0], *times[2:]]
    assert len(outcome.faults) == 1
    assert f'chunk at byte {starts[2]} is left out' in outcome.faults[0]


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_messages_that_are_packed_need_no_metadata_to_be_known(rows, times, tmp_path, storage):
    bag = write(tmp_path / 'bag', rows, storage, 'MESSAGE')
    (bag / 'metadata.yaml').unlink()
    outcome, made = depth(bag, tmp_path)
    assert made == times
    assert ['has no metadata.yaml' in fault for fault in outcome.faults] == [True]


def test_of_a_packed_file_that_is_cut_what_comes_before_is_used(rows, times, tmp_path):
    write_mcap(tmp_path / 'bag.mcap', noisy(rows), per_chunk=2)
    packed = tmp_path / 'bag.mcap.zstd'
    (tmp_path / 'folder').mkdir()
    (tmp_path / 'bag.mcap').rename(tmp_path / 'folder' / 'bag.mcap')
    (tmp_path / 'folder' / 'metadata.yaml').write_text('')
    pack_files(tmp_path / 'folder')
    content = (tmp_path / 'folder' / 'bag.mcap.zstd').read_bytes()
    packed.write_bytes(content[: len(content) * 3 // 4])
    outcome, made = depth(packed, tmp_path)
    assert made == times[: len(made)]
    assert 0 < len(made) < len(times)
    assert 'bag.mcap.zstd: cannot be unpacked to its end' in outcome.faults[0]


def noisy(rows):
    """Rows with enough of what cannot be packed between them that zstd makes several blocks."""
    filler = np.random.default_rng(0).bytes(300_000)
    return [
        part for row in rows for part in (row, ('/noise', 'std_msgs/msg/String', row[2], filler))
    ]


def test_a_recorder_that_was_killed_while_it_packed(make_pair, tmp_path):
    """Eleven files: by their names the last is before the third, and one is packed half-way."""
    rows = messages(make_pair, 11)
    infos, pairs = rows[1:4:2], [row for row in rows if 'image' in row[0]]
    bag = tmp_path / 'bag'
    bag.mkdir()
    for number in range(11):
        own = [*infos, *pairs[2 * number : 2 * number + 2]]
        write_mcap(bag / f'bag_{number}.mcap', own)
    (bag / 'bag_3.mcap.zstd').write_bytes(b'half')
    (bag / 'bag_11.mcap').touch()
    outcome, made = depth(bag, tmp_path)
    assert made == [row[2] for row in pairs[::2]]
    assert sorted('bag_11.mcap: expected an MCAP file' in f for f in outcome.faults) == [
        False,
        True,
    ]


def test_messages_that_are_none_are_left_out(rows, times, tmp_path):
    topic, kind, time_ns, raw = rows[4]
    rows[4] = topic, kind, time_ns, raw[: len(raw) // 2]
    outcome, made = depth(write(tmp_path / 'bag', rows), tmp_path)
    assert made == [times[0], *times[2:]]
    assert len(outcome.faults) == 1
    assert f'{topic}: a message of {len(raw) // 2} bytes' in outcome.faults[0]


def test_images_of_another_size_than_their_message_says(rows, times, tmp_path):
    topic, kind, time_ns, raw = rows[4]
    at = raw.index(b'rgb8\0')  # step comes behind the encoding, aligned
    step = raw.index((480).to_bytes(4, 'little'), at)
    rows[4] = topic, kind, time_ns, raw[:step] + (9999).to_bytes(4, 'little') + raw[step + 4 :]
    outcome, made = depth(write(tmp_path / 'bag', rows), tmp_path)
    assert made == [times[0], *times[2:]]
    assert outcome.failed == 1
    assert 'needs 959904' in outcome.faults[0]


@pytest.mark.parametrize('end', ['-wal', '-journal'])
def test_a_recorder_of_sqlite_that_was_killed(rows, times, tmp_path, end):
    bag = write(tmp_path / 'bag', rows, 'sqlite3')
    base = sqlite3.connect(bag / 'bag.db3', isolation_level=None)
    if end == '-wal':  # the last pair is in the journal alone
        base.execute('PRAGMA journal_mode=WAL')
        base.execute('PRAGMA wal_autocheckpoint=0')
        base.execute('UPDATE messages SET timestamp = timestamp + 1')
        times = [time + 1 for time in times]
    else:  # half of a transaction is in the file
        base.execute('PRAGMA cache_size=1')
        base.execute('BEGIN')
        base.execute('DELETE FROM messages WHERE id > 4')
    copy = tmp_path / 'killed'
    shutil.copytree(bag, copy)
    base.close()
    (copy / 'metadata.yaml').unlink()
    before = {file: file.read_bytes() for file in copy.iterdir()}
    assert any(str(file).endswith(end) for file in before)

    outcome, made = depth(copy, tmp_path)
    assert made == times
    assert ['has no metadata.yaml' in fault for fault in outcome.faults] == [True]
    assert {file: file.read_bytes() for file in copy.iterdir()} == before


def test_types_that_nobody_knows_are_no_hindrance(rows, times, tmp_path):
    path = tmp_path / 'bag.mcap'
    write_mcap(path, rows)
    content = path.read_bytes().replace(b'/right/camera_info', b'/right/camera_infx')
    path.write_bytes(content)
    with pytest.raises(InputError, match='/right/camera_info: not in the bag') as caught:
        depth(path, tmp_path)
    assert '/right/camera_infx (sensor_msgs/msg/CameraInfo)' in str(caught.value)
    # checksums of chunks do not cover topics
    _, made = depth(path, tmp_path, right_info='/right/camera_infx')
    assert made == times


def test_an_unknown_type_of_an_input_is_named(rows, tmp_path):
    rows = [
        (t, 'std_msgs/msg/String', time, STRING) if 'right/im' in t else (t, k, time, raw)
        for t, k, time, raw in rows
    ]
    with pytest.raises(InputError, match='expected /left/image_rect'):
        depth(write(tmp_path / 'bag', rows), tmp_path)
    with pytest.raises(InputError, match=r'expected sensor_msgs.*got std_msgs/msg/String'):
        depth(tmp_path / 'bag', tmp_path, left='/left/image_rect', right='/right/image_rect')


def test_two_rigs_are_told_apart_by_the_user(make_pair, tmp_path):
    rows = messages(make_pair, 1, '/front') + messages(make_pair, 1, '/rear')
    bag = write(tmp_path / 'bag', rows)
    with pytest.raises(InputError, match=r'several rigs \(/front, /rear\)'):
        depth(bag, tmp_path)
    chosen = {side: f'/rear/{side}/image_rect' for side in ('left', 'right')}
    convert(Conversion(bag, tmp_path / 'out', SETTINGS, **chosen))
    assert {topic.split('/')[1] for topic, _, _ in content_of(tmp_path / 'out')} == {'rear'}


def test_without_calibration_there_is_nothing_to_write(rows, tmp_path):
    bad = [(t, k, time, raw[:40] if 'info' in t else raw) for t, k, time, raw in rows]
    with pytest.raises(CalibrationError, match='no message can be read of /left/camera_info and'):
        depth(write(tmp_path / 'bag', bad), tmp_path)


def test_pairs_that_never_meet(rows, tmp_path):
    alone = [row for row in rows if 'right/image' not in row[0]] + [
        row for row in rows if 'right/image' in row[0]
    ][:1]
    topic, kind, time_ns, raw = alone[-1]
    late = raw[:4] + (5).to_bytes(4, 'little') + raw[8:]
    alone[-1] = topic, kind, time_ns, late
    with pytest.raises(InputError, match=r'no pair within sync\.slop of 0\.005 s: 4 images'):
        depth(write(tmp_path / 'bag', alone), tmp_path)


def test_a_file_that_breaks_off_before_its_first_message_is_named(rows, tmp_path):
    starts = write_mcap(tmp_path / 'cut.mcap', rows, per_chunk=2)
    content = (tmp_path / 'cut.mcap').read_bytes()
    (tmp_path / 'cut.mcap').write_bytes(content[:40])
    assert starts[0] > 40
    with pytest.raises(InputError, match=r'the bag has no topics; cut.mcap: breaks off at byte'):
        depth(tmp_path / 'cut.mcap', tmp_path)


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_a_disk_that_fills_up_costs_the_file_that_is_written(rows, times, tmp_path, storage):
    bag, out = write(tmp_path / 'bag', rows, storage), tmp_path / 'out'
    code = (
        'import resource, signal, sys\n'
        'signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n'
        'resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))\n'
        'from vizion3d_ros.cli.main import main\n'
        f"main(['bag', '{bag}', '{out}', '--min-depth-mm', '1000'])\n"
    ).replace('FILE_BYTES', '200000')
    answer = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert answer.returncode == 1
    assert 'cannot be written: ' in answer.stderr and 'make room' in answer.stderr
    assert 'Traceback' not in answer.stderr
    assert depth(bag, tmp_path)[1] == times


def test_a_bag_of_ros_1_is_sent_through_its_converter(tmp_path):
    path = tmp_path / 'old.bag'
    path.write_bytes(b'#ROSBAG V2.0\n')
    with pytest.raises(InputError, match=r'of ROS 1, which `rosbags-convert --src .*old\.bag'):
        depth(path, tmp_path)


@pytest.mark.parametrize('name', ['none', 'text.mcap', 'text.db3', 'empty'])
def test_what_is_no_bag(tmp_path, name):
    path = tmp_path / name
    if name.startswith('text'):
        path.write_text('hello, this is not a bag')
    elif name == 'empty':
        path.mkdir()
    with pytest.raises(InputError, match='expected'):
        depth(path, tmp_path)


def test_without_the_library_one_sentence_says_so(tmp_path):
    code = (
        'import sys\n'
        "sys.modules['rosbags'] = sys.modules['rosbags.typesys'] = None\n"
        'from vizion3d_ros.cli.main import main\n'
        f"main(['bag', '{tmp_path}', '{tmp_path}/out'])\n"
    )
    answer = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert answer.returncode == 1
    assert answer.stderr.count('\n') == 1
    assert 'pip install rosbags' in answer.stderr
