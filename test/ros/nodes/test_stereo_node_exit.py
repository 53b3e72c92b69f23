# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C and SIGTERM end the node quickly and quietly, whatever it is doing."""

import signal

import pytest
from scene import TX, info_message, unrelated_pair

pytestmark = pytest.mark.ros

SLOW = {'sgbm.sgbm_mode': 'hh', 'sgbm.disparity_range': 1984}
SIZE = 2000, 150  # seconds of matching, in an image that any transport carries
SHORT = {signal.SIGINT: 'int', signal.SIGTERM: 'term'}
SIGNALS = [pytest.param(number, id=name) for number, name in SHORT.items()]


@pytest.fixture(scope='module')
def nodes(start_node):
    """One node for every test to end, started together."""
    names = [
        f'/{kind}_{signal}' for kind in ('idle', 'busy', 'slow') for signal in ('int', 'term')
    ]
    return {name: start_node(name, SLOW if 'slow' in name else {}) for name in names}


@pytest.mark.parametrize('number', SIGNALS)
def test_an_idle_node_ends(nodes, number):
    node = nodes[f'/idle_{SHORT[number]}']
    node.wait_for_line('ready on')
    node.end(number)
    assert 'ready on' in node.log_file


@pytest.mark.parametrize('number', SIGNALS)
def test_a_node_busy_at_30_hz_ends(meet, number):
    node, robot = meet(f'/busy_{SHORT[number]}')
    robot.stream(30.0)
    depths = robot.listen('depth/image')
    robot.wait_for(lambda: len(depths) > 10, what='depth')
    node.end(number, meanwhile=robot.spin_once)


@pytest.mark.parametrize('number', SIGNALS)
def test_a_node_in_the_matcher_ends(meet, number):
    node, robot = meet(f'/slow_{SHORT[number]}')
    left, right = unrelated_pair(*SIZE)
    robot.listen('depth/image')

    def send():
        robot.send_infos(info_message(0.0, *SIZE), info_message(TX, *SIZE))
        robot.send_images({'grey': left}, {'grey': right})

    robot.status('sync', lambda _, values: values['left paired'] > 0, every=send)
    node.end(number)
    assert not node.lines('depth from'), 'the matcher was too fast to be interrupted'
