# SPDX-License-Identifier: Apache-2.0
"""Why nothing comes on an input: one sentence that names it, what was seen and what to do."""

from __future__ import annotations

import time

from vizion3d_ros.incoming.input_stats import InputStats
from vizion3d_ros.ros.stream.inputs import Endpoint, PublisherSeen

COMPRESSED = 'sensor_msgs/msg/CompressedImage'
TRANSPORT = 'the transport profile (docs/transport.md)'
MOST_MISSING = 1 / 3
FEWEST_STAMPS = 3  # one 0 is where simulated time begins
FEWEST_EQUAL = 10
FIRST_SECONDS = 0.4  # more for the first message, which takes the time to find each other too
FIND_SECONDS = 1.5  # the same where nobody is found: DDS says every three seconds who is there


def is_overdue(endpoint: Endpoint, stats: InputStats, timeout: float, found: bool) -> bool:
    """
    Whether an input has been silent for too long: timeout seconds, and more before it began.

    found: whether any camera was; if none at all, the middleware may not have found it yet.
    """
    patience = timeout
    if stats.arrived < endpoint.since and not endpoint.unheard:
        patience += FIRST_SECONDS if found else FIND_SECONDS
    return time.monotonic() - max(stats.arrived, endpoint.since) >= patience


def explain_silence(endpoint: Endpoint, stats: InputStats, what: str = 'image') -> str:
    """Say why no message comes on an input; what: the message, for a sentence."""
    if not endpoint.publishers:
        return _nobody(endpoint)
    reasons = [_why_unheard(endpoint, publisher) for publisher in endpoint.unheard]
    if len(endpoint.unheard) < len(endpoint.publishers):
        reasons.append(_nothing(endpoint, stats, what))
    return '; '.join(reasons)


def explain_missing(topic: str, stats: InputStats) -> str:
    """Say that many images of an input get lost on their way; '' if they do not."""
    share = stats.missing_share
    if share < MOST_MISSING or not stats.period_ns:
        return ''
    return (
        f'{share:.0%} of the images on {topic} never arrive, by the stamps of those that do '
        f'({stats.rate_hz:.1f} Hz come): load {TRANSPORT} in the driver and here, or lower the '
        'rate or the size of the images'
    )


def explain_unstamped(topic: str, stats: InputStats) -> str:
    """Say that the images of an input carry no stamp, or all the same; '' if they do."""
    stamps = stats.stamps_ns
    if len(stamps) < FEWEST_STAMPS or any(stamp != stamps[0] for stamp in tuple(stamps)):
        return ''
    if stamps[0] and len(stamps) < FEWEST_EQUAL:
        return ''
    which = f'the same stamp, {stamps[0] / 1e9:.3f} s' if stamps[0] else 'the stamp 0'
    return (
        f'the images on {topic} carry {which}: nobody can tell which belong together, nor '
        'when they were taken; have the driver set header.stamp'
    )


def _nobody(endpoint: Endpoint) -> str:
    text = f'nobody publishes {endpoint.topic}: start the camera or remap the topic'
    if endpoint.other_transport:
        other = 'raw' if endpoint.type == COMPRESSED else 'compressed'
        return (
            f'nobody publishes {endpoint.topic} ({endpoint.type}), but {endpoint.other_transport} '
            f'carries these images: set image_transport to {other}'
        )
    if endpoint.topic.endswith('/compressed/compressed'):
        return f'{text}, leaving /compressed out of the name: it is put behind it'
    if endpoint.similar:
        text += f'; topics of its type: {", ".join(endpoint.similar)}'
    return text


def _nothing(endpoint: Endpoint, stats: InputStats, what: str) -> str:
    seen = (
        f'the last {what} came {time.monotonic() - stats.arrived:.1f} s ago'
        if stats.received
        else 'nothing arrived'
    )
    offered = ', '.join(publisher.reliability for publisher in endpoint.publishers)
    return (
        f'{seen} on {endpoint.topic}, which has {len(endpoint.publishers)} publisher(s) '
        f'({offered}): check that the driver runs, and for large images {TRANSPORT}'
    )


def _why_unheard(endpoint: Endpoint, publisher: PublisherSeen) -> str:
    if publisher.type == endpoint.type:
        return (
            f'{endpoint.topic}: {publisher.node} offers a QoS that does not fit what this node '
            f'asks for ({publisher.fault}), so nothing will come from it: set '
            'qos_overrides'
        )
    cure = 'remap this input to a topic of its type'
    if publisher.type == COMPRESSED:
        cure = (
            'set image_transport to compressed, and leave /compressed out of the name that this '
            'input is remapped to'
        )
    return (
        f'{endpoint.topic} carries the type {publisher.type} (from {publisher.node}), expected '
        f'{endpoint.type}: {cure}'
    )
