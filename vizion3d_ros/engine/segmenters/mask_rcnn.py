# SPDX-License-Identifier: Apache-2.0
"""Mask R-CNN v2 of torchvision, trained on COCO: objects of 80 classes, each with its mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from vizion3d_ros.contracts.annotation.instances import Segmentation
from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.engine.device import choose_device, enough_memory, every_core
from vizion3d_ros.engine.loading import loading
from vizion3d_ros.engine.network_backend import upload
from vizion3d_ros.engine.segmenters.choice import INSTALL
from vizion3d_ros.engine.segmenters.found import instances_of
from vizion3d_ros.engine.weights import MASK_RCNN, load, resolve

if TYPE_CHECKING:
    from types import ModuleType

    import numpy as np
    from numpy.typing import NDArray

    from vizion3d_ros.contracts.settings.annotation_settings import AnnotationSettings

DEFAULT_MODEL = 'maskrcnn-resnet50-fpn-v2'
NO_CLASS = {'__background__', 'N/A'}  # among the 91 numbers of COCO
REMEDY = 'send smaller images, or end other programs'


class MaskRcnnBackend:
    """
    Holds the network; see Segmenter for the contract.

    The checkpoint is loaded with the first image, and again when the settings name another.
    """

    def __init__(self) -> None:
        """Raise BackendError if torchvision cannot be imported."""
        self._library = _torchvision()
        self._key: tuple[object, ...] = ()
        self._network: Any = None
        self._checkpoint = self._licence = ''

    def segment(self, image: NDArray[np.uint8], settings: AnnotationSettings) -> Segmentation:
        """
        Find what is in an image, uint8 (H, W) grey or (H, W, 3) RGB, by falling confidence.

        Raises BackendError when no checkpoint can be loaded or memory does not suffice.
        """
        device = choose_device(settings.device)
        network = self._loaded(settings, device)
        network.roi_heads.score_thresh = settings.conf_threshold
        network.roi_heads.nms_thresh = settings.iou_threshold
        height, width = image.shape[:2]
        task = f'Mask R-CNN at {width}x{height}'
        with enough_memory(task, REMEDY), every_core(device), torch.inference_mode():
            [found] = network(list(upload(image, device) / 255))
        names = [name for name in self._categories() if name not in NO_CLASS]
        labels = [self._categories()[number] for number in found['labels'].tolist()]
        return Segmentation(
            height,
            width,
            instances_of(
                masks=found['masks'][:, 0] > 0.5,
                boxes=found['boxes'].tolist(),
                confidences=found['scores'].tolist(),
                labels=labels,
                class_ids=[names.index(label) if label in names else -1 for label in labels],
            ),
            f'Mask R-CNN v2 ({device})',
            self._checkpoint,
            self._licence,
        )

    def _categories(self) -> list[str]:
        weights = self._library.models.detection.MaskRCNN_ResNet50_FPN_V2_Weights.COCO_V1
        names: list[str] = weights.meta['categories']
        return names

    def _loaded(self, settings: AnnotationSettings, device: torch.device) -> Any:
        key = (settings.model_backend, settings.sha256, device)
        if key != self._key:
            with loading():
                self._network = self._load(settings, device)
            self._key = key
        return self._network

    def _load(self, settings: AnnotationSettings, device: torch.device) -> Any:
        file = resolve(settings.model_backend or DEFAULT_MODEL, MASK_RCNN, settings.sha256)
        build = self._library.models.detection.maskrcnn_resnet50_fpn_v2
        network = build(weights=None, weights_backbone=None)
        shapes = {
            name: tuple(value.shape)
            for name, value in network.state_dict().items()
            if value.is_floating_point()
        }
        checkpoint = load(file, MASK_RCNN, lambda _: shapes)
        network.load_state_dict(checkpoint.tensors, strict=False)  # counters of training alone
        self._checkpoint, self._licence = str(checkpoint.path), checkpoint.licence
        with enough_memory(f'{checkpoint.path} on {device}', 'choose another device'):
            return network.eval().requires_grad_(False).to(device)


def _torchvision() -> ModuleType:
    try:
        import torchvision
    except (ImportError, OSError, RuntimeError) as error:  # the last: made for another torch
        raise BackendError(
            f'torchvision cannot be imported ({error}): {INSTALL["torchvision"]}'
        ) from error
    module: ModuleType = torchvision
    return module
