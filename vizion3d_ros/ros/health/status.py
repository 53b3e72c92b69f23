# SPDX-License-Identifier: Apache-2.0
"""What state a node's inputs and outputs are in, as one level and one sentence per task."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from vizion3d_ros.contracts.settings.node_settings import StreamSettings
from vizion3d_ros.ros.health.backend_loader import BackendLoader
from vizion3d_ros.ros.health.backend_watch import BackendWatch
from vizion3d_ros.ros.health.diagnostics import ERROR, OK, WARN, Task
from vizion3d_ros.ros.stream.inputs import InputSubscriptions
from vizion3d_ros.ros.stream.processor import NAMELESS, FrameProcessor
from vizion3d_ros.ros.stream.topics import OutputPublishers
from vizion3d_ros.worker import PublishStage, Worker

STALE_SECONDS = 5.0
RECTIFY = (
    'camera_info has a lens distortion and the name does not say rect; '
    'run image_proc, or set rectify'
)


@dataclass(frozen=True, slots=True)
class Components:
    """What a node has while it is configured; service(request) runs in the worker."""

    outputs: OutputPublishers
    processor: FrameProcessor[Any, Any]
    publishing: PublishStage[Any]
    worker: Worker[Any]
    loader: BackendLoader[Any]
    watch: BackendWatch
    service: Callable[[Any], Any]

    def drop_frames(self) -> None:
        """Let nothing come of the frames that wait or are worked on."""
        self.worker.clear()
        self.processor.drop()

    def restart(self) -> None:
        """Drop all frames, and count and measure from now on."""
        self.worker.clear()
        self.processor.restart()
        self.outputs.restart()
        self.worker.skipped = 0

    def close(self, timeout: float) -> bool:
        """Withdraw all; whether both threads came to their end within timeout seconds each."""
        computed = self.worker.close(timeout)
        published = self.publishing.close(timeout)
        self.outputs.destroy()
        return computed and published


def output_task(
    components: Components, inputs: InputSubscriptions, settings: StreamSettings, timeout: float
) -> Task:
    """Say what comes out; timeout: seconds without input that are still fine."""
    processor = components.processor
    values: dict[str, object] = {
        'processed': processor.processed,
        'failed': processor.failed,
        'skipped': components.worker.skipped,
        'rate_hz': round(processor.rate_hz, 2),
        'age': round(time.monotonic() - processor.finished, 3) if processor.finished else '',
        **_latencies(list(processor.timings_ms)),
        **{f'published {name}': count for name, count in components.outputs.published.items()},
    }
    if not inputs.is_open:
        return OK, f'{processor.processed} frames', values
    if processor.last_error:
        return ERROR, f'frame lost: {processor.last_error}', values
    newest = max(processor.finished, inputs.opened)
    if time.monotonic() - newest > max(timeout, STALE_SECONDS) + settings.cloud_period:
        return WARN, f'{processor.processed} frames, the last one too long ago', values
    doubt = processor.bits.doubt or (NAMELESS if processor.nameless else '')
    if doubt:
        return WARN, doubt, values
    return OK, f'{processor.processed} frames', values


def backend_task(components: Components) -> Task:
    """Say what computes the frames, with which weights, and the memory that it takes on a GPU."""
    processor = components.processor
    device = processor.pipeline.device
    values: dict[str, object] = {'device': device}
    if processor.checkpoint:
        values |= {'checkpoint': processor.checkpoint, 'licence': processor.licence}
    if device.type == 'cuda':
        values['device_memory_mb'] = round(torch.cuda.memory_allocated(device) / 2**20)
    hung = components.watch.look()
    level, text = (ERROR, hung) if hung else components.loader.state()
    return level, text or processor.backend_used or 'no frame yet', values


def _latencies(frames: list[dict[str, float]]) -> dict[str, object]:
    """Median and 95th percentile of every stage of the last frames, in milliseconds."""
    stages = frames[-1] if frames else {}
    values: dict[str, object] = {}
    for stage in stages:
        times = [frame[stage] for frame in frames if stage in frame]
        for percent in (50, 95):
            values[f'{stage}_ms p{percent}'] = round(float(np.percentile(times, percent)), 2)
    return values
