# SPDX-License-Identifier: Apache-2.0
"""Starts that go wrong, as real processes: one sentence, the exit code, nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest
from harness import REPOSITORY, STEREO_NODE

pytestmark = pytest.mark.ros

DEADLINE_S = 60.0
# A node that has nothing to import.
SMALL = (
    'import sys; from rclpy.node import Node; from vizion3d_ros.ros.run import run_node; '
    'from vizion3d_ros.contracts.settings.node_settings import DiagnosticUpdaterSettings as S; '
    'from vizion3d_ros.ros.parameters import declare; '
    'sys.exit(run_node(lambda: declare(Node("stereo_node"), S), "A small node."))'
)
EXECUTABLES = {
    'nodes.stereo_node': 'Metric depth',
    'nodes.mono_node': 'Depth from the images of one camera',
    'nodes.service_node': 'Services that answer',
    'testbed.synthetic_rig': 'A stereo camera without hardware',
    'testbed.play_pair': 'pairs',
    'testbed.recorder': 'Record what',
}


@pytest.fixture
def start(domain, tmp_path):
    """Call it with arguments of a program to start it; all are ended after the test."""
    started = []

    def start_process(*arguments, program=STEREO_NODE, cwd=tmp_path, **variables):
        environment = {
            **os.environ,
            'ROS_DOMAIN_ID': str(domain),
            'ROS_LOG_DIR': str(tmp_path / 'log'),
            'PYTHONPATH': str(REPOSITORY),
            **variables,
        }
        started.append(
            subprocess.Popen(
                [sys.executable, *program, *arguments],
                cwd=cwd,
                env={name: value for name, value in environment.items() if value is not None},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
        return started[-1]

    yield start_process
    for process in started:
        process.kill()
        process.communicate()


def end(process):
    """Exit code and all that was said."""
    said, _ = process.communicate(timeout=DEADLINE_S)
    assert 'Traceback' not in said, said
    return process.returncode, said


def test_every_executable_explains_itself_and_starts_nothing(start, tmp_path):
    running = {
        name: start('--help', program=('-m', f'vizion3d_ros.ros.{name}')) for name in EXECUTABLES
    }
    for name, process in running.items():
        code, said = end(process)
        assert code == 0
        assert EXECUTABLES[name] in said and '--params-file FILE.yaml' in said
    assert not list(tmp_path.iterdir())


BAD_STARTS = {
    'stray word': (['now'], 2, 'unexpected now: expected --ros-args'),
    'no such file': (
        ['--ros-args', '--params-file', '/nowhere/stereo.yaml'],
        1,
        'there is no parameter file /nowhere/stereo.yaml',
    ),
    'bad remap': (['--ros-args', '-r', 'a:b'], 1, 'the remap rule a:b cannot be read'),
    'bad level': (['--ros-args', '--log-level', 'loud'], 1, 'expected debug, info, warn'),
    'bad parameter': (['--ros-args', '-p', 'max_depth:=['], 1, 'as -p max_depth:=10.0'),
    'bad option': (['--ros-args', '--bogus'], 1, "ROS 2 does not know '--bogus'"),
    'bad type': (['--ros-args', '-p', 'period:=far'], 1, "a number such as 10.0, got 'far'"),
    'bad value': (['--ros-args', '-p', 'period:='], 1, 'cannot be read: expected NAME:=VALUE'),
    'bad name': (['--ros-args', '-r', '__node:=1x'], 1, 'expected __node:=NAME, of letters'),
    'bad namespace': (['--ros-args', '-r', '__ns:=rig'], 1, 'expected __ns:=/rig, of letters'),
    'namespace that only the node refuses': (
        ['--ros-args', '-r', '__ns:=/rig/'],
        1,
        'invalid node namespace',
    ),
}
BAD_ENVIRONMENTS = {
    'no domain': ({'ROS_DOMAIN_ID': '500'}, "ROS_DOMAIN_ID is '500': expected a whole number"),
    'half a domain': ({'ROS_DOMAIN_ID': '1.5'}, "'1.5': expected a whole number from 0 to 232"),
    'no place for a log': ({'ROS_LOG_DIR': '/dev/null/log'}, 'set ROS_LOG_DIR to a folder'),
    'no such peer': ({'ROS_STATIC_PEERS': 'no such host'}, 'correct ROS_STATIC_PEERS'),
}
FILES = {
    'no ros__parameters': 'stereo_node:\n  max_depth: 3.0\n',
    'mis-indented': 'stereo_node:\n   ros__parameters:\n  max_depth: 3.0\n',
    'no YAML': 'stereo_node: [1\n',
    'whole numbers and others': 'stereo_node:\n  ros__parameters:\n    list: [0, 1.5]\n',
}


def test_a_start_that_cannot_be_read_ends_with_one_sentence(start, tmp_path):
    small = partial(start, program=('-c', SMALL))
    running = {name: small(*arguments) for name, (arguments, _, _) in BAD_STARTS.items()}
    running |= {name: small(**given) for name, (given, _) in BAD_ENVIRONMENTS.items()}
    for name, text in FILES.items():
        path = tmp_path / f'{name}.yaml'
        path.write_text(text)
        running[name] = small('--ros-args', '--params-file', str(path))
    for name, process in running.items():
        code, said = end(process)
        words = f'{name}.yaml cannot be read'
        if name.startswith('whole'):
            words = 'and all numbers of a list alike'
        _, words = BAD_ENVIRONMENTS.get(name, ('', words))
        _, expected, words = BAD_STARTS.get(name, ('', 1, words))
        # What rcl and rclpy complain of by themselves is left to them.
        ours = [line for line in said.splitlines() if '[vizion3d_ros]' in line or 'unexp' in line]
        assert (code, len(ours)) == (expected, 1), said
        assert words in ours[0]


@pytest.mark.parametrize(
    'program',
    ['ros.nodes.stereo_node', 'ros.testbed.recorder', 'cli mono l.png', 'doors.rest.serve'],
)
def test_a_current_folder_that_is_gone_is_named(start, tmp_path, program):
    gone = tmp_path / 'gone'
    gone.mkdir()
    module, *arguments = program.split()
    process = start(*arguments, program=('-m', f'vizion3d_ros.{module}'), cwd=gone)
    gone.rmdir()
    code, said = end(process)
    assert code == 1 and 'the current folder is gone' in said, said
    assert 'MKL' not in said and 'Traceback' not in said


def test_what_is_given_and_not_known_is_told_and_the_node_starts(start, tmp_path):
    params = tmp_path / 'params.yaml'
    params.write_text('disparity_node:\n  ros__parameters:\n    disparity_range: 64\n')
    given = ['-p', 'max_depth:=10', '-p', 'max_dept:=3.0', '--params-file', str(params)]
    # A unit of systemd has no HOME, and its user may have none that can be written to.
    process = start('--ros-args', *given, HOME=None, ROS_LOG_DIR=None)
    said = wait_for(process, 'write /stereo_node: or /**: in their place')
    assert 'max_dept (did you mean max_depth?)' in said
    process.send_signal(signal.SIGINT)
    assert end(process)[0] == 0


def wait_for(process, words):
    """All lines up to the first with these words."""
    said = ''
    for line in process.stdout:
        said += line
        if words in line:
            return said
    raise AssertionError(said)


def test_help_may_be_read_in_part():
    command = f'{sys.executable} -m vizion3d_ros.ros.testbed.recorder --help | true'
    done = subprocess.run(command, shell=True, cwd=REPOSITORY, stderr=subprocess.PIPE)
    assert done.stderr == b''


@pytest.mark.parametrize('seconds', [0.3, 1.0])
def test_ctrl_c_while_it_is_starting_ends_it_without_a_word(start, seconds):
    code = (
        'import sys; from vizion3d_ros.ros.executables import main; print(1, flush=True); '
        'sys.argv[0] = "stereo_node"; sys.exit(main())'
    )
    process = start(program=('-c', code))
    assert process.stdout.readline() == '1\n'
    time.sleep(seconds)  # somewhere in the imports, or in what follows
    process.send_signal(signal.SIGINT)
    assert end(process)[0] == 0


def test_ctrl_c_while_python_imports_a_node_as_a_module_ends_it_without_a_word(start):
    process = start(program=('-X', 'importtime', *STEREO_NODE))
    wait_for(process, ' vizion3d_ros.ros\n')  # and torch is still to come
    process.send_signal(signal.SIGINT)
    assert end(process)[0] == 0


def test_ctrl_c_twice_is_as_good_as_once(start):
    process = start()
    wait_for(process, 'ready on')
    for _ in range(3):
        process.send_signal(signal.SIGINT)
    assert end(process)[0] == 0


def test_sources_choose_the_transport_profile_and_leave_the_choice_of_others(start):
    code = (
        'import os, sys; sys.argv[1:] = ["--help"]\n'
        'from vizion3d_ros.transport import use_transport_profile\n'
        'use_transport_profile(); print(os.environ.get("FASTRTPS_DEFAULT_PROFILES_FILE"))'
    )
    unset = dict.fromkeys(['FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE'])
    assert end(start(program=('-c', code), **unset))[1].endswith('config/fastdds_shm.xml\n')
    mine = {**unset, 'FASTDDS_DEFAULT_PROFILES_FILE': '/mine.xml'}
    assert end(start(program=('-c', code), **mine))[1] == 'None\n'
