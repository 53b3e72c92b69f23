# SPDX-License-Identifier: Apache-2.0
"""Every example of docs/examples/ does what it says, with real files, nodes and middleware."""

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / 'docs' / 'examples'
EXAMPLES = sorted(FOLDER.glob('*.py'))
MOST_LINES = 40
WALL_M = 0.625  # 100 px * 0.1 m / 16 px
RIG = ('100', '79.5', '47.5', '100')  # fx, cx, cy in pixels, baseline in millimetres

ros = pytest.mark.ros
slow = pytest.mark.slow


def environment(**more):
    return {**os.environ, 'PYTHONPATH': str(ROOT), 'PYTHONUNBUFFERED': '1', **more}


def texture():
    """Coloured noise, uint8 (96, 176, 3) BGR: the right image is 16 columns of it further."""
    noise = np.random.default_rng(3).integers(0, 255, (96, 176, 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 1.0)


def write_pair(folder):
    """A wall at WALL_M as two images with their calibration."""
    cv2.imwrite(str(folder / 'left.png'), texture()[:, :160])
    cv2.imwrite(str(folder / 'right.png'), texture()[:, 16:])
    (folder / 'calib.txt').write_text(
        'cam0=[100 0 79.5; 0 100 47.5; 0 0 1]\ncam1=[100 0 79.5; 0 100 47.5; 0 0 1]\n'
        'doffs=0\nbaseline=100\nwidth=160\nheight=96\n'
    )
    return folder


@pytest.fixture
def pair(tmp_path):
    """The folder in which examples run, with the pair in it."""
    return write_pair(tmp_path)


@pytest.fixture
def run(tmp_path):
    """Call it to run an example by its number; gives what it printed."""

    def run_example(number, *arguments, fails=False, **variables):
        (script,) = FOLDER.glob(f'{number:02}_*.py')
        done = subprocess.run(
            [sys.executable, script, *arguments],
            cwd=tmp_path,
            env=environment(**variables),
            capture_output=True,
            text=True,
            timeout=90,
        )
        assert (done.returncode != 0) == fails, done.stderr
        assert 'Traceback' not in done.stderr, done.stderr
        return done.stdout + done.stderr if fails else done.stdout

    return run_example


# --- the form that all of them have ------------------------------------------------------------


def test_examples_are_numbered_without_a_gap_and_listed():
    numbers = [int(path.name[:2]) for path in EXAMPLES]
    assert numbers == list(range(1, len(EXAMPLES) + 1))
    listed = (FOLDER / 'README.md').read_text()
    assert [path.name for path in EXAMPLES if f'({path.name})' not in listed] == []


@pytest.mark.parametrize('path', EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_short_and_begins_with_how_to_run_it(path):
    text = path.read_text()
    assert len(text.splitlines()) <= MOST_LINES
    assert f'python3 {path.name}' in ast.get_docstring(ast.parse(text))


def test_every_example_is_run_here():
    calls = [node for node in ast.walk(ast.parse(Path(__file__).read_text())) if is_run(node)]
    numbers = {call.args[0].value for call in calls}
    assert numbers == {int(path.name[:2]) for path in EXAMPLES}


def is_run(node):
    named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    return named and node.func.id in ('run', 'start') and isinstance(node.args[0], ast.Constant)


# --- Python ------------------------------------------------------------------------------------


def test_depth_from_two_files(run, pair):
    assert f'in the middle {WALL_M:.3f} m' in run(1, 'left.png', 'right.png', *RIG)
    depth_m = np.load(pair / 'depth.npy')
    assert np.median(depth_m[depth_m > 0]) == pytest.approx(WALL_M, rel=0.01)


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    """A relative checkpoint whose weights are drawn by chance, as none are shipped."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / 'demo')
        from random_weights import write_random_checkpoint

    path = tmp_path_factory.mktemp('weights') / 'random_vits.pth'
    write_random_checkpoint(path)
    return str(path)


@slow
def test_depth_from_one_file(run, pair, checkpoint):
    assert 'these are no metres' in run(2, 'left.png', checkpoint)
    nearness = cv2.imread(str(pair / 'nearness.png'), cv2.IMREAD_UNCHANGED)
    assert nearness.dtype == np.uint16 and nearness.shape == (96, 160)
    assert (nearness.min(), nearness.max()) == (0, 65535)


@slow
def test_metres_from_one_file(run, pair, checkpoint):
    relative = relative_depth(pair / 'left.png', checkpoint)
    unit = (relative - relative.min()) / np.ptp(relative)
    depth_m = 1 / (0.2 + 0.8 * unit)  # from 1 m to 5 m
    random = np.random.default_rng(5)
    rows, columns = random.integers(0, 96, 400), random.integers(0, 160, 400)
    measured = depth_m[rows, columns]
    measured[:80] = random.uniform(1, 5, 80)  # these are wrong
    points = np.stack([columns, rows, measured], axis=1)
    np.savetxt(pair / 'lidar.csv', points, delimiter=',')
    assert 'of 400 points agree' in run(3, 'left.png', 'lidar.csv', checkpoint)
    np.testing.assert_allclose(np.load(pair / 'depth.npy'), depth_m, rtol=0.01)

    np.savetxt(pair / 'few.csv', points[:5], delimiter=',')
    assert 'expected at least 30' in run(3, 'left.png', 'few.csv', checkpoint, fails=True)


def relative_depth(image, checkpoint):
    from vizion3d_ros.lifting import DepthEstimation, DepthEstimationCommand

    command = DepthEstimationCommand(image_input=image, model_backend=checkpoint)
    return DepthEstimation().run(command).raw_depth


# --- ROS ---------------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def robot(tmp_path_factory):
    """Both nodes and a camera that plays the pair, in a ROS domain of their own."""
    pytest.importorskip('rclpy')
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / 'test' / 'ros')
        from harness import NodeProcess, free_domain

    folder = write_pair(tmp_path_factory.mktemp('robot'))
    domain = free_domain()
    snapshots = {'requests.snapshot_dirs': f'[{folder}/snapshots]'}
    programs = {
        'nodes.stereo_node': {'device': 'cpu', **snapshots},
        'nodes.service_node': {'device': 'cpu'},
        'testbed.play_pair': {'folder': folder, 'rate': 5.0},
    }
    nodes = [
        NodeProcess(domain, folder, parameters=given, program=('-m', f'vizion3d_ros.ros.{module}'))
        for module, given in programs.items()
    ]
    yield {'ROS_DOMAIN_ID': str(domain), 'ROS_LOG_DIR': str(folder)}
    for node in nodes:
        node.kill()


@ros
def test_call_the_service(run, pair, robot):
    assert f'in the middle {WALL_M:.3f} m' in run(4, 'left.png', 'right.png', *RIG, **robot)
    refused = run(4, 'calib.txt', 'right.png', *RIG, fails=True, **robot)
    assert refused.startswith('left_image: expected an image')


@pytest.fixture
def start(tmp_path):
    """Call it to start an example that runs until it is told to stop."""
    started = []

    def start_example(number, **variables):
        (script,) = FOLDER.glob(f'{number:02}_*.py')
        pipes = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, 'text': True}
        command = [sys.executable, script]
        started.append(subprocess.Popen(command, env=environment(**variables), **pipes))
        return started[-1]

    yield start_example
    for process in started:
        process.kill()
        process.communicate()


@ros
def test_read_depth_in_a_node(start, robot):
    example = start(5, **robot)
    line = f'x 0.003 y 0.003 z {WALL_M:.3f} m in rig_left_optical_frame\n'
    assert line in (example.stdout.readline() for _ in range(10))
    example.send_signal(signal.SIGINT)
    _, errors = example.communicate(timeout=20)
    assert (example.returncode, errors) == (0, '')


@ros
def test_cloud_to_numpy(run, tmp_path, robot):
    assert 'of 15360 pixels have a point' in run(6, **robot)
    cloud = np.load(tmp_path / 'cloud.npz')
    x, y, z = cloud['xyz'].T
    assert np.median(z) == pytest.approx(WALL_M, rel=0.01)
    columns, rows = np.rint(100 * x / z + 79.5), np.rint(100 * y / z + 47.5)
    seen = texture()[rows.astype(int), columns.astype(int)]
    np.testing.assert_array_equal(cloud['rgb'], seen[:, ::-1])


@ros
def test_change_parameters(run, robot):
    assert 'accepted' in run(7, '/stereo_node', 'max_depth=40.0', 'lazy=true', **robot)
    refused = run(7, '/stereo_node', 'max_depth=0.1', fails=True, **robot)
    assert 'max_depth must be larger than min_depth' in refused


@ros
def test_save_a_snapshot(run, robot):
    paths = [Path(line) for line in run(8, **robot).splitlines()]
    assert all(path.is_file() for path in paths)
    assert {path.suffix for path in paths} >= {'.png', '.pfm', '.ply', '.yaml', '.json'}


@ros
def test_masks_of_a_detector(start, robot):
    import rclpy
    from sensor_msgs.msg import Image
    from spun_node import SpunNode
    from vision_msgs.msg import Detection2DArray

    context = rclpy.Context()
    context.init(domain_id=int(robot['ROS_DOMAIN_ID']))
    listener = SpunNode(context, 'listener')
    heard = {}
    kinds = {'left/image_rect': Image, 'instances/image': Image}
    kinds['instances/detections'] = Detection2DArray
    for topic, kind in kinds.items():
        messages = heard[topic] = {}
        listener.node.create_subscription(
            kind, topic, lambda m, kept=messages: kept.update({stamp_of(m): m}), 10
        )
    start(10, **robot)
    listener.wait_for(lambda: set.intersection(*map(set, heard.values())), 40.0)
    (stamp, *_) = set.intersection(*map(set, heard.values()))
    image, masks, found = (heard[topic][stamp] for topic in kinds)
    labels = np.frombuffer(masks.data, np.uint16).reshape(masks.height, masks.width)
    assert (masks.encoding, labels.shape) == ('16UC1', (image.height, image.width))
    assert {image.header.frame_id} == {m.header.frame_id for m in (masks, found)}
    assert [each.id for each in found.detections] == [str(n) for n in np.unique(labels)[1:]]
    scores = [each.results[0].hypothesis.score for each in found.detections]
    assert scores == sorted(scores) and scores
    listener.close()
    context.try_shutdown()


def stamp_of(message):
    return message.header.stamp.sec, message.header.stamp.nanosec


def test_many_bags_with_ray(run, tmp_path, make_pair):
    pytest.importorskip('ray', reason='needs ray, which is too large for the checks')
    sys.path.append(str(ROOT / 'test' / 'bags'))
    from bag_files import messages, write

    write(tmp_path / 'drive', messages(make_pair, 2))
    path = os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')])
    printed = run(9, 'out', 'drive', 'none', fails=True, PYTHONPATH=path)
    assert '2 pairs, 0 failed' in printed
    assert 'failed: ' in printed
    assert (tmp_path / 'out' / 'drive' / 'metadata.yaml').exists()
