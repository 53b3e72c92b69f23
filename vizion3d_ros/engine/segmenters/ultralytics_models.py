# SPDX-License-Identifier: Apache-2.0
"""
Segmentation models of Ultralytics, if the user has installed them: nothing here needs them.

The library and its weights are under AGPL-3.0, which is logged. It unpickles its model files, so
that code in them runs: only the user chooses them.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from vizion3d_ros.contracts.annotation.instances import Segmentation
from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.engine.device import choose_device, enough_memory
from vizion3d_ros.engine.loading import loading
from vizion3d_ros.engine.segmenters.choice import INSTALL
from vizion3d_ros.engine.segmenters.found import instances_of
from vizion3d_ros.engine.weights import resolve
from vizion3d_ros.engine.weights.names import VIZION3D

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

    from vizion3d_ros.contracts.settings.annotation_settings import AnnotationSettings

DEFAULT_MODEL = 'yolo26l-seg.pt'
LICENCE = 'AGPL-3.0 (or a licence bought from Ultralytics)'
REMEDY = 'send smaller images, or end other programs'

log = logging.getLogger(__name__)


class UltralyticsBackend:
    """Holds the model; see Segmenter for the contract."""

    def __init__(self) -> None:
        """Raise BackendError if the library cannot be imported."""
        self._library = _ultralytics()
        self._key: tuple[str, str] | None = None
        self._model: Any = None
        self._checkpoint = ''
        log.warning(
            'ultralytics is under the licence %s, which holds for programs that use it, on '
            'servers too; torchvision is without such terms',
            LICENCE,
        )

    def segment(self, image: NDArray[np.uint8], settings: AnnotationSettings) -> Segmentation:
        """
        Find what is in an image, uint8 (H, W) grey or (H, W, 3) RGB, by falling confidence.

        Raises BackendError when the model cannot be had, has no masks or fails.
        """
        height, width = image.shape[:2]
        key = (settings.model_backend or DEFAULT_MODEL, settings.sha256)
        if key != self._key:
            with loading():
                self._model, self._checkpoint = self._load(*key)
            self._key = key
        with enough_memory(f'{self._checkpoint} at {width}x{height}', REMEDY):
            [found] = self._model.predict(
                _bgr(image),
                conf=settings.conf_threshold,
                iou=settings.iou_threshold,
                device=str(choose_device(settings.device)),
                retina_masks=True,  # at the size of the image
                verbose=False,
            )
        return Segmentation(
            height, width, self._instances(found), 'ultralytics', self._checkpoint, LICENCE
        )

    def _instances(self, found: Any) -> Any:
        if not len(found.boxes):
            return ()
        if found.masks is None:
            raise BackendError(
                f'{self._checkpoint} finds boxes but no masks: name a segmentation model, such as '
                f'{DEFAULT_MODEL}'
            )
        class_ids = [int(number) for number in found.boxes.cls.tolist()]
        return instances_of(
            masks=torch.as_tensor(found.masks.data) > 0.5,
            boxes=found.boxes.xyxy.tolist(),
            confidences=found.boxes.conf.tolist(),
            labels=[str(found.names[number]) for number in class_ids],
            class_ids=class_ids,
        )

    def _load(self, model: str, sha256: str) -> tuple[Any, str]:
        if model == DEFAULT_MODEL and not Path(model).is_file():
            model = f'{VIZION3D}/{DEFAULT_MODEL}'
        file = resolve(model, None, sha256)
        file.check(sha256)
        try:
            return self._library.YOLO(str(file.path)), str(file.path)
        except Exception as error:  # it raises all kinds
            raise BackendError(f'ultralytics cannot load {file.path}: {error}') from error


def _bgr(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give the image as OpenCV has it, uint8 (H, W, 3)."""
    colour = image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
    return np.ascontiguousarray(colour[..., ::-1])


def _ultralytics() -> ModuleType:
    try:
        import ultralytics
    except (ImportError, OSError, RuntimeError) as error:
        raise BackendError(
            f'ultralytics cannot be imported ({error}): {INSTALL["ultralytics"]}'
        ) from error
    module: ModuleType = ultralytics
    return module
