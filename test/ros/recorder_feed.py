# SPDX-License-Identifier: Apache-2.0
"""A recorder process and what it is fed: frames of a wall 2 m away, seen 10 % too far."""

import os
import subprocess
import sys
import threading
import time
from array import array

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from scene import pixels_message
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField
from stereo_msgs.msg import DisparityImage

HEIGHT, WIDTH, FRAMES = 60, 80, 6
FOCAL_PX, BASELINE_M, DOFFS = 100.0, 0.2, 6.0
DEADLINE_S = 30.0
IMAGES = (
    *('left/image_rect', 'depth/image', 'confidence/image', 'ground_truth/depth'),
    'relative_depth/image',
)
KINDS = {
    **dict.fromkeys(IMAGES, Image),
    'disparity': DisparityImage,
    **dict.fromkeys(('points2', 'sparse_depth/points'), PointCloud2),
    '/diagnostics': DiagnosticArray,
    **dict.fromkeys(('left/camera_info', 'right/camera_info'), CameraInfo),
}
STEREO = [
    *('left/camera_info', 'right/camera_info', 'left/image_rect', 'ground_truth/depth'),
    *('disparity', 'confidence/image', 'points2', 'depth/image'),
]
MONO = [
    *('left/camera_info', 'left/image_rect', 'ground_truth/depth', 'sparse_depth/points'),
    *('relative_depth/image', 'depth/image', '/diagnostics'),
]
# Of these the recorder does not say who publishes them.
UNSAID = ('left/camera_info', 'right/camera_info', 'sparse_depth/points', '/diagnostics')
TRUTH_M = np.full((HEIGHT, WIDTH), 2.0, np.float32)
DEPTH_M = TRUTH_M * np.float32(1.1)
DEPTH_M[:15] = np.nan  # a quarter of the rows


def start_recorder(domain, out, **parameters):
    command = [
        sys.executable,
        '-m',
        'vizion3d_ros.ros.testbed.recorder',
        '--ros-args',
        '-p',
        f'out:={out}',
    ]
    for name, value in parameters.items():
        command += ['-p', f'{name}:={value}']
    env = {**os.environ, 'ROS_DOMAIN_ID': str(domain), 'PYTHONUNBUFFERED': '1'}
    return subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def end_of(process):
    """Give the exit code and the rest of the output."""
    try:
        output, _ = process.communicate(timeout=DEADLINE_S)
    finally:
        process.kill()
    return process.returncode, output


def advertise(node, process, topics):
    """Create publishers and wait until the recorder says it found each of them."""
    needed = {*topics, 'left/camera_info'}  # or the recorder waits for it
    publishers = {topic: node.create_publisher(KINDS[topic], topic, 10) for topic in needed}
    unheard = {topic for topic in topics if topic not in UNSAID}
    alarm = threading.Timer(DEADLINE_S, process.kill)
    alarm.start()
    while unheard:
        line = process.stdout.readline()
        assert line, f'the recorder ended without finding {unheard}'
        unheard -= {topic for topic in unheard if f' {topic}: 1 publisher' in line}
    # Found is not yet found in return, and a writer that knows no reader sends nothing.
    while not all(publisher.get_subscription_count() for publisher in publishers.values()):
        assert alarm.is_alive(), 'a publisher does not see the recorder'
        time.sleep(0.01)
    alarm.cancel()
    return publishers


def image(pixels, encoding):
    return pixels_message(pixels, encoding, padding=8)


def camera_info(cx, tx):
    p = [FOCAL_PX, 0.0, cx, tx, 0.0, FOCAL_PX, 30.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    k = [FOCAL_PX, 0.0, cx, 0.0, FOCAL_PX, 30.0, 0.0, 0.0, 1.0]
    return CameraInfo(width=WIDTH, height=HEIGHT, k=k, p=p)


def disparity():
    corrected = np.nan_to_num(FOCAL_PX * BASELINE_M / DEPTH_M).astype(np.float32)
    return DisparityImage(image=image(corrected, '32FC1'), min_disparity=1.0, max_disparity=60.0)


def cloud():
    names = ('x', 'y', 'z', 'rgb')
    fields = [PointField(name=n, offset=4 * i, datatype=7, count=1) for i, n in enumerate(names)]
    points = np.array([[0.5, -0.25, 2.0, 0.0], [np.nan] * 4, [1.0, 1.0, 3.0, 0.0]], np.float32)
    points[:, 3] = np.array([0xFF8000, 0, 0x0000FF], np.uint32).view(np.float32)
    message = PointCloud2(height=1, width=3, point_step=16, row_step=48, fields=fields)
    message.data = array('B', points.tobytes())
    return message


def sparse():
    """A lidar's points: one straight ahead as the recorded depth says, one twice as far off."""
    names = ('x', 'y', 'z')
    fields = [PointField(name=n, offset=4 * i, datatype=7, count=1) for i, n in enumerate(names)]
    points = np.array([[2.2, 0.0, 0.0], [4.4, -1.0, 0.0]], np.float32)
    message = PointCloud2(height=1, width=2, point_step=12, row_step=24, fields=fields)
    message.data = array('B', points.tobytes())
    return message


def diagnostics(**values):
    status = DiagnosticStatus(name='/mono_node: scale', message='metric')
    status.values = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
    return DiagnosticArray(status=[DiagnosticStatus(name='/mono_node: input'), status])


def messages():
    return {
        'left/camera_info': camera_info(40.0, 0.0),
        'right/camera_info': camera_info(40.0 + DOFFS, -FOCAL_PX * BASELINE_M),
        'left/image_rect': image(np.full((HEIGHT, WIDTH, 3), 90, np.uint8), 'rgb8'),
        'ground_truth/depth': image(TRUTH_M, '32FC1'),
        'disparity': disparity(),
        'confidence/image': image(np.ones_like(TRUTH_M), '32FC1'),
        'points2': cloud(),
        'depth/image': image(DEPTH_M, '32FC1'),
        'relative_depth/image': image(1 / TRUTH_M, '32FC1'),
        'sparse_depth/points': sparse(),
        '/diagnostics': diagnostics(points=2, inliers=1, cells=1, residual=0.0031, age=0.1),
    }


def play(node, publishers, skip=()):
    """Publish FRAMES frames of what is advertised, but not the (topic, index) in skip."""
    content = messages()
    for index in range(FRAMES):
        stamp = node.get_clock().now().to_msg()
        for topic, message in content.items():
            if topic in publishers and (topic, index) not in skip:
                message.header.stamp = stamp
                publishers[topic].publish(message)
        time.sleep(0.05)  # a camera's period, nothing waits for it
