# SPDX-License-Identifier: Apache-2.0
"""What happens to a robot in a day, each as a function that does it to the scene of a soak."""

import os
import random
import signal
import subprocess
import sys
import time
from array import array

from harness import REPOSITORY
from rclpy.qos import qos_profile_sensor_data
from scene import image_message, info_message, stamped
from sensor_msgs.msg import CameraInfo, Image
from service_calls import rgb_message, stereo_request

from vizion3d_interfaces.srv import RunStereoDepth

HERE = REPOSITORY / 'test/ros'
PEER_S = 60.0
IN_FAST_DDS = 'in _take_subscription'  # innermost in the stack of a process that came no further
IMPOSSIBLE = {'max_depth': -1.0, 'no.such.parameter': 3, 'sgbm.disparity_range': 'wide'}
POSSIBLE = {
    'max_depth': [20.0, 40.0],
    'sgbm.P2': [400.0, 800.0],
    'points.decimation': [1, 4],
    'sync.slop': [0.005, 0.01],
}


def process(domain, script, *arguments, **options):
    """A script of this folder as a process on that ROS domain."""
    environment = {
        **os.environ,
        'ROS_DOMAIN_ID': str(domain),
        'PYTHONPATH': os.pathsep.join([str(HERE), *filter(None, sys.path)]),
    }
    command = [sys.executable, HERE / 'soak' / script, *arguments]
    return subprocess.Popen(command, env=environment, **options)


class Camera:
    """wall_camera.py as a process."""

    def __init__(self, domain, namespace, rate_hz):
        self._arguments = domain, 'wall_camera.py', namespace, str(rate_hz)
        self.start()

    def start(self):
        self._process = process(*self._arguments)

    def send_signal(self, number):
        self._process.send_signal(number)

    def kill(self):
        self._process.kill()
        self._process.wait()


def camera_killed(soak):
    soak.camera.kill()
    soak.robot.spin_for(1.0)
    soak.camera.start()


def camera_stopped(soak):
    soak.camera.send_signal(signal.SIGSTOP)
    soak.robot.spin_for(soak.random.uniform(0.5, 2.5))
    soak.camera.send_signal(signal.SIGCONT)


def broken_images(soak):
    def send():
        stamp_ns = time.time_ns()
        left, right = (image_message(soak.grey, stamp_ns) for _ in range(2))
        right.data = right.data[: soak.random.randrange(len(right.data))]
        left.encoding = soak.random.choice(['mono8', 'smellovision', ''])
        soak.robot.publisher('left/image_rect').publish(left)
        soak.robot.publisher('right/image_rect').publish(right)

    soak.robot.spin_for(1.0, every=send)


def huge_images(soak):
    """An image that claims 8K and has next to no data."""
    huge = stamped(Image, time.time_ns())
    huge.width, huge.height, huge.step, huge.encoding = 7680, 4320, 7680, 'mono8'
    huge.data = array('B', bytes(1000))
    for side in ('left', 'right'):
        soak.robot.publisher(f'{side}/image_rect').publish(huge)
    soak.robot.spin_for(0.5)


def other_calibration(soak):
    """Another camera speaks on the same topics for a while."""
    infos = [CameraInfo(), info_message(0.0, 640, 480), info_message(0.3)]

    def send():
        for side in ('left', 'right'):
            soak.robot.publisher(f'{side}/camera_info').publish(soak.random.choice(infos))

    soak.robot.spin_for(1.0, every=send)


def parameter_storm(soak):
    names = [*POSSIBLE, *IMPOSSIBLE]
    for _ in range(30):
        name = soak.random.choice(names)
        values = POSSIBLE.get(name)
        value = soak.random.choice(values) if values else IMPOSSIBLE[name]
        result = soak.robot.set_parameters({name: value})
        assert result.successful is bool(values), f'{name} = {value!r}: {result.reason}'
    first = {name: values[0] for name, values in POSSIBLE.items()}
    assert soak.robot.set_parameters(first).successful


def listeners_come_and_go(soak):
    """
    Readers of a participant that stays.

    They are best effort: reliable ones that come and go beside others of their process end in an
    endless loop of Fast DDS, see docs/transport.md. Reliable ones are peers_come_and_go.
    """
    for _ in range(10):
        depths = soak.robot.listen('depth/image', qos=qos_profile_sensor_data)
        soak.robot.spin_for(soak.random.uniform(0.0, 0.2))
        soak.robot.ignore(depths)


def peers_come_and_go(soak):
    """
    Processes that listen reliably, and leave when they have seen depth.

    What Fast DDS hangs in its own endless loop is counted, and no fault of the node.
    """
    peers = [
        process(soak.domain, 'passer_by.py', images, stderr=subprocess.PIPE, text=True)
        for images in ('1', '5')
    ]
    soak.robot.wait_for(lambda: all(peer.poll() is not None for peer in peers), PEER_S)
    for peer in peers:
        said = peer.communicate()[1]
        hung = IN_FAST_DDS in said
        soak.hung += hung
        assert peer.returncode == 0 or hung, said


def listener_killed(soak):
    """One that listens reliably; DDS believes in it until its lease of 20 s is over."""
    listener = process(soak.domain, 'passer_by.py', '1000000')
    soak.robot.spin_for(soak.random.uniform(0.5, 2.0))
    listener.kill()
    listener.wait()


def requests(soak):
    """Good ones and bad ones, all answered."""
    for _ in range(20):
        good = soak.random.random() < 0.5
        right = rgb_message(soak.rgb) if good else b'no picture'
        request = stereo_request(rgb_message(soak.rgb), right, {'focal_length': 200.0})
        request.model_backend = 'opencv-sgbm'
        response = soak.robot.call(RunStereoDepth, 'run_stereo_depth', request)
        assert response.success is good, response.message
        soak.answered += 1


def deactivated(soak):
    assert soak.robot.change_state('DEACTIVATE')
    assert not soak.robot.change_state('DEACTIVATE')
    assert soak.robot.change_state('ACTIVATE')


def nobody_listens(soak):
    """For long enough that the inputs close."""
    soak.rest()
    soak.robot.wait_for_readers(0, 25.0)
    soak.listen()


ALL = [
    camera_killed,
    camera_stopped,
    broken_images,
    huge_images,
    other_calibration,
    parameter_storm,
    listeners_come_and_go,
    peers_come_and_go,
    requests,
    deactivated,
    nobody_listens,
]


def shuffled(faults, seed):
    """All the faults for ever, in another order each time."""
    dice = random.Random(seed)
    while True:
        yield from dice.sample(faults, len(faults))
