# SPDX-License-Identifier: Apache-2.0
"""How many points of each object were found, how many foreign ones came along, and a picture."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vizion3d_ros.testbed.instances import OBJECTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vizion3d_ros.contracts.camera import Intrinsics
    from vizion3d_ros.testbed.scene import RenderedPair

EDGES = [(a, b) for a in range(8) for b in range(a) if (a ^ b).bit_count() == 1]
WHITE = (255, 255, 255)
LEAST_PIXELS = 100  # that an object must show to be scored
WRONG = 0.05  # relative error beyond which the point of a pixel is nobody's


@dataclass(frozen=True)
class Score:
    """
    One object at one moment.

    found: share of its visible points that are labelled. foreign, plain: share of others among
    the labelled points, and among those of a look-up in the mask. off_m: of the box's centre.
    """

    name: str
    margin_px: int
    found: float
    foreign: float
    plain: float
    off_m: float


def score(
    frame: RenderedPair,
    depth_m: np.ndarray,
    masks: np.ndarray,
    found,
    points: np.ndarray,
    margin_px: int,
) -> list[Score]:
    """
    Compare what came back with the truth, for each object that can be seen.

    depth_m: what was measured, NaN = nothing; what is wrong by more than 5 % is not scored.
    """
    there = np.isfinite(depth_m)
    right = np.abs(depth_m - frame.depth_m)[there] < WRONG * frame.depth_m[there]
    truth, plain = frame.instances[there][right], masks[there][right]
    points = points[right]
    centres = {int(each.id): each.bbox.center.position for each in found.detections}
    scores = []
    for number in np.flatnonzero(np.bincount(truth)[1:] >= LEAST_PIXELS) + 1:
        own, got, looked = truth == number, points['instance'] == number, plain == number
        if 2 * (own & looked).sum() < own.sum():
            continue  # the grown mask of a neighbour lies on it, and a label image holds one
        xyz = points['xyz'][own]
        off_m = np.inf
        if number in centres:
            place = centres[number]
            middle = (xyz.min(0) + xyz.max(0)) / 2
            off_m = float(np.abs(np.array([place.x, place.y, place.z]) - middle).max())
        scores.append(
            Score(
                OBJECTS[number - 1],
                margin_px,
                float(got[own].mean()),
                float((got & ~own).sum() / max(got.sum(), 1)),
                float((looked & ~own).sum() / max(looked.sum(), 1)),
                off_m,
            )
        )
    return scores


def worst_of(scores: Sequence[Score]) -> list[dict[str, object]]:
    """The worst moment of each object, figure by figure, and how often it was seen."""
    rows = []
    for margin_px in sorted({each.margin_px for each in scores}):
        for name in OBJECTS:
            own = [s for s in scores if (s.name, s.margin_px) == (name, margin_px)]
            if own:
                worst = Score(
                    name,
                    margin_px,
                    min(s.found for s in own),
                    *(max(getattr(s, key) for s in own) for key in ('foreign', 'plain', 'off_m')),
                )
                rows.append({**asdict(worst), 'seen': len(own)})
    return rows


def table(scores: Sequence[Score]) -> str:
    """The worst moment of each object as a table of text."""
    lines = ['worst of all moments   masks      points found   foreign   plain look-up   box off']
    for row in worst_of(scores):
        kind = f'{row["margin_px"]} px fat' if row['margin_px'] else 'true'
        lines.append(
            f'{row["name"]:10} seen {row["seen"]:2}x     {kind:9} {row["found"]:13.2%} '
            f'{row["foreign"]:9.2%} {row["plain"]:15.2%} {100 * row["off_m"]:6.1f} cm'
        )
    return '\n'.join(lines) + '\n'


def montage(
    frame: RenderedPair,
    masks: np.ndarray,
    found,
    points: np.ndarray,
    camera: Intrinsics,
    path: Path,
) -> None:
    """Draw the masks, the boxes in the image, and the labelled points seen from above."""
    image = frame.left[..., ::-1]
    colours = {int(n): points['bgr'][points['instance'] == n] for n in np.unique(masks[masks > 0])}
    tinted, boxed = image.copy(), image.copy()
    for number, colour in colours.items():
        own = masks == number
        if len(colour):
            tinted[own] = image[own] // 2 + colour[0] // 2
    for each in found.detections:
        draw_box(boxed, each, colours[int(each.id)][0].tolist(), camera)
    panels = [captioned(tinted, 'masks'), captioned(boxed, 'detections_3d')]
    panels.append(captioned(from_above(points, image.shape), 'labeled_points from above'))
    cv2.imwrite(str(path), np.hstack(panels))


def draw_box(picture: np.ndarray, detection, colour: Sequence[int], camera: Intrinsics) -> None:
    """Draw the twelve edges of a box and its name."""
    box = detection.bbox
    middle = np.array([box.center.position.x, box.center.position.y, box.center.position.z])
    size = np.array([box.size.x, box.size.y, box.size.z])
    signs = np.array([[n >> axis & 1 for axis in range(3)] for n in range(8)]) - 0.5
    corners = middle + signs * size
    if corners[:, 2].min() <= 0:
        return
    places = corners[:, :2] / corners[:, 2:] * [camera.fx, camera.fy] + [camera.cx, camera.cy]
    pixels = np.rint(places).astype(int)
    for a, b in EDGES:
        cv2.line(picture, pixels[a].tolist(), pixels[b].tolist(), colour, 2, cv2.LINE_AA)
    name = f'{detection.results[0].hypothesis.class_id} {middle[2]:.2f} m'
    left, top = pixels.min(axis=0).clip(0).tolist()
    place = left + 2, top + 14
    cv2.putText(picture, name, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, WHITE, 1, cv2.LINE_AA)


def from_above(points: np.ndarray, shape: tuple[int, ...], depth_m: float = 8.0) -> np.ndarray:
    """Draw the points with x to the right and z upwards, objects over what is none."""
    height, width = shape[:2]
    picture = np.zeros(shape, np.uint8)
    ordered = points[np.argsort(points['instance'] > 0, kind='stable')]
    x, z = ordered['xyz'][:, 0], ordered['xyz'][:, 2]
    columns = np.rint(width / 2 + x * height / depth_m).astype(int)
    rows = np.rint(height - 1 - z * height / depth_m).astype(int)
    inside = (columns >= 0) & (columns < width) & (rows >= 0)
    dim = np.where(ordered['instance'] > 0, 1, 3).astype(np.uint8)[:, None]
    picture[rows[inside], columns[inside]] = (ordered['bgr'] // dim)[inside]
    return picture


def captioned(picture: np.ndarray, text: str) -> np.ndarray:
    """The picture with a line of text above it."""
    strip = np.zeros((24, picture.shape[1], 3), np.uint8)
    cv2.putText(strip, text, (6, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.5, WHITE, 1, cv2.LINE_AA)
    return np.vstack([strip, picture])
