# SPDX-License-Identifier: Apache-2.0
"""What the annotation node says of depth and masks that come as their makers find time."""

import math
import time
from types import SimpleNamespace

import pytest
from scene import stamped
from sensor_msgs.msg import Image

from vizion3d_ros.contracts.settings.stereo_settings import SyncSettings
from vizion3d_ros.incoming.sync import PairWords, StereoSync
from vizion3d_ros.ros.health.annotation_status import AnnotationStatus
from vizion3d_ros.ros.health.diagnostics import OK, WARN

pytestmark = pytest.mark.ros

INPUTS = SimpleNamespace(
    is_open=True, opened=-math.inf, explain_mixed=lambda: '', topic=lambda name: f'/{name}'
)
PERIOD_NS = 33_333_333


def level_of(picture):
    """Two of three depth images are made in time, and of those every fourth has masks."""
    words = PairWords('depth', 'instances', one_rate=False)
    sync = StereoSync(SyncSettings(), lambda *_: None, lambda: None, words=words)
    made = [n * PERIOD_NS for n in range(1, 121) if n % 3]
    for place, stamp in enumerate(made):
        sync.add_left(stamped(Image, stamp))
        if not place % 4 or place % 8 == 1:
            sync.add_right(stamped(Image, stamp))
    status = AnnotationStatus(INPUTS, sync, None, 'depth/image', picture)
    return status.pairing(time.monotonic())[0]


def test_frames_that_a_matcher_or_a_detector_skips_are_not_lost():
    assert level_of('instances/image') == OK
    assert level_of('left/image_rect') == WARN  # of a camera, which skips none
