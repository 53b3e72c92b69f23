# SPDX-License-Identifier: Apache-2.0
"""What a node says of its outputs: frames that were lost, that do not come, that are not due."""

import time
from types import SimpleNamespace

import pytest

from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.ros.health.diagnostics import ERROR, OK, WARN
from vizion3d_ros.ros.health.status import output_task

pytestmark = pytest.mark.ros

TIMEOUT = 2.0


def output_of(since_last, max_rate=0.0, is_open=True, last_error=''):
    """Level and sentence, the last frame having come so many seconds ago."""
    processor = SimpleNamespace(
        processed=7,
        failed=1,
        rate_hz=1.0,
        finished=time.monotonic() - since_last,
        timings_ms=(),
        last_error=last_error,
        bits=SimpleNamespace(doubt=''),
        nameless=False,
    )
    components = SimpleNamespace(
        processor=processor,
        worker=SimpleNamespace(skipped=0),
        outputs=SimpleNamespace(published={}),
    )
    inputs = SimpleNamespace(is_open=is_open, opened=time.monotonic() - 1000.0)
    settings = StereoSettings(points={'max_rate': max_rate})
    return output_task(components, inputs, settings, TIMEOUT)[:2]


def test_frames_that_do_not_come_are_missed():
    assert output_of(4.5) == (OK, '7 frames')
    level, text = output_of(5.5)
    assert level == WARN and 'too long ago' in text


def test_a_cloud_that_is_not_due_is_not_missed():
    assert output_of(12.0, max_rate=0.1) == (OK, '7 frames')
    assert output_of(16.0, max_rate=0.1)[0] == WARN


def test_a_lost_frame_is_an_error_while_images_are_asked_for():
    assert output_of(1.0, last_error='half an image') == (ERROR, 'frame lost: half an image')
    assert output_of(1000.0, is_open=False, last_error='half an image') == (OK, '7 frames')
