# SPDX-License-Identifier: Apache-2.0
"""What an operator looks at: is it well, which models may be named, how busy is it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Response

from vizion3d_ros.contracts.stereo_request import OPENCV_SGBM
from vizion3d_ros.doors.depth_worker import DepthWorker
from vizion3d_ros.doors.rest.metrics import Metrics
from vizion3d_ros.requests.checkpoints import known_model


def add_views(
    app: FastAPI, worker: DepthWorker, features: Sequence[str], metrics: Metrics
) -> None:
    """Add GET /health, /models and /metrics; they wait for no request."""

    @app.get('/health', tags=['Server'])
    async def health() -> dict[str, Any]:
        """Whether it answers, where it computes, how many requests are on their way."""
        return {
            'status': 'ok',
            'device': worker.device,
            'features': list(features),
            'requests_on_their_way': worker.taken,
        }

    @app.get('/models', tags=['Server'])
    async def models() -> dict[str, Any]:
        """What model_backend may be; the default answers requests that name none."""
        settings = worker.settings
        defaults = {
            'stereo_depth': settings.stereo().checkpoint or OPENCV_SGBM,
            'depth_estimation': settings.mono().checkpoint,
            'object_mask_annotation_3d': settings.objects().checkpoint,
        }
        allowed = [model for model in settings.requests.allowed_models if model]
        return {
            'default': {feature: _described(defaults[feature]) for feature in features},
            'allowed': [_described(model) for model in (OPENCV_SGBM, *allowed)],
        }

    @app.get('/metrics', tags=['Server'])
    async def numbers() -> Response:
        """Counts and times, in the format of Prometheus."""
        return Response(metrics.text(), media_type='text/plain; version=0.0.4')


def _described(model: str) -> dict[str, str]:
    known = known_model(model)
    return {'name': known.name, 'licence': known.licence} if known else {'name': model}
