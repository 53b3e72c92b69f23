# SPDX-License-Identifier: Apache-2.0
"""The node as a real process, and what a robot has around it: cameras, listeners, operators."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.srv import GetParameters, SetParametersAtomically
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter, parameter_value_to_python
from scene import TX, image_message, info_message, textured_pair, to_ns
from sensor_msgs.msg import CameraInfo, Image

REPOSITORY = Path(__file__).resolve().parents[2]
INPUTS = ('left/image_rect', 'right/image_rect', 'left/camera_info', 'right/camera_info')
PAIR_PERIOD = 0.15
EXIT_SECONDS = 3.0
SCENE = dict(zip(('left', 'right'), textured_pair()))


def free_domain():
    """A ROS domain nobody on this machine uses: its first discovery port is free."""
    for domain in random.SystemRandom().sample(range(1, 101), 100):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(('', 7400 + 250 * domain + 10))
            except OSError:
                continue
            return domain
    pytest.fail('all ROS domains from 1 to 100 are in use')


def values_of(status):
    """The values of a diagnostic status, numbers as numbers."""
    pairs = ((item.key, item.value) for item in status.values)
    return {k: float(v) if v.replace('.', '', 1).isdigit() else v for k, v in pairs}


class NodeProcess:
    """The stereo node in a process group of its own, its output in a file."""

    def __init__(self, domain, folder, namespace='', parameters=None, arguments=()):
        self._log = folder / f'node{namespace.replace("/", "_")}_{time.monotonic_ns()}.log'
        command = [sys.executable, '-m', 'vizion3d_ros.ros.stereo_node']
        command += ['--ros-args', '-r', f'__ns:={namespace or "/"}']
        for name, value in (parameters or {}).items():
            command += ['-p', f'{name}:={value}']
        environment = {
            **os.environ,
            'ROS_DOMAIN_ID': str(domain),
            'ROS_LOG_DIR': str(folder),
            'PYTHONUNBUFFERED': '1',
            'PYTHONPATH': os.pathsep.join([str(REPOSITORY), os.environ.get('PYTHONPATH', '')]),
        }
        with self._log.open('wb') as log:
            self._process = subprocess.Popen(
                [*command, *arguments],
                cwd=REPOSITORY,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self):
        """Everything it wrote so far."""
        return self._log.read_text(errors='replace')

    @property
    def alive(self):
        return self._process.poll() is None

    def lines(self, *words):
        """Lines of the output in which all the words occur."""
        return [line for line in self.output.splitlines() if all(w in line for w in words)]

    def wait_for_line(self, *words, timeout=20.0):
        """The first such line, as soon as it is there."""
        deadline = time.monotonic() + timeout
        while not (found := self.lines(*words)):
            if time.monotonic() > deadline or not self.alive:
                pytest.fail(f'no line with {words} within {timeout} s:\n{self.output}')
            time.sleep(0.02)
        return found[0]

    def wait_for_exit(self, timeout, meanwhile=lambda: time.sleep(0.01)):
        """Its exit code."""
        deadline = time.monotonic() + timeout
        while self.alive:
            if time.monotonic() > deadline:
                pytest.fail(f'still running after {timeout} s:\n{self.output}')
            meanwhile()
        return self._process.returncode

    def end(self, number, **options):
        """Send that signal, and check that the node obeys in time and without a fuss."""
        self._process.send_signal(number)
        assert self.wait_for_exit(EXIT_SECONDS, **options) == 0, self.output
        for fuss in ('Traceback', '[ERROR]', '[FATAL]', 'terminate called'):
            assert fuss not in self.output, self.output

    def kill(self):
        """End it and whatever it started."""
        if self.alive:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class Robot:
    """Everything around the node: both cameras, listeners, and an operator's service calls."""

    def __init__(self, context, namespace='', name='robot', image_qos=10):
        self.node = Node(name, context=context, namespace=namespace)
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self.node)
        self._image_qos = image_qos
        self._publishers = {}
        self._clients = {}
        self._listeners = {}
        self._streams = []
        self.clock_offset_ns = 0
        self.node_name = f'{namespace}/stereo_node'
        for topic in INPUTS:
            self.publisher(topic)

    def rest(self):
        """Listen to nothing any more, stop streaming, and set the cameras' clock right."""
        for subscription in self._listeners.values():
            self.node.destroy_subscription(subscription)
        for timer in self._streams:
            self.node.destroy_timer(timer)
        self._listeners.clear()
        self._streams.clear()
        self.clock_offset_ns = 0

    def close(self):
        self._executor.shutdown()
        self.node.destroy_node()

    def spin_once(self, timeout=0.02):
        self._executor.spin_once(timeout_sec=timeout)

    def wait_for(self, condition, timeout=20.0, what='', every=None):
        """Spin until condition() is truthy, and return its value.

        what: what is waited for, or a function that tells. every: what to do meanwhile.
        """
        deadline, due = time.monotonic() + timeout, 0.0
        while not (value := condition()):
            now = time.monotonic()
            if now > deadline:
                pytest.fail(f'waited {timeout} s in vain: {what() if callable(what) else what}')
            if every and now >= due:
                every()
                due = now + PAIR_PERIOD
            self.spin_once()
        return value

    # Cameras

    def publisher(self, topic, message_type=None):
        """The publisher of that topic, made on first use."""
        if topic not in self._publishers:
            kind = message_type or (CameraInfo if topic.endswith('info') else Image)
            qos = self._image_qos if kind is Image else 10
            self._publishers[topic] = self.node.create_publisher(kind, topic, qos)
        return self._publishers[topic]

    def input_readers(self):
        """How many subscriptions each input has."""
        return [self.publisher(topic).get_subscription_count() for topic in INPUTS]

    def now_ns(self):
        return time.time_ns() + self.clock_offset_ns

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
        """Publish calibrations and one pair."""
        self.send_infos()
        return self.send_images(left, right)

    def stream(self, rate_hz):
        """Send pairs at that rate from now on, while spinning."""
        self._streams.append(self.node.create_timer(1 / rate_hz, self.send_pair))

    # Listeners

    def listen(self, topic, message_type=Image, qos=10, note=lambda message: message):
        """A list that fills with the messages of that topic, or with what note makes of them."""
        notes = []
        subscription = self.node.create_subscription(
            message_type, topic, lambda message: notes.append(note(message)), qos
        )
        self._listeners[id(notes)] = subscription
        return notes

    def ignore(self, messages):
        """Stop filling a list that listen() gave."""
        self.node.destroy_subscription(self._listeners.pop(id(messages)))

    def ask(self, messages, send=None, timeout=20.0):
        """Send pairs until the listener has the answer to one of them, and return it."""
        sent = set()

        def answer():
            return next((m for m in messages if to_ns(m.header.stamp) in sent), None)

        return self.wait_for(
            answer,
            timeout,
            f'no answer to {len(sent)} pairs',
            every=lambda: sent.add((send or self.send_pair)()),
        )

    def status(self, task, where=lambda status, values: True, timeout=20.0, every=None):
        """The next diagnostic status of that task for which where(status, its values) holds."""
        arrays = self.listen('/diagnostics', DiagnosticArray)
        name = f'{self.node_name}: {task}'

        def found():
            statuses = [s for array in arrays for s in array.status if s.name == name]
            return next((s for s in statuses if where(s, values_of(s))), None)

        try:
            return self.wait_for(found, timeout, f'status {name}', every)
        finally:
            self.ignore(arrays)

    # Operator

    def meet(self):
        """Wait until the node answers: finding each other can take DDS seconds."""
        self.get_parameters('lazy')

    def call(self, service_type, name, request, timeout=20.0):
        """The response of a service of the node."""
        full_name = f'{self.node_name}/{name}'
        if full_name not in self._clients:
            self._clients[full_name] = self.node.create_client(service_type, full_name)
        client = self._clients[full_name]
        self.wait_for(client.service_is_ready, timeout, f'no service {full_name}')
        future = client.call_async(request)
        self.wait_for(future.done, timeout, f'no response from {full_name}')
        return future.result()

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
