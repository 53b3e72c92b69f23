# SPDX-License-Identifier: Apache-2.0
"""Depth of bags of all kinds: whole, interrupted, in several processes."""

import json
import os
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
from bag_files import (
    BASELINE_M,
    FOCAL_PX,
    HEIGHT,
    STORE,
    WIDTH,
    content_of,
    encoded,
    header,
    image,
    make,
    messages,
    pack_files,
    write,
    write_mcap,
)
from exported_networks import exported

from vizion3d_ros.bags.convert import Conversion, convert
from vizion3d_ros.cli.main import main
from vizion3d_ros.contracts.camera import Intrinsics, StereoRig
from vizion3d_ros.contracts.commands import Output, StereoCommand
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.pipeline.stereo import StereoPipeline

SETTINGS = StereoSettings(min_depth=1.0, device='cpu')
TOPICS = '/depth/image', '/depth/camera_info', '/disparity', '/points2'


def depth(source, target, **options):
    outcome = convert(Conversion(source, target, SETTINGS, **options))
    return outcome, content_of(target)


@pytest.fixture
def expected(rows, tmp_path):
    """What comes of the four pairs, from an SQLite bag."""
    outcome, content = depth(write(tmp_path / 'bag', rows, 'sqlite3'), tmp_path / 'expected')
    assert (outcome.pairs, outcome.failed, outcome.faults) == (4, 0, [])
    return content


def test_depth_is_that_of_the_pipeline(expected, make_pair):
    assert [topic for topic, _, _ in expected] == [*TOPICS] * 4
    raw = next(raw for topic, _, raw in expected if topic == '/depth/image')
    message = STORE.deserialize_cdr(raw, 'sensor_msgs/msg/Image')
    camera = Intrinsics(
        width=WIDTH,
        height=HEIGHT,
        fx=FOCAL_PX,
        fy=FOCAL_PX,
        cx=(WIDTH - 1) / 2,
        cy=(HEIGHT - 1) / 2,
    )
    pair = make_pair(WIDTH, HEIGHT, seed=0)
    command = StereoCommand(
        left=pair.left,
        right=pair.right,
        rig=StereoRig(left=camera, baseline_m=BASELINE_M),
        settings=SETTINGS,
        outputs=frozenset(Output),
    )
    depth_m = StereoPipeline('cpu').run(command).depth_m.numpy()
    assert message.data.tobytes() == depth_m.tobytes()
    assert np.nanmedian(depth_m) == pytest.approx(FOCAL_PX * BASELINE_M / 8, rel=0.05)


@pytest.mark.parametrize(
    ('storage', 'mode'),
    [('mcap', None), ('mcap', 'STORAGE'), ('mcap', 'MESSAGE'), ('sqlite3', 'MESSAGE')],
)
def test_every_kind_of_folder_gives_the_same(rows, tmp_path, expected, storage, mode):
    _, content = depth(write(tmp_path / 'other', rows, storage, mode), tmp_path / 'out')
    assert content == expected
    suffix = {'mcap': '.mcap', 'sqlite3': '.db3'}[storage]
    assert {file.suffix for file in (tmp_path / 'out').iterdir()} == {suffix, '.yaml'}


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
@pytest.mark.parametrize('lost', [False, True], ids=['', 'without metadata'])
def test_files_that_are_packed_as_a_whole(rows, tmp_path, expected, storage, lost):
    bag = pack_files(write(tmp_path / 'other', rows, storage))
    if lost:
        (bag / 'metadata.yaml').unlink()
    outcome, content = depth(bag, tmp_path / 'out', storage='mcap')
    assert content == expected
    assert ['no metadata.yaml' in fault for fault in outcome.faults] == [True] * lost


@pytest.mark.parametrize(('compression', 'schemas'), [('', True), ('lz4', True), ('lz4', False)])
def test_a_single_mcap_file(rows, tmp_path, expected, compression, schemas):
    write_mcap(tmp_path / 'one.mcap', rows, compression, schemas=schemas)
    _, content = depth(tmp_path / 'one.mcap', tmp_path / 'out', storage='sqlite3')
    assert content == expected


def test_several_processes_write_the_same(rows, tmp_path, expected):
    assert depth(tmp_path / 'bag', tmp_path / 'out', jobs=2)[1] == expected


def test_a_killed_run_goes_on_where_it_stopped(make_pair, tmp_path):
    """Each pair is a file of its own here; the run is killed after two of them."""
    bag = write(tmp_path / 'long', messages(make_pair, frames=30))
    whole = depth(bag, tmp_path / 'whole')[1]
    command = [sys.executable, '-m', 'vizion3d_ros.cli', 'bag', str(bag), str(tmp_path / 'out')]
    command += ['--min-depth-mm', '1000', '--max-bag-size', '1', '--device', 'cpu']
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    progress, deadline = tmp_path / 'out' / 'progress.json', time.monotonic() + 120
    while not (progress.exists() and json.loads(progress.read_text())['pairs'] >= 2):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / 'out').glob('*.mcap')}
    assert not (tmp_path / 'out' / 'metadata.yaml').exists()

    answer = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stderr
    assert '30 pairs' in answer.stdout
    assert content_of(tmp_path / 'out') == whole
    kept = [file for file, changed in before.items() if file.stat().st_mtime_ns == changed]
    assert len(kept) >= 2
    assert 'already' in subprocess.run(command, capture_output=True, text=True).stdout


def test_other_options_do_not_mix(rows, tmp_path, expected):
    other = Conversion(tmp_path / 'bag', tmp_path / 'expected', StereoSettings(min_depth=2.0))
    with pytest.raises(InputError, match='other options'):
        convert(other)
    (tmp_path / 'photos').mkdir()
    (tmp_path / 'photos' / 'mine.jpg').touch()
    with pytest.raises(InputError, match=r'got mine\.jpg'):
        convert(Conversion(tmp_path / 'bag', tmp_path / 'photos', SETTINGS))


def test_a_namespace_is_found_and_kept(make_pair, tmp_path, expected):
    bag = write(tmp_path / 'head', messages(make_pair, namespace='/robot/head'))
    content = depth(bag, tmp_path / 'out')[1]
    assert content == [(f'/robot/head{topic}', *rest) for topic, *rest in expected]


def test_compressed_images_are_decoded(rows, tmp_path, expected):
    bag = write(tmp_path / 'png', [as_png(*row) for row in rows])
    assert depth(bag, tmp_path / 'out')[1] == expected


def test_an_exported_network_is_told_by_its_ending(rows, tmp_path, tmp_path_factory, capsys):
    network, _ = exported(tmp_path_factory, 'stereo')
    bag = write(tmp_path / 'bag', rows[:4])
    options = ['--backend', str(network), '--device', 'cpu', '--min-depth-mm', '1000']
    with pytest.raises(SystemExit, match='0'):
        main(['bag', str(bag), str(tmp_path / 'out'), *options])
    assert '1 pairs' in capsys.readouterr().out
    raw = next(raw for topic, _, raw in content_of(tmp_path / 'out') if topic == '/depth/image')
    depth_m = STORE.deserialize_cdr(raw, 'sensor_msgs/msg/Image').data.view(np.float32)
    assert np.isfinite(depth_m).any()


@pytest.mark.parametrize('encoding', ['mono16', 'bayer_rggb16', 'bayer_rggb8'])
def test_words_and_mosaics_in_png_give_what_raw_images_give(rows, tmp_path, encoding):
    settings = StereoSettings(min_depth=1.0, device='cpu', mono16_bits=12)
    content = {}
    for name, change in (('raw', as_encoding), ('png', as_png_of)):
        bag = write(tmp_path / name, [change(encoding, *row) for row in rows[:4]])
        outcome = convert(Conversion(bag, tmp_path / f'{name}_out', settings))
        assert (outcome.pairs, outcome.faults) == (1, [])
        content[name] = content_of(tmp_path / f'{name}_out')
    assert content['png'] == content['raw']
    cloud = STORE.deserialize_cdr(content['png'][-1][2], 'sensor_msgs/msg/PointCloud2')
    assert cloud.data.any()


def test_the_cloud_of_a_bag_has_uncertainty_where_it_is_asked_for(rows, tmp_path):
    settings = StereoSettings(min_depth=1.0, device='cpu', points={'uncertainty': True})
    convert(Conversion(write(tmp_path / 'bag', rows[:4]), tmp_path / 'out', settings))
    raw = next(raw for topic, _, raw in content_of(tmp_path / 'out') if topic == '/points2')
    cloud = STORE.deserialize_cdr(raw, 'sensor_msgs/msg/PointCloud2')
    assert [field.name for field in cloud.fields] == ['x', 'y', 'z', 'rgb', 'uncertainty']
    assert (cloud.point_step, cloud.row_step) == (20, 20 * WIDTH)
    values = cloud.data.view(np.float32).reshape(HEIGHT, WIDTH, 5)
    known = np.isfinite(values[..., 2])
    assert known.any() and (values[known, 4] > 0).all()


def as_encoding(encoding, topic, kind, time_ns, raw):
    """The green of an image in words of 12 bits, or in bytes, as they come from a sensor."""
    if not topic.endswith('image_rect'):
        return topic, kind, time_ns, raw
    green = STORE.deserialize_cdr(raw, kind).data.reshape(HEIGHT, WIDTH, 3)[..., 1]
    words = green.astype(np.uint16) << 4 if encoding.endswith('16') else green.copy()
    return topic, kind, time_ns, encoded(kind, image(words, time_ns, encoding))


def as_png_of(encoding, topic, kind, time_ns, raw):
    """The same by image_transport."""
    topic, kind, time_ns, raw = as_encoding(encoding, topic, kind, time_ns, raw)
    if not topic.endswith('image_rect'):
        return topic, kind, time_ns, raw
    words = STORE.deserialize_cdr(raw, kind).data
    words = words.view(np.uint16) if encoding.endswith('16') else words
    return packed(topic, time_ns, words.reshape(HEIGHT, WIDTH), f'{encoding}; png compressed ')


def as_png(topic, kind, time_ns, raw):
    if not topic.endswith('image_rect'):
        return topic, kind, time_ns, raw
    pixels = STORE.deserialize_cdr(raw, kind).data.reshape(HEIGHT, WIDTH, 3)
    return packed(topic, time_ns, pixels[..., ::-1], 'rgb8; png compressed')


def packed(topic, time_ns, pixels, format_):
    data = cv2.imencode('.png', pixels)[1].reshape(-1)
    kind = 'sensor_msgs/msg/CompressedImage'
    message = make(kind, header=header(time_ns), format=format_, data=data)
    return f'{topic}/compressed', kind, time_ns, encoded(kind, message)
