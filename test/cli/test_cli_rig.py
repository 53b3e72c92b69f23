# SPDX-License-Identifier: Apache-2.0
"""The table of a rig as it is printed and drawn."""

import os
import subprocess
import sys

import cv2
import pytest

RIG = ('rig', '--baseline-mm', 65, '--focal-mm', 2.8, '--pixel-um', 3)


def rows(outcome):
    """Depth in mm to the other cells of its row."""
    cells = [line.split() for line in outcome.out]
    return {float(row[0]): row[1:] for row in cells if row and row[0].isdigit()}


def test_the_ten_depths_get_disparity_step_error_and_verdict(call):
    table = rows(call(*RIG, '--scale', 0.5))
    assert list(table) == [200, 300, 400, 500, 750, 1000, 2000, 3000, 4000, 5000]
    assert table[1000] == ['60.67', '30.33', '2.06', '16.48', '1.65']
    verdicts = {depth: ' '.join(row[5:]) for depth, row in table.items() if row[5:]}
    assert verdicts == {200: 'too near', 4000: 'too far', 5000: 'too far'}


def test_first_and_last_lines_say_what_rig_and_what_range(call):
    out = call(*RIG, '--scale', 0.5).out
    assert 'fx = 933.33 px, 81 degrees wide' in out[0]
    assert out[1].startswith('Matched at 800x650: disparities up to 111 px')
    assert out[-1] == (
        'Usable from 273 mm (disparity 111 px, where both cameras see 86 % of the width) '
        'to 3033 mm (the error reaches 5 % of the depth)'
    )


def test_own_depths_and_limits_are_used(call):
    limits = ('--max-disparity', 200, '--error-percent', 10, '--disparity-error', 0.25)
    outcome = call(*RIG, *limits, '--depths-mm', 250, 303.4, 24266)
    assert [row[-1] for row in rows(outcome).values()] == ['near', '10.00']
    assert outcome.out[-1].startswith('Usable from 303 mm')
    assert 'to 24267 mm (the error reaches 10 % of the depth)' in outcome.out[-1]


def test_a_rig_that_can_measure_nothing_is_said_to(call):
    outcome = call(*RIG, '--max-disparity', 5, '--error-percent', 1)
    assert outcome.code == 0
    assert outcome.out[-1].startswith('No depth is usable: nearer than 12133 mm')


def test_the_plot_is_written_where_asked(call, tmp_path):
    outcome = call(*RIG, '--plot', 'figures/rig.png')
    assert (outcome.code, outcome.out[-1]) == (0, 'figures/rig.png written')
    assert cv2.imread(str(tmp_path / 'figures' / 'rig.png')).shape == (574, 1360, 3)


@pytest.mark.parametrize(
    ('given', 'said'),
    [
        (('--focal-mm', 0), 'focal_mm: Input should be greater than or equal to'),
        (('--scale', 2), 'scale: Input should be less than or equal to 1, got 2.0'),
        (('--error-percent', 100), '--error-percent must be between 0 and 100, got 100'),
        (('--depths-mm', 100, 0), '--depths-mm must be above 0, at most 1e+09, got 0'),
        (('--depths-mm', 'nan'), '--depths-mm must be above 0, at most 1e+09, got nan'),
        (('--plot', '/proc/none/rig.png'), '/proc/none/rig.png: cannot be written'),
    ],
)
def test_what_is_no_rig_is_exit_code_1_and_one_line(call, given, said):
    outcome = call(*RIG, *given)
    (line,) = outcome.err
    assert outcome.code == 1
    assert line.startswith(f'vizion3d_depth rig: {said}')


def printed_to(output):
    """Exit code and error output of a process whose standard output that is."""
    command = [sys.executable, '-m', 'vizion3d_ros.cli', *map(str, RIG)]
    ended = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True)
    return ended.returncode, ended.stderr


def test_an_output_that_nobody_reads_or_that_is_full_is_no_traceback():
    with open('/dev/full', 'w') as full:
        code, said = printed_to(full)
    cure = 'standard output: No space left on device; name another place\n'
    assert (code, said) == (1, f'vizion3d_depth rig: {cure}')
    reader, writer = os.pipe()
    os.close(reader)
    assert printed_to(writer) == (1, '')
    os.close(writer)
