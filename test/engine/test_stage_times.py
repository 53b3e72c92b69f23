# SPDX-License-Identifier: Apache-2.0
"""Times of stages add up, and the device is done when they are read."""

import time

import torch

from vizion3d_ros.engine.device import StageTimes


def test_each_stage_has_its_own_time(device):
    began = time.perf_counter()
    times = StageTimes(torch.device(device))
    values = torch.ones(1000, 1000, device=device)
    times.end('short')
    for _ in range(20):
        values = values @ values / 1000
    times.end('long')
    ms = times.read_ms()
    took_ms = 1e3 * (time.perf_counter() - began)
    assert list(ms) == ['short', 'long']
    assert 0 <= ms['short'] < ms['long'] <= took_ms
    assert sum(ms.values()) <= took_ms
