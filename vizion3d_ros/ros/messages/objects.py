# SPDX-License-Identifier: Apache-2.0
"""Objects with their points become detections, labelled points and markers."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
from numpy.typing import NDArray
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import ColorRGBA, Header
from vision_msgs.msg import (
    BoundingBox3D,
    Detection3D,
    Detection3DArray,
    ObjectHypothesis,
    ObjectHypothesisWithPose,
)
from visualization_msgs.msg import Marker, MarkerArray

from vizion3d_ros.contracts.results import AnnotationResult
from vizion3d_ros.geometry.annotation.boxes import Box3D, box_around
from vizion3d_ros.ros.messages.payloads import lend

GOLDEN = 0.618034  # steps of this share of the circle keep hues apart, however many there are
GREY = 128
POINT = np.dtype(
    {
        'names': ['xyz', 'rgb', 'instance'],
        'formats': [('<f4', 3), '<u4', '<u2'],
        'offsets': [0, 12, 16],
        'itemsize': 20,
    }
)
FIELDS = [
    *((name, 4 * place, PointField.FLOAT32) for place, name in enumerate(('x', 'y', 'z', 'rgb'))),
    ('instance', 16, PointField.UINT16),
]


@dataclass(frozen=True, slots=True, eq=False)
class FoundObject:
    """An object that has points: its number in the label image, what it is, and its box."""

    number: int
    label: str
    score: float
    points: int
    box: Box3D


@dataclass(frozen=True, slots=True, eq=False)
class AnnotatedFrame:
    """
    All that the messages of a frame are made of.

    points: float32 (N, 3) metres; numbers: uint16 (N,), 0 = none, else that of an object.
    """

    result: AnnotationResult
    header: Header
    points: NDArray[np.float32]
    numbers: NDArray[np.uint16]
    objects: tuple[FoundObject, ...]


def annotated_frame(
    result: AnnotationResult,
    header: Header,
    points: NDArray[np.float32],
    oriented: bool,
    min_points: int,
) -> AnnotatedFrame:
    """Put boxes around the objects; those of fewer than min_points are left out."""
    labels = result.labels.cpu().numpy()
    order = np.argsort(labels, kind='stable')
    bounds = np.searchsorted(labels[order], np.arange(1, len(result.instances) + 2))
    numbers = np.zeros(len(result.instances) + 1, np.uint16)
    objects = []
    for place, instance in enumerate(result.instances, 1):
        own = points[order[bounds[place - 1] : bounds[place]]]
        if len(own) < min_points:
            continue
        number = numbers[place] = instance.number or place
        box = box_around(own, oriented, result.depth_noise)
        found = FoundObject(int(number), instance.label, instance.confidence, len(own), box)
        objects.append(found)
    return AnnotatedFrame(result, header, points, numbers[labels], tuple(objects))


def detections_message(frame: AnnotatedFrame) -> Detection3DArray:
    """Every object with its box, class and score, by falling score; id: its number."""
    detections = [_detection(each, frame.header) for each in frame.objects]
    return Detection3DArray(header=frame.header, detections=detections)


def _detection(found: FoundObject, header: Header) -> Detection3D:
    pose = _pose(found.box)
    result = ObjectHypothesisWithPose()
    result.hypothesis = ObjectHypothesis(class_id=found.label, score=float(found.score))
    result.pose.pose = pose
    return Detection3D(
        header=header,
        id=str(found.number),
        results=[result],
        bbox=BoundingBox3D(center=pose, size=_vector(found.box.size)),
    )


def labeled_points_message(frame: AnnotatedFrame) -> PointCloud2:
    """All measured points, 20 bytes each: x, y, z, rgb in the colour of the object, instance."""
    values = np.zeros(len(frame.points), POINT)
    values['xyz'] = frame.points
    values['rgb'] = _colours()[frame.numbers]
    values['instance'] = frame.numbers
    message = PointCloud2(
        header=frame.header,
        height=1,
        width=len(values),
        fields=[PointField(name=n, offset=o, datatype=t, count=1) for n, o, t in FIELDS],
        is_bigendian=False,
        point_step=POINT.itemsize,
        row_step=POINT.itemsize * len(values),
        is_dense=True,
    )
    lend(message, values)
    return message


def markers_message(frame: AnnotatedFrame) -> MarkerArray:
    """Boxes and names for rviz2, in place of those of the frame before."""
    markers = [Marker(header=frame.header, action=Marker.DELETEALL)]
    for found in frame.objects:
        box, name = (Marker(header=frame.header, id=found.number) for _ in range(2))
        box.ns, box.type, box.pose = 'boxes', Marker.CUBE, _pose(found.box)
        box.scale, box.color = _vector(np.maximum(found.box.size, 1e-3)), _color(found.number, 0.4)
        name.ns, name.type = 'names', Marker.TEXT_VIEW_FACING
        name.pose.position, name.scale.z = box.pose.position, 0.12
        name.color, name.text = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0), found.label
        markers += [box, name]
    return MarkerArray(markers=markers)


def colour_of(number: int) -> tuple[int, int, int]:
    """The colour of an object, RGB of 0..255; grey for 0, which is none."""
    if number == 0:
        return GREY, GREY, GREY
    red, green, blue = colorsys.hsv_to_rgb(number * GOLDEN % 1, 0.75, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)


@lru_cache(1)
def _colours() -> NDArray[np.uint32]:
    """The colour of every number there may be, packed as PCL does."""
    colours = (colour_of(number) for number in range(2**16))
    return np.array([r << 16 | g << 8 | b for r, g, b in colours], np.uint32)


def _color(number: int, alpha: float) -> ColorRGBA:
    red, green, blue = (value / 255 for value in colour_of(number))
    return ColorRGBA(r=red, g=green, b=blue, a=alpha)


def _pose(box: Box3D) -> Pose:
    x, y, z, w = box.quaternion
    position = Point(**dict(zip('xyz', box.centre.tolist())))
    return Pose(position=position, orientation=Quaternion(x=x, y=y, z=z, w=w))


def _vector(values: NDArray[np.float64]) -> Vector3:
    return Vector3(**dict(zip('xyz', values.tolist())))
