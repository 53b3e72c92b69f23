# SPDX-License-Identifier: Apache-2.0
"""Weights, inputs and images by rule, for the golden vectors in test/data/depth_anything_v2."""

import gzip
import json
import math
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

DATA = Path(__file__).parent / 'data' / 'depth_anything_v2'
CASES = json.loads((DATA / 'cases.json').read_text())
STATE_DICTS = json.loads(gzip.decompress((DATA / 'state_dicts.json.gz').read_bytes()))
NETWORK_SIZES = json.loads((DATA / 'network_sizes.json').read_text())
DIGESTS = json.loads((DATA / 'rule_check.json').read_text())
SEED = 2
CLOSE = 2e-5  # of the range of what is expected
CENTRE_AND_SPREAD = (
    (('norm.weight', 'norm1.weight', 'norm2.weight'), (1.0, 0.25)),
    (('.gamma',), (0.5, 0.25)),
    (('pos_embed', 'cls_token', 'mask_token'), (0.0, 0.75)),
    (('output_conv2.2.weight',), (0.03, 0.2)),
    (('output_conv2.2.bias',), (0.5, 0.0)),
    (('.bias',), (0.0, 0.2)),
)
GAINS = {
    'attn.qkv.weight': 1.5,
    'layer2_rn.weight': 1.5,
    'layer3_rn.weight': 2.0,
    'layer4_rn.weight': 3.0,
}
TRANSPOSED = ('resize_layers.0.weight', 'resize_layers.1.weight')
EMBEDDING = ('cls_token', 'pos_embed', 'patch_embed.proj.weight', 'patch_embed.proj.bias')


@lru_cache(maxsize=1)
def golden():
    with np.load(DATA / 'golden.npz') as stored:
        return dict(stored)


def noise(label, shape):
    """SplitMix64, one output for each element: float64 in [-1, 1), the same on every machine."""
    first = zlib.crc32(label.encode()) + (SEED << 32) + 1
    state = np.arange(first, first + math.prod(shape), dtype=np.uint64)
    state *= np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        state ^= state >> np.uint64(shift)
        state *= np.uint64(factor)
    return ((state >> np.uint64(40)).astype(np.float64) / 2**23 - 1).reshape(shape)


def spread_of(name, shape):
    """Centre and largest deviation of a weight."""
    for endings, known in CENTRE_AND_SPREAD:
        if name.endswith(endings):
            return known
    gain = next((gain for ending, gain in GAINS.items() if name.endswith(ending)), 1.0)
    fan_in = shape[0] if name.endswith(TRANSPOSED) else math.prod(shape[1:])
    return 0.0, gain * math.sqrt(3 / fan_in)


def weight(name, shape):
    centre, spread = spread_of(name, shape)
    return torch.from_numpy((centre + spread * noise(name, shape)).astype(np.float32))


@lru_cache(maxsize=1)
def state_dict(encoder='vits'):
    """Tensors by name; shared, so nobody may write to them."""
    return {name: weight(name, shape) for name, shape in STATE_DICTS[encoder].items()}


def state_dict_of(case):
    scale = case.get('embedding_scale', 1.0)
    return {
        name: value * scale if name.endswith(EMBEDDING) else value
        for name, value in state_dict().items()
    }


def network_input(label, shape):
    """float32 of this shape; stands for a normalised image."""
    return torch.from_numpy((1.8 * noise(label, shape)).astype(np.float32))


def image(label, height, width):
    """uint8 (height, width, 3), channels in blue-green-red order."""
    y, x = np.indices((height, width))
    grain = (24 * noise(label, (height, width, 3))).astype(np.int64)
    channels = []
    for c in range(3):
        slow = triangle(3 * x + (c + 2) * y + 40 * c, 97 + 22 * c)
        fast = triangle((5 - c) * x - 4 * y + 13 * c, 23 + 6 * c)
        board = 70 * ((x // 17 + y // 13 + c) % 2)
        channels.append((2 * slow + fast) // 4 + board)
    return (np.stack(channels, axis=-1) + grain).clip(0, 255).astype(np.uint8)


def triangle(place, half_period):
    """A wave between 0 and 255, in whole numbers."""
    return abs(place % (2 * half_period) - half_period) * 255 // half_period


def rgb_image(case):
    """uint8 (height, width, 3)."""
    return image(case['label'], *case['image_size'])[..., ::-1].copy()


def difference(name, array, found):
    """Largest difference from a stored array, as a share of its range."""
    steps = CASES[name]['arrays'][array]
    expected = golden()[f'{name}/{array}']
    found = np.asarray(found)[tuple(slice(None, None, step) for step in steps)]
    assert found.shape == expected.shape
    return np.abs(found - expected).max() / np.ptp(expected)
