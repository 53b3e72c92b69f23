# SPDX-License-Identifier: Apache-2.0
"""Results become the bytes of messages, field for field those that the node publishes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.bags.library import typestore
from vizion3d_ros.contracts import topic_names
from vizion3d_ros.contracts.commands import Output
from vizion3d_ros.contracts.results import StereoResult
from vizion3d_ros.geometry.uncertainty import depth_uncertainty
from vizion3d_ros.incoming.camera_info import of_rectified

if TYPE_CHECKING:
    from torch import Tensor

IMAGE, INFO = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CameraInfo'
CLOUD, DISPARITY = 'sensor_msgs/msg/PointCloud2', 'stereo_msgs/msg/DisparityImage'
FIELDS = 'x', 'y', 'z', 'rgb', 'uncertainty'


@dataclass(frozen=True, slots=True)
class Answer:
    """All a message can be made of; header, info: as in the messages that came."""

    result: StereoResult
    header: Any
    info: Any


class MessageWriter:
    """Makes and serialises messages."""

    def __init__(self) -> None:
        self._store = typestore()

    def encode(self, topic: str, answer: Answer) -> bytes | None:
        """Serialise what a topic of the node has to say; None for nothing."""
        kind, build, _ = OUTPUTS[topic]
        message = build(self._make, answer)
        return None if message is None else bytes(self._store.serialize_cdr(message, kind))

    def _make(self, kind: str, **fields: Any) -> Any:
        return self._store.types[kind](**fields)


Make = Callable[..., Any]


def needs(topics: Sequence[str]) -> frozenset[Output]:
    """What has to be computed for the topics."""
    asked = (OUTPUTS[name][2] for name in topics)
    return frozenset(each for each in asked if each is not None)


def _header(make: Make, answer: Answer) -> Any:
    stamp = answer.header.stamp
    time = make('builtin_interfaces/msg/Time', sec=stamp.sec, nanosec=stamp.nanosec)
    return make('std_msgs/msg/Header', stamp=time, frame_id=answer.header.frame_id)


def _image(make: Make, answer: Answer, values: Tensor) -> Any:
    height, width = values.shape
    return make(
        IMAGE,
        header=_header(make, answer),
        height=height,
        width=width,
        encoding='32FC1',
        is_bigendian=0,
        step=4 * width,
        data=_bytes_of(values),
    )


def _map(name: str) -> Callable[[Make, Answer], Any]:
    def build(make: Make, answer: Answer) -> Any:
        values = getattr(answer.result, name)
        return None if values is None else _image(make, answer, values)

    return build


def _uncertainty(make: Make, answer: Answer) -> Any:
    deviation = depth_uncertainty(answer.result)
    return None if deviation is None else _image(make, answer, deviation)


def _disparity(make: Make, answer: Answer) -> Any:
    result = answer.result
    height, width = result.disparity.shape
    return make(
        DISPARITY,
        header=_header(make, answer),
        image=_image(make, answer, result.disparity.nan_to_num(nan=0.0)),
        f=result.rig.left.fx,
        t=result.rig.baseline_m or 0.0,
        valid_window=_roi(make, 0, 0, height, width, False),
        min_disparity=result.min_disparity,
        max_disparity=result.max_disparity,
        delta_d=result.disparity_step,
    )


def _roi(make: Make, x: int, y: int, height: int, width: int, rectify: bool) -> Any:
    return make(
        'sensor_msgs/msg/RegionOfInterest',
        x_offset=x,
        y_offset=y,
        height=height,
        width=width,
        do_rectify=rectify,
    )


def _info(make: Make, answer: Answer) -> Any:
    info, roi = answer.info, answer.info.roi
    fields = of_rectified(info)
    fields |= {name: np.asarray(fields[name], np.float64) for name in ('d', 'k', 'r', 'p')}
    return make(
        INFO,
        header=_header(make, answer),
        height=info.height,
        width=info.width,
        binning_x=info.binning_x,
        binning_y=info.binning_y,
        roi=_roi(make, roi.x_offset, roi.y_offset, roi.height, roi.width, roi.do_rectify),
        **fields,
    )


def _cloud(make: Make, answer: Answer) -> Any:
    if answer.result.cloud is None:
        return None
    points = answer.result.cloud.points
    names, point_step = FIELDS[: points.shape[-1]], 4 * points.shape[-1]
    organized = points.ndim == 3
    height, width = points.shape[:2] if organized else (1, len(points))
    return make(
        CLOUD,
        header=_header(make, answer),
        height=height,
        width=width,
        fields=[
            make('sensor_msgs/msg/PointField', name=name, offset=4 * at, datatype=7, count=1)
            for at, name in enumerate(names)
        ],
        is_bigendian=False,
        point_step=point_step,
        row_step=point_step * width,
        data=_bytes_of(points),
        is_dense=not organized,
    )


def _bytes_of(values: Tensor) -> NDArray[np.uint8]:
    return np.ascontiguousarray(values.cpu().numpy()).reshape(-1).view(np.uint8)


OUTPUTS: dict[str, tuple[str, Callable[[Make, Answer], Any], Output | None]] = {
    topic_names.DEPTH: (IMAGE, _map('depth_m'), Output.DEPTH),
    topic_names.DEPTH_INFO: (INFO, _info, None),
    topic_names.DISPARITY: (DISPARITY, _disparity, None),
    topic_names.POINTS: (CLOUD, _cloud, Output.CLOUD),
    topic_names.CONFIDENCE: (IMAGE, _map('confidence'), None),
    topic_names.VISIBILITY: (IMAGE, _map('visibility'), None),
    topic_names.UNCERTAINTY: (IMAGE, _uncertainty, Output.DEPTH),
}
USUAL = topic_names.DEPTH, topic_names.DEPTH_INFO, topic_names.DISPARITY, topic_names.POINTS
