# SPDX-License-Identifier: Apache-2.0
"""`vizion3d_depth export`: what it says, and what it refuses."""

import pytest
import torch
from exported_networks import weights_of


def test_it_says_what_is_in_the_file(call, tmp_path):
    pytest.importorskip('onnxruntime', reason='needs vizion3d_ros[onnx]')
    pytest.importorskip('onnxscript', reason='needs vizion3d_ros[onnx]')
    torch.save(weights_of('mono'), tmp_path / 'hypersim_small.pth')
    arguments = ('hypersim_small.pth', '--size', '42x28', '--precision', 'float16')
    outcome = call('export', *arguments, '--out', 'small.onnx')
    assert (outcome.code, outcome.err) == (0, [])
    told = {line.split()[0]: line for line in outcome.out[1:]}
    assert outcome.out[0].startswith('small.onnx: ')
    assert told['size'].endswith('42x28') and told['precision'].endswith('float16')
    assert told['licence'].endswith('Apache-2.0')
    assert told['units'].endswith('depth: metres along the optical axis')
    assert 'of the range at most' in told['difference']
    assert (tmp_path / 'small.onnx').stat().st_size < 60e6
    assert sorted(path.name for path in tmp_path.iterdir()) == ['hypersim_small.pth', 'small.onnx']


@pytest.mark.parametrize(
    ('given', 'code', 'said'),
    [
        (['s2m2-S'], 2, 'required: --out'),
        (['s2m2-S', '--size', '960', '--out', 'a.onnx'], 2, "such as 960x544, got '960'"),
        (['s2m2-S', '--precision', 'bfloat16', '--out', 'a.onnx'], 2, 'invalid choice'),
        (['s2m2-S', '--out', 'a.pth'], 1, '--out a.pth: expected the path of a file that ends'),
    ],
)
def test_what_it_cannot_do_is_one_line(call, given, code, said):
    outcome = call('export', *given)
    assert (outcome.code, outcome.out) == (code, [])
    (line,) = outcome.err
    assert said in line


def test_a_checkpoint_that_is_not_there_is_one_line(call):
    pytest.importorskip('onnxruntime', reason='needs vizion3d_ros[onnx]')
    pytest.importorskip('onnxscript', reason='needs vizion3d_ros[onnx]')
    outcome = call('export', 's2m2-S', '--out', 'a.onnx')
    (line,) = outcome.err
    assert outcome.code == 1
    assert 'no address to download s2m2-S from is known' in line
