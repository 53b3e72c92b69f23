# SPDX-License-Identifier: Apache-2.0
"""
What a call of the Python API costs besides matching, for a 1280x720 pair.

    python benchmarks/python_api.py [--calls 15] [--json FILE]

The matcher is replaced by a stored answer in which every pixel is valid. Asked for are depth,
disparity, the 16-bit picture and the cloud, and all open3d objects are read. The pair comes as
arrays or as the bytes of PNG files.

ours: vizion3d_ros.stereo, stage by stage and as one call; the call reads no nested lists.
plain idiom: cv2.imdecode, nested lists with tolist, NumPy unprojection, Vector3dVector.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import open3d as o3d
from machine import print_table

from vizion3d_ros import stereo
from vizion3d_ros.contracts.results import Match
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.engine import registry
from vizion3d_ros.pipeline import StereoPipeline
from vizion3d_ros.requests.open3d_objects import make_image, make_point_cloud
from vizion3d_ros.requests.pictures import read_pair
from vizion3d_ros.requests.stereo import answer_stereo

WIDTH, HEIGHT = 1280, 720
FOCAL_PX, BASELINE_MM = 900.0, 120.0
WARM_UP = 3
OURS, PLAIN = 'ours: whole call', 'plain idiom: whole call'


class StoredMatch:
    """A matcher that costs nothing."""

    def __init__(self) -> None:
        disparity = np.random.default_rng(0).uniform(5, 100, (HEIGHT, WIDTH)).astype(np.float32)
        share = np.ones_like(disparity)
        self.answer = Match(disparity, share, share, 0.0, 128.0, 1 / 16, 'stored')

    def match(self, left, right, rig, settings) -> Match:
        """The same answer every time."""
        return self.answer


def texture(seed: int) -> np.ndarray:
    """Noise that compresses about as a photograph does, uint8 (H, W, 3)."""
    noise = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 3) // 3 * 3, np.uint8)


@cache
def inputs() -> dict[str, tuple]:
    """The same pair in both forms."""
    arrays = texture(1), texture(2)
    encoded = tuple(cv2.imencode('.png', image[..., ::-1])[1].tobytes() for image in arrays)
    return {'arrays, ms': arrays, 'PNG bytes, ms': encoded}


def command(left, right) -> stereo.StereoDepthCommand:
    """Everything at once."""
    config = stereo.StereoDepthAdvancedConfig(
        focal_length=FOCAL_PX, cx=640.0, cy=360.0, baseline=BASELINE_MM
    )
    return stereo.StereoDepthCommand(
        left_image=left,
        right_image=right,
        model_backend='opencv-sgbm',
        return_point_cloud=True,
        advanced_config=config,
    )


def ours(left, right) -> None:
    """One call, and all that it gives but the nested lists."""
    result = stereo.StereoDepth(device='cpu').run(command(left, right))
    assert len(result.point_cloud.points) == HEIGHT * WIDTH
    assert np.asarray(result.depth_image).dtype == np.uint16
    assert result.raw_depth is not None


def our_stages(pipeline, left, right) -> dict[str, float]:
    """Milliseconds of each stage of the same call."""
    times, last = {}, [time.perf_counter()]

    def done(stage) -> None:
        now = time.perf_counter()
        times[stage], last[0] = 1e3 * (now - last[0]), now

    def run(work):
        done('request to command')
        result = pipeline.run(work)
        done('pipeline: stored match, depth, points')
        return result

    pair = read_pair(left, right)
    done('images to RGB arrays')
    answer = answer_stereo(command(*pair), run, StereoSettings(device='cpu')).answer
    done('arrays: depth, disparity, 16-bit picture')
    make_image(answer.picture)
    done('open3d image')
    make_point_cloud(answer.points)
    done('open3d cloud')
    _ = answer.depth.tolist(), answer.disparity.tolist()
    done('both nested lists, only if read')
    return times


def plain(left, right, match) -> None:
    """What one writes without a library; neither checks nor filters but the far end."""
    if isinstance(left, bytes):
        left, _ = (
            cv2.cvtColor(cv2.imdecode(np.frombuffer(x, np.uint8), 1), cv2.COLOR_BGR2RGB)
            for x in (left, right)
        )
    disparity = match.disparity
    with np.errstate(divide='ignore'):
        depth = np.where(disparity > 0, FOCAL_PX * BASELINE_MM / 1000 / disparity, 0)
    depth_map, disparity_map = depth.tolist(), disparity.tolist()
    near, far = depth[depth > 0].min(), depth[depth > 0].max()
    picture = np.where(depth > 0, 65535 * (1 - (depth - near) / (far - near)), 0)
    o3d.geometry.Image(picture.astype(np.uint16))
    rows, columns = np.indices(depth.shape)
    x, y = (columns - 640.0) * depth / FOCAL_PX, (rows - 360.0) * depth / FOCAL_PX
    kept = (depth > 0) & (depth < 50) & (match.confidence >= 0.1) & (match.visibility >= 0.5)
    cloud = o3d.geometry.PointCloud()
    cloud.points = o3d.utility.Vector3dVector(np.stack([x, -y, -depth], -1)[kept])
    cloud.colors = o3d.utility.Vector3dVector(left[kept] / 255.0)
    assert len(cloud.points) == HEIGHT * WIDTH and depth_map and disparity_map


def measure(calls: int) -> list[dict[str, object]]:
    """Median milliseconds by row and kind; ways take turns, so the machine hits them alike."""
    registry.STEREO_BACKENDS['sgbm'] = f'{__name__}:StoredMatch'
    match, pipeline = StoredMatch().answer, StereoPipeline('cpu')
    samples = defaultdict(lambda: defaultdict(list))
    for _ in range(calls + WARM_UP):
        for kind, pair in inputs().items():
            for stage, ms in our_stages(pipeline, *pair).items():
                samples[f'ours: {stage}'][kind].append(ms)
            samples[OURS][kind].append(timed(ours, *pair))
            samples[PLAIN][kind].append(timed(plain, *pair, match))
    medians = {
        row: {kind: statistics.median(times[WARM_UP:]) for kind, times in kinds.items()}
        for row, kinds in samples.items()
    }
    ratio = {kind: f'{ms / medians[OURS][kind]:.1f}' for kind, ms in medians[PLAIN].items()}
    rows = [
        {'': row} | {k: f'{ms:.1f}' for k, ms in kinds.items()} for row, kinds in medians.items()
    ]
    return [*rows, {'': 'plain idiom / ours'} | ratio]


def timed(function, *arguments) -> float:
    """Milliseconds of one call."""
    start = time.perf_counter()
    function(*arguments)
    return 1e3 * (time.perf_counter() - start)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('--calls', type=int, default=15)
    parser.add_argument('--json', type=Path)
    options = parser.parse_args()
    title = 'Python API without the matcher, 1280x720, depth image and cloud, medians'
    print_table(title, measure(options.calls), options.json)


if __name__ == '__main__':
    main()
