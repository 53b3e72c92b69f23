# SPDX-License-Identifier: Apache-2.0
"""
Whose each point of a cloud is: ours beside the plain NumPy idiom, time and accuracy in one table.

    python benchmarks/annotation.py

A million points and 20 masks: balls before a wall, a camera of 1280x800 that sees all. The idiom:
project the points, and look up each mask at the pixels. Masks are true, or 5 px too large, each
for itself, painted over each other in one label image, and over depth with 0.5 % noise.
"""

import time

import cv2
import numpy as np
import torch

from vizion3d_ros.contracts.annotation.instances import Instance, from_mask
from vizion3d_ros.contracts.camera import Intrinsics
from vizion3d_ros.geometry.annotation.assign import assign
from vizion3d_ros.requests.threads import one_thread

CAMERA = Intrinsics(width=1280, height=800, fx=900.0, fy=900.0, cx=639.5, cy=399.5)
RADIUS_M, WALL_M = 0.19, 4.0
FAT_PX, NOISE = 5, 0.005
REPEATS = 9


def scene():
    """Points, float32 (N, 3), and the number of the ball of each pixel, 0 = wall."""
    rows, columns = np.mgrid[: CAMERA.height, : CAMERA.width]
    x, y = (columns - CAMERA.cx) / CAMERA.fx, (rows - CAMERA.cy) / CAMERA.fy
    rays = np.stack([x, y, np.ones_like(x)], -1)
    depth, label = np.full(x.shape, WALL_M), np.zeros(x.shape, int)
    places = [(0.5 * i - 1.0, 0.4 * j - 0.6, 2.2 + 0.1 * ((3 * i + j) % 7)) for i in range(5)
              for j in range(4)]  # fmt: skip
    for number, centre in enumerate(np.array(places), start=1):
        square, product = (rays**2).sum(-1), rays @ centre
        inside = product**2 - square * (centre @ centre - RADIUS_M**2)
        near = (product - np.sqrt(np.maximum(inside, 0))) / square
        hit = (inside > 0) & (near < depth)
        depth[hit], label[hit] = near[hit], number
    return (rays * depth[..., None]).astype(np.float32).reshape(-1, 3), label


def plain(points, masks):
    """Look up each mask at the pixel of each point in front of the camera: bool (N) per mask."""
    ahead = points[:, 2] > 0
    u = np.round(CAMERA.fx * points[:, 0] / points[:, 2] + CAMERA.cx).astype(int)
    v = np.round(CAMERA.fy * points[:, 1] / points[:, 2] + CAMERA.cy).astype(int)
    ahead &= (u >= 0) & (u < CAMERA.width) & (v >= 0) & (v < CAMERA.height)
    found = []
    for mask in masks:
        own = np.zeros(len(points), bool)
        own[ahead] = mask[v[ahead], u[ahead]]
        found.append(own)
    return found


def ours(points, masks):
    instances = [from_mask(mask, Instance(mask)) for mask in masks]
    with one_thread():
        labels = assign(torch.from_numpy(points), CAMERA, instances).labels.numpy()
    return labels


def median_ms(call):
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - start))
    return sorted(times)[REPEATS // 2]


def cases(points, label, count):
    """Points and masks: true ones, too large ones, these in one label image, and noisy depth."""
    kernel = np.ones((2 * FAT_PX + 1,) * 2, np.uint8)
    true = [label == number for number in range(1, count + 1)]
    fat = [cv2.dilate(mask.astype(np.uint8), kernel) > 0 for mask in true]
    painted = np.zeros_like(label)
    for number, mask in enumerate(fat, start=1):
        painted[mask] = number
    factor = 1 + NOISE * np.random.default_rng(0).standard_normal((len(points), 1))
    return {
        'true': (points, true),
        f'{FAT_PX} px too fat': (points, fat),
        'in one image': (points, [painted == number for number in range(1, count + 1)]),
        f'noise {NOISE:.1%}': ((points * factor).astype(np.float32), fat),
    }


def main():
    points, label = scene()
    flat, count = label.ravel(), int(label.max())
    print(f'{len(points)} points, {count} masks, {torch.get_num_threads()} cores')
    print('masks         who     ms    found %  foreign %')
    true = [flat == number for number in range(1, count + 1)]
    for name, (cloud, masks) in cases(points, label, count).items():
        labels = ours(cloud, masks)
        answers = {
            'plain': (plain, plain(cloud, masks)),
            'ours': (ours, [labels == number for number in range(1, count + 1)]),
        }
        for who, (call, found) in answers.items():
            hit = np.mean([(own & t).sum() / t.sum() for own, t in zip(found, true)])
            wrong = np.mean([(own & ~t).sum() / own.sum() for own, t in zip(found, true)])
            spent = median_ms(lambda call=call, given=(cloud, masks): call(*given))
            print(f'{name:12}  {who:5} {spent:6.0f}  {100 * hit:7.2f}  {100 * wrong:9.2f}')


if __name__ == '__main__':
    main()
