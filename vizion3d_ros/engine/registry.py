# SPDX-License-Identifier: Apache-2.0
"""Matchers by name, imported on demand so that one backend never needs another's packages."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from vizion3d_ros.contracts.errors import BackendError

if TYPE_CHECKING:
    from vizion3d_ros.engine.backend import StereoBackend

STEREO_BACKENDS = {
    'sgbm': 'vizion3d_ros.engine.sgbm:SgbmBackend',
    's2m2': 'vizion3d_ros.engine.s2m2:S2m2Backend',
}


def load_stereo_backend(name: str) -> StereoBackend:
    """Make the backend called name; BackendError lists the names there are."""
    if name not in STEREO_BACKENDS:
        raise BackendError(f'unknown backend {name!r}: choose one of {sorted(STEREO_BACKENDS)}')
    module, _, factory = STEREO_BACKENDS[name].partition(':')
    backend: StereoBackend = getattr(import_module(module), factory)()
    return backend
