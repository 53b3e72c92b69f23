# SPDX-License-Identifier: Apache-2.0
"""What state a node's inputs and outputs are in, as one level and one sentence per task."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vizion3d_ros.ros.health.diagnostics import ERROR, OK, WARN, Diagnostics, Task
from vizion3d_ros.ros.stream.processor import FrameProcessor
from vizion3d_ros.ros.stream.topics import InputSubscriptions, OutputPublishers
from vizion3d_ros.worker import Worker

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
    worker: Worker[Any]
    diagnostics: Diagnostics
    service: Callable[[Any], Any]


def output_task(components: Components, inputs: InputSubscriptions, timeout: float) -> Task:
    """Say what comes out; timeout: seconds without input that are still fine."""
    processor = components.processor
    values: dict[str, object] = {
        'processed': processor.processed,
        'failed': processor.failed,
        'skipped': components.worker.skipped,
        'rate_hz': round(processor.rate_hz, 2),
        'backend_used': processor.backend_used,
        **{f'{stage}_ms': round(ms, 2) for stage, ms in processor.timings_ms.items()},
        **{f'published {name}': count for name, count in components.outputs.published.items()},
    }
    if processor.last_error:
        return ERROR, f'frame lost: {processor.last_error}', values
    newest = max(processor.finished, inputs.opened)
    fresh = time.monotonic() - newest < max(timeout, STALE_SECONDS)
    if inputs.is_open and not fresh:
        return WARN, f'{processor.processed} frames, the last one too long ago', values
    return OK, f'{processor.processed} frames', values
