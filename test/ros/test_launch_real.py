# SPDX-License-Identifier: Apache-2.0
"""Each launch file under the real launch and launch_ros, which a ROS distribution has."""

import signal
import subprocess
import sys
import time

import pytest
from launch_stand_ins import ROOT, launch_file
from scene import DEPTH_M, median_error, pixels_of

pytestmark = pytest.mark.ros
pytest.importorskip('launch_ros', reason='launch_ros comes with a ROS distribution only')

FILES = sorted(path.name.removesuffix('.launch.py') for path in (ROOT / 'launch').glob('*.py'))
RUN = """
import sys, launch
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
service = launch.LaunchService(noninteractive=True)
arguments = [word.split(':=') for word in sys.argv[2:]]
source = PythonLaunchDescriptionSource(sys.argv[1])
service.include_launch_description(launch.LaunchDescription(
    [IncludeLaunchDescription(source, launch_arguments=arguments)]))
sys.exit(service.run())
"""


@pytest.fixture
def start(domain, tmp_path, monkeypatch):
    """Call it with a launch file and its arguments to get the process; each is ended."""
    monkeypatch.setenv('ROS_DOMAIN_ID', str(domain))
    monkeypatch.setenv('ROS_LOG_DIR', str(tmp_path))
    processes = []

    def start(kind, *arguments):
        command = [sys.executable, '-u', '-c', RUN, str(launch_file(kind)), *arguments]
        log = (tmp_path / 'launch.txt').open('w+')
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, text=True)
        processes.append((process, log))
        return process, tmp_path / 'launch.txt'

    yield start
    for process, log in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(20)
        log.close()


def wait_for(log, text, count=1, timeout=30.0):
    deadline = time.monotonic() + timeout
    while log.read_text().count(text) < count:
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


@pytest.mark.parametrize('kind', FILES)
def test_every_file_resolves_to_nodes(kind):
    from launch.launch_description_sources import get_launch_description_from_python_launch_file

    import launch

    context = launch.LaunchContext()
    description = get_launch_description_from_python_launch_file(str(launch_file(kind)))
    assert all(argument.description for argument in description.get_launch_arguments())
    waiting, executables = list(description.entities), []
    while waiting:
        entity = waiting.pop(0)
        if hasattr(entity, 'node_executable'):
            executables.append(entity.node_executable)
        else:
            waiting = [*(entity.visit(context) or ()), *waiting]
    ours = f'{kind}_node' if kind in ('mono', 'annotation') else 'stereo_node'
    assert executables == [ours, 'rviz2'] * (2 if kind == 'two_rigs' else 1)


def test_two_interrupts_end_both_nodes_of_two_rigs_cleanly(start):
    process, log = start('two_rigs', 'rig:=realsense', 'min_depth:=1', 'use_fqn:=true')
    wait_for(log, 'ready on', 2)
    for side in ('front', 'rear'):
        assert f'/camera/{side}/infra1/image_rect_raw' in log.read_text()
    process.send_signal(signal.SIGINT)
    wait_for(log, "sending signal 'SIGINT'")
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert log.read_text().count('process has finished cleanly') == 2
    assert 'Traceback' not in log.read_text()


def test_a_node_that_does_not_start_itself_is_brought_up_in_its_namespace(start, make_robot):
    _, log = start('stereo', 'namespace:=front', 'autostart:=false', 'preset:=fast')
    wait_for(log, 'process started')
    robot = make_robot('/front')
    robot.meet()
    assert robot.get_parameters('sgbm.preset') == {'sgbm.preset': 'fast'}
    assert robot.change_state('CONFIGURE') and robot.change_state('ACTIVATE')
    depth = robot.ask(robot.listen('depth/image'))
    assert median_error(pixels_of(depth), DEPTH_M) < 0.01


@pytest.mark.parametrize(
    ('argument', 'words'),
    [
        ('params_file:=/nowhere.yaml', 'there is no file /nowhere.yaml'),
        ('log_level:=loud', 'loud'),
        ('camera_pose:=up', 'six numbers'),
    ],
)
def test_what_cannot_be_ends_the_launch_in_failure(start, argument, words):
    process, log = start('stereo', argument)
    assert process.wait(20) == 1
    assert words in log.read_text()
    assert 'process started' not in log.read_text()
