# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for matchers and networks: what they answer is known, and what they were asked."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import torch

from vizion3d_ros.contracts.results import Estimate, Match
from vizion3d_ros.engine import registry

EXAMPLES = Path(__file__).parent / 'data' / 'vizion3d_examples.txt'


class KnownMatcher:
    """Answers one disparity map, or one number everywhere; notes what it was asked with."""

    def __init__(self, disparity, confidence=0.75, visibility=0.75, checkpoint=''):
        self.maps = disparity, confidence, visibility
        self.checkpoint = checkpoint
        self.asked = []

    def match(self, left, right, rig, settings):
        self.asked.append(settings)
        disparity, confidence, visibility = (
            np.broadcast_to(np.float32(values), left.shape[:2]).copy() for values in self.maps
        )
        checkpoint = self.checkpoint or settings.s2m2.model_backend
        return Match(disparity, confidence, visibility, -500.0, 500.0, 1 / 64, 'known', checkpoint)


class KnownNetwork:
    """Answers one map of depth or inverse depth; notes the settings it was asked with."""

    def __init__(self, values, metric=False):
        self.values = np.float32(values)
        self.metric = metric
        self.asked = []

    def estimate(self, image, settings):
        self.asked.append(settings)
        values = torch.from_numpy(np.broadcast_to(self.values, image.shape[:2]).copy())
        return Estimate(values, self.metric, 'known', settings.depth_anything_v2.model_backend)


def serve(monkeypatch, table, name, factory):
    """Let a registry make its backend `name` with factory()."""
    module = ModuleType(f'known_{name}')
    module.make = factory
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(table, name, f'{module.__name__}:make')


def serve_matcher(monkeypatch, matcher, name='s2m2'):
    """Let every pipeline use this matcher."""
    serve(monkeypatch, registry.STEREO_BACKENDS, name, lambda: matcher)
    return matcher


def serve_network(monkeypatch, network):
    """Let every pipeline use this one-camera network."""
    serve(monkeypatch, registry.MONO_BACKENDS, 'depth_anything_v2', lambda: network)
    return network


def noise(height, width, seed=0):
    """An RGB image, uint8 (height, width, 3)."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def documented_examples(module):
    """vizion3d's Python examples that use one of its modules, by title, for our package."""
    parts = [part.partition('\n') for part in EXAMPLES.read_text('utf-8').split('### ')[1:]]
    ours = {
        title: code.replace('from vizion3d.', 'from vizion3d_ros.') for title, _, code in parts
    }
    return {title: code for title, code in ours.items() if f'vizion3d_ros.{module} ' in code}
