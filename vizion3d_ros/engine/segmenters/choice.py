# SPDX-License-Identifier: Apache-2.0
"""Which segmenter a model is for, and what to do where its library is missing."""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec

from vizion3d_ros.contracts.errors import BackendError

# yolo26l-seg.pt, yoloe-26l-seg-pf.pt and the like, at any address
ULTRALYTICS_NAME = re.compile(r'(yolo|fastsam|sam\d?_|rtdetr)[^/]*\.pt$', re.IGNORECASE)
INSTALL = {
    'torchvision': "pip install 'vizion3d_ros[annotation]', or torchvision as it fits your torch",
    'ultralytics': 'pip install ultralytics, whose licence is AGPL-3.0',
}


def segmenter_of(model: str) -> str:
    """
    Name the segmenter that a model is for: 'torchvision' or 'ultralytics'.

    model: '' = whichever is installed, Ultralytics first, as its models are vizion3d's default.
    Raises BackendError, which says what to do, if the library is not there.
    """
    if not model:
        return _installed()
    name = 'ultralytics' if ULTRALYTICS_NAME.search(model.partition('?')[0]) else 'torchvision'
    if not is_installed(name):
        other = 'a model of Ultralytics' if name == 'torchvision' else 'maskrcnn-resnet50-fpn-v2'
        raise BackendError(
            f'{model} is for {name}, which is not installed: {INSTALL[name]}; or name {other} '
            'in model_backend, or give masks of your own'
        )
    return name


def is_installed(name: str) -> bool:
    """Whether a library can be imported; it is not imported for that."""
    return name in sys.modules or find_spec(name) is not None


def _installed() -> str:
    for name in ('ultralytics', 'torchvision'):
        if is_installed(name):
            return name
    raise BackendError(
        'no segmenter is installed, so no objects can be found: '
        f'{INSTALL["torchvision"]}; or {INSTALL["ultralytics"]}; or give masks of your own'
    )
