# SPDX-License-Identifier: Apache-2.0
"""Which topics of a bag are the pair, by the names that the node subscribes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vizion3d_ros.bags.recording import Topic
from vizion3d_ros.contracts import topic_names
from vizion3d_ros.contracts.errors import InputError

IMAGES = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
INFOS = ('sensor_msgs/msg/CameraInfo',)
COMPRESSED = '/compressed'
OPTIONS = '--left, --right, --left-info and --right-info'


@dataclass(frozen=True, slots=True)
class ChosenTopics:
    """The four topics of a rig, and the namespace that our outputs get, '' or as in '/head'."""

    left: str
    right: str
    left_info: str
    right_info: str
    namespace: str


def choose(
    topics: Mapping[str, Topic],
    left: str | None = None,
    right: str | None = None,
    left_info: str | None = None,
    right_info: str | None = None,
) -> ChosenTopics:
    """Take what is named, find the rest by its name; InputError says what the bag has."""
    namespace = _namespace(topics) if left is None or right is None else ''
    one = left or _image(topics, f'{namespace}/{topic_names.LEFT}')
    other = right or _image(topics, f'{namespace}/{topic_names.RIGHT}')
    chosen = ChosenTopics(
        one,
        other,
        left_info or _info_beside(one),
        right_info or _info_beside(other),
        namespace if left is None else _parent(_parent(one.removesuffix(COMPRESSED))),
    )
    for name, kinds in (
        (chosen.left, IMAGES),
        (chosen.right, IMAGES),
        (chosen.left_info, INFOS),
        (chosen.right_info, INFOS),
    ):
        _check(topics, name, kinds)
    return chosen


def _namespace(topics: Mapping[str, Topic]) -> str:
    """Where both images are, '' for none; InputError for several places or none at all."""
    bases = {name.removesuffix(COMPRESSED) for name, each in topics.items() if each.type in IMAGES}
    ends = f'/{topic_names.LEFT}', f'/{topic_names.RIGHT}'
    found = [
        base.removesuffix(ends[0])
        for base in sorted(bases)
        if base.endswith(ends[0]) and base.removesuffix(ends[0]) + ends[1] in bases
    ]
    if len(found) == 1:
        return found[0]
    if found:
        places = ', '.join(place or '/' for place in found)
        raise InputError(f'the bag has several rigs ({places}): choose by {OPTIONS}')
    raise InputError(
        f'expected {ends[0]} and {ends[1]}, in a namespace or not: choose by {OPTIONS}, and '
        f'--rectify for raw images; {_told(topics)}'
    )


def _image(topics: Mapping[str, Topic], name: str) -> str:
    return name if name in topics else name + COMPRESSED


def _info_beside(image: str) -> str:
    return f'{_parent(image.removesuffix(COMPRESSED))}/{topic_names.INFO}'


def _parent(name: str) -> str:
    return name.rpartition('/')[0]


def _check(topics: Mapping[str, Topic], name: str, kinds: tuple[str, ...]) -> None:
    if name not in topics:
        raise InputError(f'{name}: not in the bag; choose by {OPTIONS}; {_told(topics)}')
    if topics[name].type not in kinds:
        raise InputError(f'{name}: expected {" or ".join(kinds)}, got {topics[name].type}')


def _told(topics: Mapping[str, Topic]) -> str:
    known = [f'{each.name} ({each.type})' for each in topics.values() if each.type]
    return f'the bag has {", ".join(sorted(known)) or "no topics"}'
