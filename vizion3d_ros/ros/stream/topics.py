# SPDX-License-Identifier: Apache-2.0
"""Names and types of every topic, in tables; publishers from them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from stereo_msgs.msg import DisparityImage
from vision_msgs.msg import Detection2DArray, Detection3DArray
from visualization_msgs.msg import MarkerArray

from vizion3d_ros.contracts import topic_names
from vizion3d_ros.contracts.commands import Output
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.settings.node_settings import StreamSettings
from vizion3d_ros.ros.compat import PublisherEventCallbacks, UnsupportedEventTypeError
from vizion3d_ros.ros.messages import objects, outgoing
from vizion3d_ros.ros.messages.outgoing import AnyAnswer
from vizion3d_ros.ros.throttle import Pace

OutputMessage = CameraInfo | DisparityImage | Image | PointCloud2 | Detection3DArray | MarkerArray

STEREO_INPUTS: dict[str, type] = {
    topic_names.LEFT: Image,
    topic_names.RIGHT: Image,
    topic_names.LEFT_INFO: CameraInfo,
    topic_names.RIGHT_INFO: CameraInfo,
}
# rclpy serves what has arrived in this order: an image comes last, after what belongs to it.
MONO_INPUTS: dict[str, type] = {
    topic_names.INFO: CameraInfo,
    topic_names.SPARSE_POINTS: PointCloud2,
    topic_names.SPARSE_IMAGE: Image,
    topic_names.IMAGE: Image,
}

# Those of one of each pair only, by the parameters cloud and backend.
ANNOTATION_CLOUDS: dict[str, dict[str, type]] = {
    'depth': {topic_names.DEPTH: Image},
    'points2': {topic_names.POINTS: PointCloud2},
}
ANNOTATION_OBJECTS: dict[str, dict[str, type]] = {
    'masks': {topic_names.DETECTIONS: Detection2DArray, topic_names.INSTANCES: Image},
    'segmenter': {topic_names.LEFT: Image},
}


def transported(
    inputs: Mapping[str, type], images: Collection[str], settings: StreamSettings
) -> dict[str, type]:
    """The inputs with the type in which image_transport, if there is one, brings the images."""
    kind = CompressedImage if getattr(settings, 'image_transport', '') == 'compressed' else Image
    return {**inputs, **{name: kind for name in images if inputs[name] is Image}}


def output_qos() -> QoSProfile:
    """
    Reliable, which satisfies reliable and best-effort readers alike.

    Two frames are enough: a reader that falls behind wants the newest. A new profile each time,
    because rclpy writes qos_overrides into the one it is given.
    """
    return QoSProfile(depth=2)


@dataclass(frozen=True, slots=True)
class OutputTopic:
    """One output: its type, how its message is made, what it needs computed (None: nothing)."""

    type: type[OutputMessage]
    build: Callable[[Any], OutputMessage | None]
    needs: Output | None = None


STEREO_OUTPUTS: dict[str, OutputTopic] = {
    topic_names.DISPARITY: OutputTopic(DisparityImage, outgoing.disparity_message),
    topic_names.DISPARITY_COLOR: OutputTopic(Image, outgoing.disparity_color_message),
    topic_names.DEPTH: OutputTopic(Image, outgoing.depth_message, Output.DEPTH),
    topic_names.DEPTH_INFO: OutputTopic(CameraInfo, outgoing.info_message),
    topic_names.DEPTH_COLOR: OutputTopic(Image, outgoing.depth_color_message, Output.DEPTH),
    topic_names.POINTS: OutputTopic(PointCloud2, outgoing.cloud_message, Output.CLOUD),
    topic_names.CONFIDENCE: OutputTopic(Image, outgoing.confidence_message),
    topic_names.VISIBILITY: OutputTopic(Image, outgoing.visibility_message),
    topic_names.UNCERTAINTY: OutputTopic(Image, outgoing.uncertainty_message, Output.DEPTH),
}
# What is metric needs depth; a relative answer without a scale leaves those topics silent.
MONO_OUTPUTS: dict[str, OutputTopic] = {
    topic_names.DEPTH: OutputTopic(Image, outgoing.depth_message, Output.DEPTH),
    topic_names.DEPTH_INFO: OutputTopic(CameraInfo, outgoing.depth_info_message, Output.DEPTH),
    topic_names.DEPTH_COLOR: OutputTopic(Image, outgoing.depth_color_message, Output.DEPTH),
    topic_names.POINTS: OutputTopic(PointCloud2, outgoing.cloud_message, Output.CLOUD),
    topic_names.UNCERTAINTY: OutputTopic(Image, outgoing.uncertainty_message, Output.DEPTH),
    topic_names.RELATIVE: OutputTopic(Image, outgoing.relative_message),
    topic_names.RELATIVE_COLOR: OutputTopic(Image, outgoing.relative_color_message),
}

ANNOTATION_OUTPUTS: dict[str, OutputTopic] = {
    topic_names.DETECTIONS_3D: OutputTopic(Detection3DArray, objects.detections_message),
    topic_names.LABELED_POINTS: OutputTopic(PointCloud2, objects.labeled_points_message),
    topic_names.MARKERS: OutputTopic(MarkerArray, objects.markers_message),
}


def check_topics(
    node: Node, inputs: Mapping[str, type], outputs: Mapping[str, OutputTopic]
) -> None:
    """
    Raise InputError if remapping put two types on one topic, or an output on an input.

    The middleware refuses a second type on a topic of one process as soon as it is opened.
    """
    kinds = {**inputs, **{name: output.type for name, output in outputs.items()}}
    taken: dict[str, str] = {}
    for name, kind in kinds.items():
        topic = node.resolve_topic_name(name)
        if kind is CompressedImage:
            topic = f'{topic}/compressed'
        other = taken.setdefault(topic, name)
        if kinds[other] is kind and (other in inputs) is (name in inputs):
            continue
        why = 'read and written' if kinds[other] is kind else 'of different types'
        raise InputError(
            f'{other} and {name} are both mapped to {topic}, but are {why}: remap each to a topic '
            'of its own'
        )


class OutputPublishers:
    """
    All outputs of a node. Says which ones somebody listens to, and publishes those.

    Nothing is wanted and nothing leaves until `enabled` is set.
    """

    def __init__(
        self, node: Node, topics: Mapping[str, OutputTopic], on_listeners: Callable[[], None]
    ) -> None:
        """Advertise every output; on_listeners() runs when a listener comes or goes."""
        self._node = node
        self._topics = topics
        self._on_listeners = on_listeners
        self._publishers = {name: self._create(name) for name in topics}
        self._clouds = Pace()
        self.enabled = False
        self.published = dict.fromkeys(topics, 0)

    @property
    def usable(self) -> bool:
        """Whether anything can be sent: switched on, and no signal has ended the middleware."""
        return self.enabled and bool(self._node.context.ok())

    def wanted(self, lazy: bool) -> frozenset[str]:
        """Topics that somebody listens to, or all if not lazy."""
        return frozenset(
            name
            for name, publisher in self._publishers.items()
            if self.enabled and (not lazy or publisher.get_subscription_count() > 0)
        )

    def due(self, lazy: bool, cloud_period: float) -> frozenset[str]:
        """Topics to fill for this frame; cloud_period (seconds) holds points2 back."""
        names = self.wanted(lazy)
        held_back = topic_names.POINTS in names and not self._clouds.allows(cloud_period)
        return names - {topic_names.POINTS} if held_back else names

    def needs(self, names: Collection[str]) -> frozenset[Output]:
        """What has to be computed for the named topics."""
        needs = (self._topics[name].needs for name in names)
        return frozenset(need for need in needs if need is not None)

    def publish(self, answer: AnyAnswer, names: Collection[str]) -> None:
        """Make and send one message on each of the named topics that has something to say."""
        for name in names:
            message = self._topics[name].build(answer)
            if message is None or not self.enabled:
                continue
            self._publishers[name].publish(message)
            self.published[name] += 1

    def restart(self) -> None:
        """Count from now on."""
        self.published = dict.fromkeys(self._topics, 0)

    def destroy(self) -> None:
        """Withdraw every output."""
        self.enabled = False
        for publisher in self._publishers.values():
            self._node.destroy_publisher(publisher)
        self._publishers = {}

    def _create(self, name: str) -> Publisher[OutputMessage]:
        create = partial(
            self._node.create_publisher,
            self._topics[name].type,
            name,
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )
        try:  # matched events came after Humble, and not in every middleware
            events = PublisherEventCallbacks(matched=lambda _: self._on_listeners())
            return create(output_qos(), event_callbacks=events)
        except (TypeError, UnsupportedEventTypeError):
            return create(output_qos())
