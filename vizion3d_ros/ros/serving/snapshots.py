# SPDX-License-Identifier: Apache-2.0
"""`~/save_snapshot`: the newest frame, computed with everything it can give, as files."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from vizion3d_interfaces.srv import SaveSnapshot
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.files.snapshot import Snapshot, write_snapshot
from vizion3d_ros.incoming.messages import CameraInfo
from vizion3d_ros.requests.permissions import permitted_folder
from vizion3d_ros.ros.messages.outgoing import AnyAnswer
from vizion3d_ros.ros.stream.processor import DecodedFrame
from vizion3d_ros.worker import Worker

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from vizion3d_ros.contracts.results import Cloud

PATIENCE = 5.0
NOTHING_AMISS = 'images may still come, or not pair yet: see diagnostics, and ask again'
# Maps of a result, and how the JSON file describes what is made of them.
MAPS = {
    'depth_m': ('depth', 'depth.png: millimetres along the optical axis, 0 = no measurement'),
    'disparity': ('disparity', 'disparity.pfm: pixels, doffs added, NaN = no measurement'),
    'relative': ('relative', 'relative.pfm: inverse depth up to scale and shift, larger = nearer'),
}

Response = SaveSnapshot.Response


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that waits for a frame, and where its response will be."""

    request: SaveSnapshot.Request
    outcome: Future[Response]
    began: float  # time.monotonic()


class Snapshots:
    """
    Requests that wait for the next frame; one thread only.

    The next frame and not the last one: nobody may have listened for an hour.
    """

    def __init__(self) -> None:
        self._waiting: list[Waiting] = []

    @property
    def wanted(self) -> bool:
        """Whether a frame is needed, even if no topic has a listener."""
        return bool(self._waiting)

    def ask(self, request: SaveSnapshot.Request) -> Future[Response]:
        """Wait for a frame; the future gets the response or what went wrong."""
        waiting = Waiting(request, Future(), time.monotonic())
        self._waiting.append(waiting)
        return waiting.outcome

    def feed(self, worker: Worker[Any], save: Callable[[SaveSnapshot.Request], Response]) -> None:
        """Have the worker answer all that wait with save(request), a frame being there."""
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            job = worker.call(partial(save, each.request))
            job.add_done_callback(partial(_hand_on, each.outcome))

    def expire(self, reason: str, patience: float) -> None:
        """Answer those that have waited for more than patience seconds."""
        began_before = time.monotonic() - patience
        for each in [each for each in self._waiting if each.began <= began_before]:
            self._waiting.remove(each)
            waited = time.monotonic() - each.began
            text = f'no frame came in {waited:.1f} s: {reason or NOTHING_AMISS}'
            each.outcome.set_exception(InputError(text))


def save(
    request: SaveSnapshot.Request, folders: list[str], decoded: DecodedFrame, answer: AnyAnswer
) -> Response:
    """
    Write one frame, its files named by its stamp in nanoseconds.

    Raises InputError for a folder outside the allowed ones, or one that cannot be written to.
    """
    folder = permitted_folder(request.directory, folders)
    paths = write_snapshot(_snapshot(decoded, answer), folder)
    return SaveSnapshot.Response(
        success=True,
        message=f'{len(paths)} files in {folder}',
        paths=[str(path) for path in paths],
    )


def _snapshot(decoded: DecodedFrame, answer: AnyAnswer) -> Snapshot:
    result, stamp = answer.result, answer.header.stamp
    name = str(stamp.sec * 10**9 + stamp.nanosec)
    maps = {what: _array(getattr(result, what, None)) for what in MAPS}
    there = [what for what, values in maps.items() if values is not None]
    return Snapshot(
        name=name,
        image=decoded.command.image,
        **maps,
        points=_valid_points(result.cloud),
        cameras={side: _camera(info, side) for side, info in decoded.infos.items()},
        facts={
            'stamp_ns': int(name),
            'frame_id': answer.header.frame_id,
            'backend_used': result.backend_used,
            **dict(MAPS[what] for what in there),
            'timings_ms': {stage: round(ms, 2) for stage, ms in result.timings_ms.items()},
        },
    )


def _array(values: Tensor | None) -> NDArray[np.float32] | None:
    return None if values is None else values.cpu().numpy()


def _valid_points(cloud: Cloud | None) -> NDArray[np.float32] | None:
    if cloud is None:
        return None
    points = cloud.points.flatten(0, -2)[:, :4]
    return _array(points[torch.isfinite(points[:, 2])])


def _camera(info: CameraInfo, name: str) -> dict[str, Any]:
    """Lay a CameraInfo out as camera_calibration_parsers does, so that drivers can load it."""

    def matrix(rows: int, numbers: Any) -> dict[str, Any]:
        data = [float(number) for number in numbers]
        return {'rows': rows, 'cols': len(data) // rows, 'data': data}

    return {
        'image_width': info.width,
        'image_height': info.height,
        'camera_name': name,
        'camera_matrix': matrix(3, info.k),
        'distortion_model': info.distortion_model,
        'distortion_coefficients': matrix(1, info.d),
        'rectification_matrix': matrix(3, info.r),
        'projection_matrix': matrix(3, info.p),
    }


def _hand_on(outcome: Future[Response], job: Future[Response]) -> None:
    error = job.exception()
    if error is None:
        outcome.set_result(job.result())
    else:
        outcome.set_exception(error)
