# SPDX-License-Identifier: Apache-2.0
"""A server without room for what comes: its operator's matter, and not the sender's."""

import asyncio
import errno
import json

import pytest
from rest_client import OF_FORM, STEREO, multipart

from vizion3d_ros.contracts.settings.service_settings import ServiceSettings
from vizion3d_ros.doors.depth_worker import DepthWorker
from vizion3d_ros.doors.rest.app import make_app


@pytest.fixture(scope='module')
def app():
    worker = DepthWorker(lambda: ServiceSettings(device='cpu'))
    yield make_app(worker, ['stereo_depth'])
    worker.close(1.0)


def told(app, body):
    """Status and detail of the answer to a form."""
    headers = [(name.lower().encode(), value.encode()) for name, value in OF_FORM.items()]
    scope = {'type': 'http', 'method': 'POST', 'path': STEREO, 'query_string': b''}
    sent = []

    async def receive():
        return {'type': 'http.request', 'body': body, 'more_body': False}

    async def send(message):
        sent.append(message)

    asyncio.run(app({**scope, 'headers': headers}, receive, send))
    content = b''.join(message.get('body', b'') for message in sent)
    return sent[0]['status'], json.loads(content)['detail']


@pytest.mark.parametrize(
    ('error', 'words'),
    [
        (OSError(errno.ENOSPC, 'No space left on device'), 'let the operator make room there'),
        (MemoryError(), 'not enough memory: send smaller images'),
    ],
    ids=['disk', 'memory'],
)
def test_a_body_that_cannot_be_kept_is_told_with_what_lacks_room(app, monkeypatch, error, words):
    def full(*_, **__):
        raise error

    monkeypatch.setattr('starlette.formparsers.SpooledTemporaryFile', full)
    status, detail = told(app, multipart({}, {'left_image': b'', 'right_image': b''}))
    assert (status, words in detail) == (503, True)


def test_what_is_no_form_is_still_the_senders_matter(app):
    assert told(app, b'nothing')[0] in (400, 422)
