# SPDX-License-Identifier: Apache-2.0
"""The app: vizion3d's three routes, and below them what holds for every request."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from typing import Annotated, TypeVar

from fastapi import FastAPI, Form, Query, Request, Response

from vizion3d_ros.doors.depth_worker import DepthWorker
from vizion3d_ros.doors.rest.answers import (
    MapsAs,
    annotation_json,
    mono_json,
    stereo_json,
    zipped,
)
from vizion3d_ros.doors.rest.browser import add_page
from vizion3d_ros.doors.rest.errors import tell_errors
from vizion3d_ros.doors.rest.forms import (
    AnnotationForm,
    MonoForm,
    StereoForm,
    annotation_command,
    mono_command,
    stereo_command,
)
from vizion3d_ros.doors.rest.limits import BodyLimits, Delivery
from vizion3d_ros.doors.rest.metrics import Counted, Metrics
from vizion3d_ros.doors.rest.views import add_views
from vizion3d_ros.doors.rest.waiting import answer_of

STEREO, MONO = '/lifting/stereo-depth', '/lifting/depth-estimation'
OBJECTS = '/annotation/object-mask-annotation-3d'
TAG = 'Lifting (2D -> 3D)'

Command = TypeVar('Command')
Answer = TypeVar('Answer')
AsMaps = Annotated[
    MapsAs,
    Query(
        description='How maps are written: nested lists, base64 of a 16-bit PNG or of a float32 '
        '.npy file, or null'
    ),
]


def make_app(worker: DepthWorker, features: Sequence[str]) -> FastAPI:
    """
    Make the app of a server.

    features: of arguments.FEATURES; the routes of others are not there.
    """
    app = FastAPI(title='vizion3d_ros REST API', version='1.0.0')
    tell_errors(app, worker.sentence)
    routes = _Routes(worker)
    if 'stereo_depth' in features:
        app.post(STEREO, tags=[TAG])(routes.stereo)
    if 'depth_estimation' in features:
        app.post(MONO, tags=[TAG])(routes.mono)
    if 'object_mask_annotation_3d' in features:
        app.post(OBJECTS, tags=['Annotation'])(routes.objects)
    metrics = Metrics(lambda: worker.taken)
    add_views(app, worker, features, metrics)
    add_page(app)
    app.add_middleware(BodyLimits)
    app.add_middleware(Counted, metrics=metrics, routes=frozenset({STEREO, MONO, OBJECTS}))
    return app


class _Routes:
    """Answers the requests of all routes."""

    def __init__(self, worker: DepthWorker) -> None:
        self._worker = worker
        self._deadline_s = worker.settings.web.deadline

    async def stereo(
        self, form: Annotated[StereoForm, Form()], request: Request, maps: AsMaps = 'list'
    ) -> Response:
        """Metric depth and disparity of a rectified pair."""
        read, encode = partial(stereo_command, form), partial(stereo_json, maps=maps)
        return await self._answer(request, read, self._worker.stereo, encode)

    async def mono(
        self, form: Annotated[MonoForm, Form()], request: Request, maps: AsMaps = 'list'
    ) -> Response:
        """Depth of one image, relative or metric as the checkpoint is."""
        read, encode = partial(mono_command, form), partial(mono_json, maps=maps)
        return await self._answer(request, read, self._worker.mono, encode)

    async def objects(self, form: Annotated[AnnotationForm, Form()], request: Request) -> Response:
        """Which points of a cloud are which object."""
        read = partial(annotation_command, form)
        return await self._answer(request, read, self._worker.objects, annotation_json)

    async def _answer(
        self,
        request: Request,
        read: Callable[[], Awaitable[Command]],
        submit: Callable[[Command], Future[Answer]],
        encode: Callable[[Answer], bytes],
    ) -> Response:
        with ExitStack() as place:
            place.enter_context(self._worker.place())
            job = await asyncio.to_thread(submit, await read())
            answer = await answer_of(job, request, self._deadline_s)
            body = await asyncio.to_thread(encode, answer)
            headers = {'Content-Type': 'application/json', 'Vary': 'Accept-Encoding'}
            if _takes_gzip(request):
                body = await asyncio.to_thread(zipped, body)
                headers['Content-Encoding'] = 'gzip'
            return Delivery(body, headers, place.pop_all())


def _takes_gzip(request: Request) -> bool:
    wanted = request.headers.get('accept-encoding', '').replace(' ', '').lower()
    return re.search(r'\bgzip\b(?!;q=0(\.0*)?(,|$))', wanted) is not None
