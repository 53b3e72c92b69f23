# SPDX-License-Identifier: Apache-2.0
"""Backends by name, imported on demand so that one backend never needs another's packages."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.engine.loading import loading

if TYPE_CHECKING:
    from vizion3d_ros.contracts.settings.node_settings import NetworkSettings
    from vizion3d_ros.engine.backend import MonoBackend, Segmenter, StereoBackend

STEREO_BACKENDS = {
    'sgbm': 'vizion3d_ros.engine.sgbm.matcher:SgbmBackend',
    's2m2': 'vizion3d_ros.engine.s2m2:S2m2Backend',
    'onnx': 'vizion3d_ros.engine.onnx.stereo:OnnxStereoBackend',
}


MONO_BACKENDS = {
    'depth_anything_v2': 'vizion3d_ros.engine.depth_anything_v2:DepthAnythingBackend',
    'onnx': 'vizion3d_ros.engine.onnx.mono:OnnxMonoBackend',
}

SEGMENTERS = {
    'torchvision': 'vizion3d_ros.engine.segmenters.mask_rcnn:MaskRcnnBackend',
    'ultralytics': 'vizion3d_ros.engine.segmenters.ultralytics_models:UltralyticsBackend',
}


def load_stereo_backend(name: str) -> StereoBackend:
    """Make the matcher called name; BackendError lists the names there are."""
    backend: StereoBackend = _make(STEREO_BACKENDS, name)
    return backend


def load_mono_backend(name: str) -> MonoBackend:
    """Make the one-camera network called name; BackendError lists the names there are."""
    backend: MonoBackend = _make(MONO_BACKENDS, name)
    return backend


def load_segmenter(name: str) -> Segmenter:
    """Make the segmenter called name; BackendError lists the names there are."""
    segmenter: Segmenter = _make(SEGMENTERS, name)
    return segmenter


def check_network(name: str, settings: NetworkSettings) -> None:
    """
    Raise BackendError if it is plain that the backend called name cannot load its checkpoint.

    Loads nothing, and asks no server.
    """
    backend = name.removeprefix('mono_')  # where settings are those of both kinds
    check = getattr(_class({**STEREO_BACKENDS, **MONO_BACKENDS}, backend), 'check', None)
    if check is not None:
        check(settings)


def _make(table: dict[str, str], name: str) -> Any:
    with loading():  # what it imports may take seconds
        return _class(table, name)()


def _class(table: dict[str, str], name: str) -> Any:
    if name not in table:
        raise BackendError(f'unknown backend {name!r}: choose one of {sorted(table)}')
    module, _, factory = table[name].partition(':')
    return getattr(import_module(module), factory)
