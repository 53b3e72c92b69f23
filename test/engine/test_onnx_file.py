# SPDX-License-Identifier: Apache-2.0
"""What an ONNX file says is read without its packages; damage is told, whatever it is."""

import numpy as np
import pytest

from vizion3d_ros.engine.onnx_file import LARGEST_NOTE, DamagedError, fault, read


def field(number, content):
    """A field with a length, as protocol buffers write it."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value):
    groups = [value >> shift & 0x7F for shift in range(0, max(1, value.bit_length()), 7)]
    return bytes([group | 0x80 for group in groups[:-1]] + groups[-1:])


def note(name, value):
    return field(14, field(1, name.encode()) + field(2, value.encode()))


def network(graph=b'graph'):
    """IR version 9, a producer, a graph, opset 18 of ONNX and 1 of another domain, two notes."""
    opsets = field(8, field(1, b'') + b'\x10\x12') + field(8, field(1, b'ai.other') + b'\x10\x01')
    notes = note('licence', 'Apache-2.0') + note('size', '960x544')
    return b'\x08\x09' + field(2, b'me') + field(7, graph) + opsets + notes


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / 'network.onnx'
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize('size', [5, 300, LARGEST_NOTE + 1])
def test_notes_and_opset_are_read_past_weights_of_any_size(size, write):
    path = write(network(b'w' * size))
    assert fault(path) == ''
    found = read(path)
    assert found.opset == 18
    assert found.notes == {'licence': 'Apache-2.0', 'size': '960x544'}


def test_every_cut_is_told(write):
    whole = network()
    before_graph = whole.index(b'graph')
    for length in range(1, before_graph + len(b'graph')):
        assert fault(write(whole[:length])), length


@pytest.mark.parametrize(
    ('content', 'said'),
    [
        (b'', 'it holds no graph'),
        (b'\x08\x09', 'it holds no graph'),
        (network()[:12], 'cut short: 5 bytes are announced, 4 are there'),
        (b'\x08' + b'\xff' * 12, 'ends no number'),
        (b'\x0b' + network(), 'byte 1 begins no field'),
    ],
)
def test_damage_is_named(content, said, write):
    assert said in fault(write(content))


def test_noise_is_damage_or_a_file_and_nothing_else(write):
    rng = np.random.default_rng(9)
    whole = network()
    for _ in range(300):
        content = bytearray(whole)
        for place in rng.integers(0, len(whole), 3):
            content[place] = rng.integers(0, 256)
        try:
            read(write(bytes(content)))
        except DamagedError as error:
            assert str(error)
