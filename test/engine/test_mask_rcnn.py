# SPDX-License-Identifier: Apache-2.0
"""Mask R-CNN: its checkpoint is judged by names and shapes; with torchvision it runs."""

import numpy as np
import pytest
import torch

from vizion3d_ros.contracts.errors import CheckpointError
from vizion3d_ros.contracts.settings.annotation_settings import AnnotationSettings
from vizion3d_ros.engine.weights import DEPTH_ANYTHING_V2, MASK_RCNN, load, resolve

TENSORS = {
    'roi_heads.box_head.0.0.weight': torch.ones(2, 3),
    'roi_heads.mask_head.0.0.weight': torch.ones(4),
    'roi_heads.mask_head.0.1.num_batches_tracked': torch.tensor(7),
}
SHAPES = {name: tuple(t.shape) for name, t in TENSORS.items() if t.is_floating_point()}


def stored(tmp_path, tensors):
    path = tmp_path / 'mask_rcnn.pth'
    torch.save(tensors, path)
    return resolve(str(path), MASK_RCNN)


def test_counters_of_training_are_left_out(tmp_path):
    checkpoint = load(stored(tmp_path, TENSORS), MASK_RCNN, lambda _: SHAPES)
    assert checkpoint.variant == 'resnet50'
    assert 'BSD-3-Clause' in checkpoint.licence
    assert checkpoint.tensors.keys() == SHAPES.keys()


def test_the_first_version_of_the_network_is_refused(tmp_path):
    older = {name: t for name, t in TENSORS.items() if 'box_head' not in name}
    with pytest.raises(CheckpointError, match='no known size of Mask R-CNN v2'):
        load(stored(tmp_path, older), MASK_RCNN, lambda _: SHAPES)


def test_the_name_is_for_this_network_alone():
    with pytest.raises(CheckpointError, match=r'is a Mask R-CNN v2 model, expected one of Depth'):
        resolve('maskrcnn-resnet50-fpn-v2', DEPTH_ANYTHING_V2)


@pytest.mark.slow
def test_with_torchvision_objects_are_found(tmp_path):
    try:
        from torchvision.models.detection import maskrcnn_resnet50_fpn_v2
    except (ImportError, RuntimeError):
        pytest.skip('torchvision is not installed, or was made for another torch')
    from vizion3d_ros.engine.segmenters.mask_rcnn import MaskRcnnBackend

    torch.manual_seed(0)
    path = tmp_path / 'rule.pth'
    network = maskrcnn_resnet50_fpn_v2(weights=None, weights_backbone=None)
    torch.save(network.state_dict(), path)
    settings = AnnotationSettings(model_backend=str(path), conf_threshold=0.0, device='cpu')
    image = np.random.default_rng(0).integers(0, 256, (64, 80, 3), dtype=np.uint8)
    found = MaskRcnnBackend().segment(image, settings)
    assert (found.height, found.width, found.checkpoint) == (64, 80, str(path))
    assert all(0 <= each.class_id < 80 and each.label for each in found.instances)
    confidences = [each.confidence for each in found.instances]
    assert confidences == sorted(confidences, reverse=True)
