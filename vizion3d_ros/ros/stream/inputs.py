# SPDX-License-Identifier: Apache-2.0
"""The subscriptions of a node, and what the network shows on the other side of each."""

from __future__ import annotations

import difflib
import logging
import posixpath
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from rclpy.node import Node
from rclpy.qos import (
    DurabilityPolicy,
    QoSCompatibility,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
)
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from rclpy.topic_endpoint_info import TopicEndpointInfo
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from vizion3d_ros.ros.compat import SubscriptionEventCallbacks
from vizion3d_ros.ros.stream.calibration_inputs import CalibrationInputs
from vizion3d_ros.ros.stream.publishers import (
    Endpoint,
    MixedSources,
    PublisherSeen,
    explain_mixed,
)

MOST_SIMILAR = 3
NO_LISTENER = 'no subscribers'
FRESH_SECONDS = 2.0  # a calibration that does not come then is taken to be what it was
logger = logging.getLogger(__name__)
SILENT = partial(SubscriptionEventCallbacks, use_default_callbacks=False)


def input_qos() -> QoSProfile:
    """Best effort, which matches every writer that sends now."""
    return QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)


def latched_qos() -> QoSProfile:
    """What a message that was sent once, to whoever comes later, is asked for with."""
    return QoSProfile(
        depth=1,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL,
    )


class InputSubscriptions:
    """
    The inputs of a node: images only while open, calibrations from `open_early` on.

    A camera_info may be sent once only, before anybody listens to an output.
    """

    def __init__(
        self,
        node: Node,
        topics: Mapping[str, type],
        callbacks: Mapping[str, Callable[[Any], None]],
        switchable: Collection[str],
    ) -> None:
        """callbacks: one for every name in topics; switchable: as in Endpoint."""
        self._node = node
        self._topics = topics
        self._switchable = switchable
        calibrations = self._names(early=True)
        heard = {name: partial(self._hear_calibration, name) for name in calibrations}
        self._told = callbacks
        self._callbacks: Mapping[str, Callable[[Any], None]] = {**callbacks, **heard}
        self._calibrations = CalibrationInputs(
            calibrations, self._create, self._create_latched, node.destroy_subscription
        )
        self._images: dict[str, Subscription] = {}
        self._kept: set[str] = set()  # images that their writers keep
        self._qos: dict[str, QoSProfile] = {}
        self._sources: dict[str, MixedSources] = {}
        self._beside: dict[str, str] = {}  # calibrations that are taken from beside their images
        self._alone: dict[str, float] = {}  # since when there has been none but that
        self._appeared: dict[str, float] = {}  # when somebody began to publish an input, at most
        self._looked = 0.0
        self.opened = 0.0  # time.monotonic(), as all times here
        self.idle = NO_LISTENER

    @property
    def is_open(self) -> bool:
        """Whether the node is subscribed to its images."""
        return bool(self._images)

    @property
    def awaits_calibration(self) -> bool:
        """Whether images come, but a calibration that was not looked at meanwhile does not yet."""
        opening = time.monotonic() - self.opened < FRESH_SECONDS
        return self.is_open and opening and self._calibrations.may_be_old

    def open_early(self) -> None:
        """Subscribe to the calibrations, latched or not, unless that is done."""
        self._calibrations.open()

    def follow_latched(self) -> None:
        """Ask for what was sent before this node came, where a writer keeps it."""
        self._calibrations.ask_for_kept(self._is_kept)
        for name in self._images:  # who asks for it hears nobody who keeps nothing
            if self._is_kept(name) is not (name in self._kept):
                self._node.destroy_subscription(self._images[name])
                self._images[name] = self._open_image(name)

    def look_around(self) -> None:
        """Note since when there has been somebody who publishes an input; called now and then."""
        for name in self._topics:
            if not self._node.count_publishers(self.topic(name)):
                self._appeared.pop(name, None)
            else:
                self._appeared.setdefault(name, self._looked)
        self._looked = time.monotonic()
        for name in self._names(early=True):
            self._look_beside(name)
        if not self.is_open:
            self._calibrations.rest()

    def forgive(self) -> None:
        """Count silence from now on: this node could not listen, what came meanwhile waits."""
        self.opened = time.monotonic()

    def open(self) -> None:
        """Subscribe to all inputs, unless that is done."""
        if not self.is_open:
            self.open_early()
            self.opened = time.monotonic()
            self._images = {name: self._open_image(name) for name in self._names(early=False)}

    def close(self, because: str = NO_LISTENER) -> None:
        """Drop the subscriptions to images; `idle` says why."""
        self.idle = because
        for subscription in self._images.values():
            self._node.destroy_subscription(subscription)
        self._images = {}

    def close_all(self) -> None:
        """Drop all subscriptions."""
        self.close()
        self._calibrations.close()

    def now_ns(self) -> int:
        """Time of the node's clock in nanoseconds; 0 while simulated time has not come."""
        return int(self._node.get_clock().now().nanoseconds)

    def topic(self, name: str) -> str:
        """Fully resolved name, after remapping."""
        return self._node.resolve_topic_name(self._address(name))

    def endpoint(self, name: str) -> Endpoint:
        """Who publishes on an input, and whether this node can hear it."""
        topic, wanted = self.topic(name), type_name(self._topics[name])
        publishers = tuple(self._seen(name, each) for each in self._publishers_of(topic))
        similar = () if publishers else self._similar(topic, wanted)
        since = max(self.opened, self._appeared.get(name, self._looked) if publishers else 0.0)
        other = '' if publishers else self._other_transport(name)
        switchable = name in self._switchable
        return Endpoint(topic, wanted, publishers, similar, since, other, switchable)

    def explain_mixed(self) -> str:
        """Say which inputs get the messages of several publishers in turn; '' if none does."""
        mixed = [name for name, source in self._sources.items() if source.mixed]
        nodes = {t: [p.node_name for p in self._publishers_of(t)] for t in map(self.topic, mixed)}
        return '; '.join(
            explain_mixed(topic, found) for topic, found in nodes.items() if found[1:]
        )

    def _address(self, name: str) -> str:
        """What is subscribed to: for compressed images as image_transport names their topic."""
        if name in self._beside:
            return self._beside[name]
        if self._topics[name] is not CompressedImage:
            return name
        return f'{self._node.resolve_topic_name(name)}/compressed'

    def _look_beside(self, name: str) -> None:
        """
        Take a calibration from beside its image, if it is there and not under its own name.

        There image_transport has it, so that remapping the image is enough.
        """
        own = self.topic(name)
        remapped = own != self._node.resolve_topic_name(name, only_expand=True)
        if remapped or name in self._beside or self._node.count_publishers(own):
            self._alone.pop(name, None)
            return
        image = self._node.resolve_topic_name(
            posixpath.join(posixpath.dirname(name), 'image_rect')
        )
        beside = posixpath.join(posixpath.dirname(image), 'camera_info')
        if not self._node.count_publishers(beside):
            return
        now = time.monotonic()
        if (
            now - self._alone.setdefault(name, now) >= FRESH_SECONDS
        ):  # its own may not be found yet
            self._beside[name], self._appeared[name] = beside, now
            self._calibrations.renew(name)
            logger.info('%s is taken from %s, beside the images', name, beside)

    def _other_transport(self, name: str) -> str:
        """The topic of these images in the other of both types, if somebody publishes that."""
        base = self._node.resolve_topic_name(name)
        others = {Image: (f'{base}/compressed', CompressedImage), CompressedImage: (base, Image)}
        topic, kind = others.get(self._topics[name], ('', Image))
        types = {each.topic_type for each in self._publishers_of(topic)} if topic else set()
        return topic if type_name(kind) in types else ''

    def _names(self, early: bool) -> list[str]:
        return [name for name, kind in self._topics.items() if (kind is CameraInfo) is early]

    def _seen(self, name: str, publisher: TopicEndpointInfo) -> PublisherSeen:
        offered = publisher.qos_profile
        verdict, reason = qos_check_compatible(offered, self._qos.get(name, input_qos()))
        heard = verdict != QoSCompatibility.ERROR
        return PublisherSeen(
            node=publisher.node_name,
            type=publisher.topic_type,
            reliability=offered.reliability.name.lower(),
            fault='' if heard else reason.removeprefix('ERROR: ').strip(' ;'),
        )

    def _similar(self, topic: str, wanted: str) -> tuple[str, ...]:
        """Topics of the type, the most alike first; those of this node are not what is meant."""
        used = set(map(self.topic, self._topics))
        names = [
            name
            for name, types in self._node.get_topic_names_and_types()
            if wanted in types
            and name not in used
            and any(map(self._is_foreign, self._publishers_of(name)))
        ]
        return tuple(difflib.get_close_matches(topic, names, MOST_SIMILAR))

    def _publishers_of(self, topic: str) -> list[TopicEndpointInfo]:
        return self._node.get_publishers_info_by_topic(topic)

    def _is_foreign(self, publisher: TopicEndpointInfo) -> bool:
        owner = f'{publisher.node_namespace.rstrip("/")}/{publisher.node_name}'
        return owner != self._node.get_fully_qualified_name()

    def _hear_calibration(self, name: str, message: Any) -> None:
        self._calibrations.hear(name)
        self._told[name](message)

    def _open_image(self, name: str) -> Subscription:
        if not self._is_kept(name):
            self._kept.discard(name)
            return self._create(name)
        self._kept.add(name)
        self._qos[name] = latched_qos()
        return self._create_latched(name)

    def _create(self, name: str) -> Subscription:
        self._qos[name] = input_qos()  # rclpy writes what overrides it into this one
        return self._node.create_subscription(
            self._topics[name],
            self._address(name),
            self._sources.setdefault(name, MixedSources()).watched(self._callbacks[name]),
            self._qos[name],
            event_callbacks=SILENT(),  # endpoint() says it better
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )

    def _is_kept(self, name: str) -> bool:
        writers = self._publishers_of(self.topic(name))
        offers = {(each.qos_profile.durability, each.qos_profile.reliability) for each in writers}
        # DDS sends what was kept to nobody who is best effort, nor from a writer that is.
        return offers == {(DurabilityPolicy.TRANSIENT_LOCAL, ReliabilityPolicy.RELIABLE)}

    def _create_latched(self, name: str) -> Subscription:
        return self._node.create_subscription(
            self._topics[name],
            self._address(name),
            self._callbacks[name],
            latched_qos(),
            event_callbacks=SILENT(),
        )


def type_name(message: type) -> str:
    """Name of a message class as the network has it, such as sensor_msgs/msg/Image."""
    return f'{message.__module__.split(".")[0]}/msg/{message.__name__}'
