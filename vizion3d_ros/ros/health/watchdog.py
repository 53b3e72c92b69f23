# SPDX-License-Identifier: Apache-2.0
"""Why nothing comes on an input: one sentence that names it, what was seen and what to do."""

from __future__ import annotations

import time

from vizion3d_ros.incoming.input_stats import RECENT_SECONDS, InputStats
from vizion3d_ros.ros.stream.publishers import Endpoint, PublisherSeen

IMAGE, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
RAW_ONLY = 'this input takes raw images alone: have `image_transport republish` make them so'
TRANSPORT = 'the transport profile (docs/transport.md)'
MOST_MISSING = 1 / 3
FEWEST_STAMPS = 3  # one 0 is where simulated time begins
FEWEST_EQUAL = 10
FEWEST_SHARED = 2
MOST_SHARED = 1 / 4  # of the images of the last seconds
WHOLE_SECONDS = 1.2
NS_PER_SECOND = 1_000_000_000
AHEAD_NS = 1_000_000_000  # clocks of two machines that are kept together differ far less
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
    """Say that the images of an input share or lack stamps, or that these jump; '' if not."""
    if stats.jumps:
        return (
            f'the stamps on {topic} went back {stats.recently_back.total} times in the last '
            f'{RECENT_SECONDS:g} s, and what waited was dropped each time: see that one node '
            'alone publishes it, and that the clock of the driver does not jump'
        )
    carried = _no_stamp(stats) or _shared_stamps(stats)
    if not carried:
        return ''
    return (
        f'the images on {topic} carry {carried}: nobody can tell which belong together, nor '
        'when they were taken; have the driver set header.stamp'
    )


def explain_ahead(topic: str, stats: InputStats, now_ns: int) -> str:
    """Say that the images of an input are of the future; now_ns: of the node, 0 = not known."""
    ahead_ns = (stats.newest_ns or 0) - now_ns
    if not now_ns or ahead_ns < AHEAD_NS:
        return ''
    return (
        f'the stamps on {topic} are {ahead_ns / 1e9:.1f} s ahead of the clock of this node, and '
        'TF refuses what is of the future: synchronise the clocks of both machines (NTP, PTP), or '
        'set use_sim_time as the camera has it'
    )


def _no_stamp(stats: InputStats) -> str:
    stamps = tuple(stats.stamps_ns)[-FEWEST_EQUAL:]
    if len(stamps) >= FEWEST_STAMPS and max(stamps[-FEWEST_STAMPS:]) < 0:
        return f'stamps below 0 ({stamps[-1] / 1e9:.3f} s)'
    if len(stamps) < FEWEST_STAMPS or any(stamp != stamps[0] for stamp in stamps):
        return ''
    if not stamps[0]:
        return 'the stamp 0'
    if len(stamps) < FEWEST_EQUAL or (_in_whole_seconds(stats) and _may_change(stats)):
        return ''
    return f'the same stamp, {stamps[0] / 1e9:.3f} s'


def _may_change(stats: InputStats) -> bool:
    """Whether stamps that are all the same now may be those of one whole second."""
    changed = _recent_stamps(stats) > 1
    return changed or stats.recently_repeated.seconds < WHOLE_SECONDS


def _recent_stamps(stats: InputStats) -> int:
    """How many stamps the images of the last seconds have."""
    return stats.recently_received.total - stats.recently_repeated.total


def _shared_stamps(stats: InputStats) -> str:
    """Say what stamps several images each share: those at 1 Hz on the whole second share none."""
    images, repeated = stats.recently_received.total, stats.recently_repeated.total
    stamps, newest = _recent_stamps(stats), tuple(stats.stamps_ns)[-FEWEST_STAMPS:]
    if stamps < 2 or repeated < max(FEWEST_SHARED, MOST_SHARED * images):
        return ''
    if len(set(newest)) == len(newest):  # they did, and do no more
        return ''
    if _in_whole_seconds(stats):
        return (
            f'stamps in whole seconds ({images / stamps:.1f} images share each, as '
            'header.stamp.nanosec is always 0)'
        )
    return f'stamps that several share ({images / stamps:.1f} images each)'


def _in_whole_seconds(stats: InputStats) -> bool:
    return not any(stamp % NS_PER_SECOND for stamp in tuple(stats.stamps_ns))


def _nobody(endpoint: Endpoint) -> str:
    text = f'nobody publishes {endpoint.topic}: start the camera or remap the topic'
    if endpoint.other_transport:
        other = 'raw' if endpoint.type == COMPRESSED else 'compressed'
        cure = f'set image_transport to {other}' if endpoint.switchable else RAW_ONLY
        return (
            f'nobody publishes {endpoint.topic} ({endpoint.type}), but {endpoint.other_transport} '
            f'carries these images: {cure}'
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
    if publisher.type == COMPRESSED and endpoint.switchable:
        cure = (
            'set image_transport to compressed, and leave /compressed out of the name that this '
            'input is remapped to'
        )
    elif publisher.type == COMPRESSED and endpoint.type == IMAGE:
        cure = RAW_ONLY
    return (
        f'{endpoint.topic} carries the type {publisher.type} (from {publisher.node}), expected '
        f'{endpoint.type}: {cure}'
    )
