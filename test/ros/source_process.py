# SPDX-License-Identifier: Apache-2.0
"""A stand-in camera as a real process, and a node that hears what it sends."""

import json
import os
import subprocess
import sys

import rclpy
from harness import REPOSITORY
from rclpy.qos import QoSProfile, ReliabilityPolicy
from spun_node import SpunNode

DEADLINE_S = 30.0
QOS = QoSProfile(depth=200, reliability=ReliabilityPolicy.RELIABLE)


class Source:
    """A source process in a ROS domain of its own."""

    def __init__(self, domain, log_dir, name, **parameters):
        command = [sys.executable, '-m', f'vizion3d_ros.ros.testbed.{name}', '--ros-args']
        for key, value in parameters.items():
            command += ['-p', f'{key}:={value}']
        env = {**os.environ, 'ROS_DOMAIN_ID': str(domain), 'ROS_LOG_DIR': str(log_dir)}
        self.process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def end(self):
        """Exit code, stdout and stderr."""
        out, err = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, out, err

    def summary(self):
        """What it counted; the test fails unless it ended well."""
        code, out, err = self.end()
        assert code == 0, err
        assert 'Traceback' not in err, err
        return json.loads(out.splitlines()[-1])


class Ears(SpunNode):
    """Hears the topics given with their types; `heard` keeps every message by topic."""

    def __init__(self, domain, topics):
        self._context = rclpy.Context()
        self._context.init(domain_id=domain)
        super().__init__(self._context, 'ears')
        self.heard = {topic: [] for topic in topics}
        for topic, kind in topics.items():
            self.node.create_subscription(kind, topic, self.heard[topic].append, QOS)

    def wait_for(self, condition):
        super().wait_for(condition, DEADLINE_S, lambda: f'heard {self.counts()}')

    def counts(self):
        return {topic: len(messages) for topic, messages in self.heard.items()}

    def listen_until_the_end(self, source):
        """Hear all that the source sends until it exits."""
        self.wait_for(lambda: source.process.poll() is not None)
        for _ in range(200):
            self.spin_once(0)

    def publishers(self, topic):
        """How many publish a topic now."""
        return self.node.count_publishers(topic)

    def close(self):
        super().close()
        self._context.try_shutdown()
