# SPDX-License-Identifier: Apache-2.0
"""Weights and images by rule, for the golden vectors in test/data/s2m2."""

import gzip
import hashlib
import json
import math
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

DATA = Path(__file__).parent / 'data' / 's2m2'
CASES = json.loads((DATA / 'cases.json').read_text())
STATE_DICTS = json.loads(gzip.decompress((DATA / 'state_dicts.json.gz').read_bytes()))
GAINS = {
    'global_refiner.out_feat.0.weight': 0.05,
    'refiner.disp_update.2.weight': 3.0,
    'refiner.conf_occ_update.2.weight': 3.0,
    '.attn.q.weight': 2.0,
    '.attn.k.weight': 2.0,
    '.attn.proj.weight': 0.5,
    '.attn.pe_proj.weight': 4.0,
}
CENTRED = (
    *('.attn.v.weight', '.ffn.2.weight', '.convs.2.weight', '.convs_1x.2.weight'),
    *('.feature_fusion.2.weight', '.conv0.2.weight', '.conv1_down.2.weight', '.conv2.2.weight'),
)


def golden() -> dict[str, np.ndarray]:
    with np.load(DATA / 'golden.npz') as stored:
        return dict(stored)


def fractions(seed, shape):
    """Raw PCG64 output as float64 in [0, 1): the same on every machine."""
    raw = np.random.PCG64(seed).random_raw(int(np.prod(shape)))
    return ((raw >> np.uint64(11)) * 2.0**-53).reshape(shape)


def weight(name, shape, seed):
    u = (2 * fractions(zlib.crc32(name.encode()) ^ seed, shape) - 1) * math.sqrt(3)
    if name.startswith(('cnn_backbone.norm1', 'disp_init.layer_norm')):
        centre = 0.42 if name.startswith('disp_init') else 1.0
        values = centre * (1 + 0.1 * u) if name.endswith('weight') else 0.1 * u
    elif name.endswith('.bias'):
        values = 0.05 * u + (0.05 if name == 'global_refiner.out_feat.0.bias' else 0)
    else:
        gain = next((value for end, value in GAINS.items() if name.endswith(end)), 1.0)
        values = gain / math.sqrt(math.prod(shape[1:])) * u
    if name.endswith(CENTRED):
        mean = values.reshape(shape[0], -1).mean(axis=1)
        mean = np.round(mean * 2.0**24) * 2.0**-24
        values = values - mean.reshape(-1, *[1] * (len(shape) - 1))
    return values.astype(np.float32)


@lru_cache(maxsize=1)
def state_dict(variant, seed):
    shapes = STATE_DICTS[variant]
    return {name: torch.from_numpy(weight(name, shapes[name], seed)) for name in shapes}


def fingerprint(weights):
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode() + weights[name].numpy().astype('<f4').tobytes())
    return digest.hexdigest()


def texture(seed, height, width):
    out = np.zeros((3, height, width))
    for octave, (cell, amount) in enumerate(((32, 0.40), (12, 0.30), (5, 0.20), (2, 0.10))):
        lattice = fractions(seed * 16 + octave, (3, height // cell + 2, width // cell + 2))
        (iy, fy), (ix, fx) = (
            (np.arange(size) // cell, np.arange(size) / cell - np.arange(size) // cell)
            for size in (height, width)
        )
        top, bottom = (
            lattice[:, row][:, :, ix] * (1 - fx) + lattice[:, row][:, :, ix + 1] * fx
            for row in (iy, iy + 1)
        )
        out += amount * (top * (1 - fy[:, None]) + bottom * fy[:, None])
    return out


def make_pair(height, width, seed, disparities):
    """Left and right, uint8 (3, height, width): three layers of texture, back to front."""
    margin = 64
    boxes = (
        (0, height, -margin, width + margin),
        (height // 6, height * 5 // 8, width * 5 // 16, width * 11 // 16),
        (height // 2, height * 7 // 8, width // 2, width * 15 // 16),
    )
    left, right = np.zeros((2, 3, height, width))
    for number, ((y0, y1, x0, x1), disparity) in enumerate(zip(boxes, disparities)):
        layer = texture(seed * 8 + number, height, width + 2 * margin)
        for image, shift in ((left, 0), (right, disparity)):
            a, b = max(x0 - shift, 0), min(x1 - shift, width)
            part = layer[:, y0:y1, a + shift + margin : b + shift + margin]
            image[:, y0:y1, a:b] = part
    return tuple(np.floor(x * 255 + 0.5).clip(0, 255).astype(np.uint8) for x in (left, right))


def images(case):
    """Left and right of a case, uint8 (B, 3, H, W), before any padding."""
    pairs = zip(case['pair_seeds'], case['pair_disparities'])
    left, right = zip(*(make_pair(*case['size'], *pair) for pair in pairs))
    return torch.from_numpy(np.stack(left)), torch.from_numpy(np.stack(right))
