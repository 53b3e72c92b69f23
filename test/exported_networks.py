# SPDX-License-Identifier: Apache-2.0
"""Networks in ONNX files: rule-made ones of ours, exported once a run, and small stand-ins."""

import fcntl

import depth_anything_rules
import numpy as np
import pytest
import s2m2_rules
import torch

SEED = 103
STEREO_SIZE, MONO_SIZE = (192, 128), (140, 140)  # width and height


def weights_of(kind):
    if kind == 'stereo':
        return {k: torch.as_tensor(v) for k, v in s2m2_rules.state_dict('S', SEED).items()}
    return depth_anything_rules.state_dict('vits')


def exported(tmp_path_factory, kind):
    """
    A file of ours, stereo or mono, and the checkpoint beside it that it was made of.

    Both are made once for all workers of a run.
    """
    pytest.importorskip('onnxruntime', reason='needs vizion3d_ros[onnx]')
    pytest.importorskip('onnxscript', reason='needs vizion3d_ros[onnx]')
    from vizion3d_ros.engine.onnx.export.write import export

    folder = tmp_path_factory.getbasetemp()
    if folder.name.startswith('popen-'):  # that of one worker
        folder = folder.parent
    checkpoint, out = folder / f'rule_made_{kind}.pth', folder / f'rule_made_{kind}.onnx'
    with (folder / f'{kind}.lock').open('w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not out.exists():
            torch.save(weights_of(kind), checkpoint)
            size = STEREO_SIZE if kind == 'stereo' else MONO_SIZE
            export(str(checkpoint), size, 'float32', out)
    return out, checkpoint


def pair(seed=5):
    """A pair of the size of the exported network, uint8 (H, W, 3) each."""
    width, height = STEREO_SIZE
    images = s2m2_rules.make_pair(height, width, seed, (4, 9, 14))
    return tuple(np.ascontiguousarray(image.transpose(1, 2, 0)) for image in images)


def stand_in(path, inputs, nodes, outputs, opset=18, **model):
    """
    Write a small network: inputs and outputs by name with their shapes, nodes of onnx.helper.

    constants: arrays by name, number: format of inputs and outputs, answers: of the outputs if it
    is another; among the model's arguments.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    constants = model.pop('constants', {})
    number = model.pop('number', TensorProto.FLOAT)
    answers = model.pop('answers', number)

    def info(values, number):
        return [helper.make_tensor_value_info(n, number, shape) for n, shape in values.items()]

    graph = helper.make_graph(
        nodes,
        'stand-in',
        info(inputs, number),
        info(outputs, answers),
        [numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items()],
    )
    imports = [helper.make_opsetid('', opset)]
    onnx.save(helper.make_model(graph, opset_imports=imports, ir_version=9, **model), str(path))
    return path
