# SPDX-License-Identifier: Apache-2.0
"""What the command line refuses, in one line, and that its help costs nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from vizion3d_ros.cli.parser import arguments
from vizion3d_ros.contracts import stereo_request

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = ('--fx', 995, '--cx', 311, '--cy', 255, '--baseline-mm', 193)


@pytest.mark.parametrize('command', [[], ['stereo'], ['mono'], ['rig'], ['export']])
def test_help_loads_nothing_heavy(command):
    code = (
        'import sys\n'
        'from vizion3d_ros.cli.main import main\n'
        'try:\n'
        f'    main({[*command, "--help"]})\n'
        'except SystemExit as ended:\n'
        '    assert ended.code == 0\n'
        'heavy = {"numpy", "cv2", "pydantic", "torch", "tqdm", "open3d"} & set(sys.modules)\n'
        'assert not heavy, heavy\n'
    )
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.startswith(f'usage: {" ".join(["vizion3d_depth", *command])}')


def test_the_module_can_be_called_without_a_script():
    rig = ['rig', '--baseline-mm', '65', '--focal-mm', '2.8', '--pixel-um', '3']
    command = [sys.executable, '-m', 'vizion3d_ros.cli', *rig]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, '')
    assert '       1000      60.67' in done.stdout


@pytest.mark.parametrize(
    ('given', 'said'),
    [
        ([], 'the following arguments are required: COMMAND'),
        (['fly'], "invalid choice: 'fly'"),
        (['stereo'], 'required: LEFT|FOLDER'),
        (['stereo', 'a.png', 'b.png'], 'no calibration, so no depth: give --calib FILE'),
        (['stereo', 'a.png', 'b.png'], 'or --fx, --cx, --cy and --baseline-mm'),
        (['stereo', 'a.png', 'b.png', *NUMBERS[:4]], 'missing: --cy, --baseline-mm'),
        (['stereo', 'a.png', 'b.png', '--doffs', 3], 'missing: --fx, --cx, --cy, --baseline-mm'),
        (['stereo', 'a', 'b', '--calib', 'c', *NUMBERS], 'got --calib and --fx, --cx, --cy'),
        (['stereo', 'a', '--fx', 'wide'], "argument --fx: invalid float value: 'wide'"),
        (['rig', '--baseline-mm', 65], 'required: --focal-mm, --pixel-um'),
    ],
)
def test_what_cannot_be_understood_is_exit_code_2_and_one_line(call, given, said):
    outcome = call(*given)
    assert (outcome.code, outcome.out) == (2, [])
    (line,) = outcome.err
    assert said in line
    assert line.startswith('vizion3d_depth') and line.endswith('--help')


def test_names_are_those_of_the_contract_and_of_the_node():
    def backend(*given):
        return arguments.parse(['stereo', 'folder', *given]).backend

    assert backend() == backend('--backend', 'sgbm') == stereo_request.OPENCV_SGBM
    assert backend('--backend', 's2m2-L') == backend('--model-backend', 's2m2-L') == 's2m2-L'
    assert arguments.parse(['mono', 'image.png']).model == 'depth-anything-v2-base'
