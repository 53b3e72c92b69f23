# SPDX-License-Identifier: Apache-2.0
"""
Objects in clouds from Python, with vizion3d's names, units and defaults.

    from vizion3d_ros.annotation import ObjectMaskAnnotation3D, ObjectMaskAnnotation3DCommand

    result = ObjectMaskAnnotation3D().run(ObjectMaskAnnotation3DCommand(point_cloud=cloud))

Models stay in memory for as long as the process lives.
"""

from __future__ import annotations

from vizion3d_ros.contracts.annotation.cloud import ColoredPoints
from vizion3d_ros.contracts.annotation.request import (
    InstanceMask,
    ObjectMaskAnnotation3DCommand,
    ObjectMaskAnnotation3DConfig,
)
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.settings.annotation_settings import AnnotationSettings
from vizion3d_ros.engine.device import choose_device
from vizion3d_ros.pipeline.annotation import AnnotationPipeline
from vizion3d_ros.requests.annotation.answer import answer_annotation
from vizion3d_ros.requests.annotation.views import MaskAnnotation3D, ObjectMaskAnnotation3DResult
from vizion3d_ros.requests.pipelines import SharedPipelines

__all__ = [
    'ColoredPoints',
    'InstanceMask',
    'MaskAnnotation3D',
    'ObjectMaskAnnotation3D',
    'ObjectMaskAnnotation3DCommand',
    'ObjectMaskAnnotation3DConfig',
    'ObjectMaskAnnotation3DResult',
]

_pipelines = SharedPipelines(AnnotationPipeline)


class ObjectMaskAnnotation3D:
    """Answers commands; safe to use from many threads, and cheap to make."""

    def __init__(self, device: str = 'auto') -> None:
        """Choose the device: auto (CUDA when there is one), cpu, cuda or cuda:N."""
        self._device = str(choose_device(device))

    def run(self, command: ObjectMaskAnnotation3DCommand) -> ObjectMaskAnnotation3DResult:
        """
        Answer one command; the first for a checkpoint loads it, and downloads it if need be.

        Raises InputError, which names the field, for a cloud, image or masks that cannot be used,
        and BackendError if there is no segmenter, or its checkpoint cannot be had.
        """
        if not isinstance(command, ObjectMaskAnnotation3DCommand):
            kind = type(command).__name__
            raise InputError(f'expected an ObjectMaskAnnotation3DCommand, got {kind}')
        settings = AnnotationSettings(device=self._device)
        return answer_annotation(command, _pipelines.run, settings).answer
