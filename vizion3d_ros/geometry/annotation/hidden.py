# SPDX-License-Identifier: Apache-2.0
"""Parts of objects that lie under the mask of another one, as a label image holds but one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.geometry.annotation.scene import Scene
from vizion3d_ros.geometry.annotation.surfaces import LEAST_PX, OWN_SHARE

Numbers = NDArray[np.int32]


def uncover(drawn: Numbers, covers: Numbers, scene: Scene) -> None:
    """
    Give objects, in place, the parts of their surfaces that masks of others hide.

    drawn, covers: int32 (height, width), the object and the mask of each pixel, from 1 on, 0 =
    none. A surface is the object's that has most of what no mask of others hides.
    """
    rows, columns = np.nonzero(covers)
    cover, now = covers[rows, columns], drawn[rows, columns]
    surfaces = scene.surfaces.numbers[rows // scene.side, columns // scene.side]
    sizes = scene.surfaces.sizes * scene.side**2
    wanted = np.bincount(surfaces[now == 0], minlength=len(sizes)) > 0
    wanted[0] = False
    inside = wanted[surfaces]
    rows, columns, cover, now = rows[inside], columns[inside], cover[inside], now[inside]
    place = (np.cumsum(wanted) - 1)[surfaces[inside]]
    shape = int(np.count_nonzero(wanted)), int(covers.max(initial=0)) + 1
    kept, masked = (_counts(place, each, shape) for each in (now, cover))
    kept[:, 0] = 0
    owner = kept.argmax(1)
    first = np.arange(len(owner))
    in_view = sizes[wanted] - masked.sum(1) + masked[first, owner]
    sure = kept[first, owner] >= np.maximum(OWN_SHARE * in_view, LEAST_PX)
    hidden = (now == 0) & sure[place] & (owner[place] != cover)
    drawn[rows[hidden], columns[hidden]] = owner[place[hidden]]


def _counts(place: NDArray[np.intp], number: Numbers, shape: tuple[int, int]) -> NDArray[np.intp]:
    """Count the pixels of each surface and number, (surfaces, numbers)."""
    return np.bincount(place * shape[1] + number, minlength=shape[0] * shape[1]).reshape(shape)
