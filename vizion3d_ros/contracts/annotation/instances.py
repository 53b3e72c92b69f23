# SPDX-License-Identifier: Apache-2.0
"""Objects in an image: what segmenters answer, and detectors of others send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels."""

NO_BOX: Box = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """
    One object in an image.

    mask: bool (h, w), a window of the image that holds all of the object; row, column: where the
    first pixel of the window is. class_id: -1 = unknown. number: the sender's own, such as its
    value in a label image; 0 = none.
    """

    mask: NDArray[np.bool_]
    row: int = 0
    column: int = 0
    label: str = ''
    class_id: int = -1
    confidence: float = 1.0
    bbox_2d: Box = NO_BOX
    number: int = 0

    def full_mask(self, height: int, width: int) -> NDArray[np.bool_]:
        """Give the mask at the size of the image, bool (height, width)."""
        full = np.zeros((height, width), bool)
        rows, columns = self.mask.shape
        full[self.row : self.row + rows, self.column : self.column + columns] = self.mask
        return full


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """
    All objects of one image of height x width pixels.

    backend_used: what found them; checkpoint, licence: of its weights, '' without any.
    """

    height: int
    width: int
    instances: tuple[Instance, ...]
    backend_used: str = 'masks'
    checkpoint: str = ''
    licence: str = ''


def from_mask(mask: NDArray[np.bool_], known: Instance) -> Instance:
    """
    Crop a mask, bool (H, W), to what it covers.

    known: what else is known of the object; its box is taken from the mask if it has none.
    """
    rows = np.flatnonzero(mask.any(1))
    if not len(rows):
        return replace(known, mask=np.zeros((0, 0), bool), row=0, column=0)
    top, bottom = rows[0], rows[-1] + 1
    columns = np.flatnonzero(mask[top:bottom].any(0))
    left, right = columns[0], columns[-1] + 1
    box = (float(left), float(top), float(right), float(bottom))
    return replace(
        known,
        mask=np.ascontiguousarray(mask[top:bottom, left:right]),
        row=int(top),
        column=int(left),
        bbox_2d=box if known.bbox_2d == NO_BOX else known.bbox_2d,
    )


def from_label_image(
    labels: NDArray[np.integer], known: Mapping[int, Instance] | None = None
) -> Segmentation:
    """
    Read the objects of a label image, integers (H, W): 0 = none, any other value = one object.

    known: what is known of an object, by its value; its mask does not count. Values without a
    pixel are left out.
    """
    height, width = labels.shape
    rows, columns = np.nonzero(labels)
    values = labels[rows, columns]
    order = np.argsort(values, kind='stable')
    numbers, starts = np.unique(values[order], return_index=True)
    instances = []
    for number, places in zip(numbers, np.split(order, starts[1:])):
        window = (
            slice(rows[places].min(), rows[places].max() + 1),
            slice(columns[places].min(), columns[places].max() + 1),
        )
        mask = labels[window] == number
        empty = Instance(np.zeros((0, 0), bool), confidence=1.0)
        found = from_mask(mask, (known or {}).get(int(number), empty))
        top, left = int(window[0].start), int(window[1].start)
        x1, y1, x2, y2 = found.bbox_2d
        own = (known or {}).get(int(number), empty).bbox_2d
        box = own if own != NO_BOX else (x1 + left, y1 + top, x2 + left, y2 + top)
        instances.append(replace(found, row=top, column=left, bbox_2d=box, number=int(number)))
    return Segmentation(height, width, tuple(instances))
