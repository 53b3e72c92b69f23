# SPDX-License-Identifier: Apache-2.0
"""What a robot has around a node: its sensors, listeners, and an operator."""

import time
from contextlib import contextmanager
from typing import ClassVar

from diagnostic_msgs.msg import DiagnosticArray
from harness import SCENE, values_of
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.srv import GetParameters, SetParametersAtomically
from rclpy.parameter import Parameter, parameter_value_to_python
from scene import TX, image_message, info_message, to_ns
from sensor_msgs.msg import CameraInfo, Image
from spun_node import SpunNode

SERVICE_NODE = ('-m', 'vizion3d_ros.ros.nodes.service_node')
STEREO_INPUTS = {
    'left/image_rect': Image,
    'right/image_rect': Image,
    'left/camera_info': CameraInfo,
    'right/camera_info': CameraInfo,
}


class Robot(SpunNode):
    """Everything around a node; a subclass has its NODE, its INPUTS with types, and `send`."""

    def __init__(self, context, namespace='', name='robot', image_qos=10):
        super().__init__(context, name, namespace)
        self._image_qos = image_qos
        self._namespace = namespace
        self._publishers = {}
        self._clients = {}
        self._listeners = {}
        self._streams = []
        self.clock_offset_ns = 0
        self.node_name = f'{namespace}/{self.NODE}'
        for topic, kind in self.INPUTS.items():
            self.publisher(topic, kind)

    def rest(self):
        """Listen to nothing any more, stop streaming, and set the sensors' clock right."""
        for subscription in self._listeners.values():
            self.node.destroy_subscription(subscription)
        for timer in self._streams:
            self.node.destroy_timer(timer)
        self._listeners.clear()
        self._streams.clear()
        self.clock_offset_ns = 0

    # Sensors

    def send(self):
        """Publish what the node needs for one answer, and return its stamp in nanoseconds."""
        raise NotImplementedError

    def publisher(self, topic, message_type=Image):
        """The publisher of that topic, made on first use."""
        if topic not in self._publishers:
            qos = self._image_qos if message_type is Image else 10
            self._publishers[topic] = self.node.create_publisher(message_type, topic, qos)
        return self._publishers[topic]

    def withdraw(self, topic):
        """Publish that topic no more."""
        self.node.destroy_publisher(self._publishers.pop(topic))

    def input_readers(self):
        """How many subscriptions each input has that is open only while somebody listens."""
        lazy = [topic for topic, kind in self.INPUTS.items() if kind is not CameraInfo]
        return [self.publisher(topic).get_subscription_count() for topic in lazy]

    def wait_for_readers(self, count, timeout=3.0):
        """Wait until each input has so many subscriptions: one of a node that works, or none."""
        self.wait_for(
            lambda: set(self.input_readers()) == {count}, timeout, f'{count} readers each'
        )

    def now_ns(self):
        return time.time_ns() + self.clock_offset_ns

    def stream(self, rate_hz):
        """Send at that rate from now on, while spinning."""
        self._streams.append(self.node.create_timer(1 / rate_hz, self.send))

    # Listeners

    def listen(self, topic, message_type=Image, qos=10, note=lambda message: message):
        """A list that fills with the messages of that topic, or with what note makes of them."""
        notes = []
        subscription = self.node.create_subscription(
            message_type, topic, lambda message: notes.append(note(message)), qos
        )
        self._listeners[id(notes)] = subscription
        return notes

    def listen_to(self, topics):
        """What listen() gives for each of the topics, which come with their types."""
        return {topic: self.listen(topic, message_type) for topic, message_type in topics.items()}

    def ignore(self, messages):
        """Stop filling a list that listen() gave."""
        self.node.destroy_subscription(self._listeners.pop(id(messages)))

    def ask(self, messages, send=None, timeout=20.0):
        """Send until the listener has the answer to something sent, and return it."""
        sent = set()

        def answer():
            return next((m for m in messages if to_ns(m.header.stamp) in sent), None)

        return self.wait_for(
            answer,
            timeout,
            lambda: f'no answer to any of {len(sent)}',
            every=lambda: sent.add((send or self.send)()),
        )

    def ask_all(self, heard):
        """Send until every listener has the answer to the same message, and return them.

        heard: as of listen_to; what is returned has one message in the place of each list.
        """

        def answers():
            by_stamp = {t: {to_ns(m.header.stamp): m for m in ms} for t, ms in heard.items()}
            common = set.intersection(*map(set, by_stamp.values()))
            return common and {topic: found[min(common)] for topic, found in by_stamp.items()}

        return self.wait_for(answers, what=f'one answer on {list(heard)}', every=self.send)

    def status(self, task, where=lambda status, values: True, timeout=20.0, every=None):
        """The next diagnostic status of that task for which where(status, its values) holds."""
        arrays = self.listen('/diagnostics', DiagnosticArray)
        reporter = self.node_name if self._namespace else self.NODE
        name = f'{reporter}: {task}'

        def found():
            statuses = [s for array in arrays for s in array.status if s.name == name]
            return next((s for s in statuses if where(s, values_of(s))), None)

        try:
            return self.wait_for(found, timeout, f'status {name}', every)
        finally:
            self.ignore(arrays)

    # Operator

    def meet(self):
        """
        Wait until the node answers: finding each other can take DDS seconds.

        Asks again each second, as a service may hear a client before it can reach it.
        """
        client = self._client(GetParameters, 'get_parameters', timeout=20.0)
        asked, due = [], 0.0

        def answered():
            nonlocal due
            if time.monotonic() >= due:
                asked.append(client.call_async(GetParameters.Request(names=['lazy'])))
                due = time.monotonic() + 1.0
            return any(future.done() for future in asked)

        self.wait_for(answered, what=lambda: f'{self.node_name} left {len(asked)} calls open')

    def call(self, service_type, name, request, timeout=20.0):
        """The response of a service of the node."""
        future = self.request(service_type, name, request, timeout)
        self.wait_for(future.done, timeout, f'no response from {name}')
        return future.result()

    def request(self, service_type, name, request, timeout=20.0):
        """The future of a response: as call, without waiting for it."""
        return self._client(service_type, name, timeout).call_async(request)

    def _client(self, service_type, name, timeout):
        full_name = f'{self.node_name}/{name}'
        if full_name not in self._clients:
            self._clients[full_name] = self.node.create_client(service_type, full_name)
        client = self._clients[full_name]
        self.wait_for(client.service_is_ready, timeout, f'no service {full_name}')
        return client

    def change_state(self, transition):
        """Whether the node has made the lifecycle transition of that name."""
        request = ChangeState.Request()
        request.transition.id = getattr(Transition, f'TRANSITION_{transition}')
        return self.call(ChangeState, 'change_state', request).success

    def state(self):
        """The id of the node's lifecycle state."""
        return self.call(GetState, 'get_state', GetState.Request()).current_state.id

    def set_parameters(self, values):
        """Set a batch of parameters as a whole; answers with successful and reason."""
        request = SetParametersAtomically.Request(
            parameters=[Parameter(n, value=v).to_parameter_msg() for n, v in values.items()]
        )
        return self.call(SetParametersAtomically, 'set_parameters_atomically', request).result

    def get_parameters(self, *names):
        request = GetParameters.Request(names=names)
        values = self.call(GetParameters, 'get_parameters', request).values
        return dict(zip(names, map(parameter_value_to_python, values)))

    @contextmanager
    def parameters(self, **values):
        """Other parameters for a while; a double underscore in a name stands for its dot."""
        values = {name.replace('__', '.'): value for name, value in values.items()}
        before = self.get_parameters(*values)
        result = self.set_parameters(values)
        assert result.successful, result.reason
        try:
            yield
        finally:
            assert self.set_parameters(before).successful


class ServiceRobot(Robot):
    """Callers only."""

    NODE = 'service_node'
    INPUTS: ClassVar = {}


class StereoRobot(Robot):
    """Two cameras that see the wall of scene.py."""

    NODE = 'stereo_node'
    INPUTS = STEREO_INPUTS

    def send(self):
        """Publish calibrations and one pair, and return its stamp in nanoseconds."""
        return self.send_pair()

    def send_infos(self, left=None, right=None):
        self.publisher('left/camera_info').publish(left or info_message())
        self.publisher('right/camera_info').publish(right or info_message(TX))

    def send_image(self, side, **options):
        """Publish one image; options as image_message's."""
        scene = {'grey': SCENE[side], 'stamp_ns': self.now_ns()}
        self.publisher(f'{side}/image_rect').publish(image_message(**{**scene, **options}))

    def send_images(self, left=None, right=None):
        """Publish one pair, and return its stamp in nanoseconds; a dict of options per side."""
        stamp_ns = self.now_ns()
        self.send_image('left', **{'stamp_ns': stamp_ns, **(left or {})})
        self.send_image('right', **{'stamp_ns': stamp_ns, **(right or {})})
        return stamp_ns

    def send_pair(self, left=None, right=None):
        """Publish calibrations and one pair; options as of send_images."""
        self.send_infos()
        return self.send_images(left, right)
