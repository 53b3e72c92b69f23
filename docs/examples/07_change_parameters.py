# SPDX-License-Identifier: Apache-2.0
"""
Change parameters of a running node, all of them or none.

    python3 07_change_parameters.py NODE NAME=VALUE ...
    python3 07_change_parameters.py /stereo_node min_depth=1.0 points.max_range=10.0

Prints what the node says; exits with 1 if it refuses. docs/parameters.md lists the names.
"""

import sys

import rclpy
import yaml
from rclpy.parameter import Parameter
from rclpy.parameter_client import AsyncParameterClient
from rclpy.utilities import remove_ros_args

name, *changes = remove_ros_args(sys.argv)[1:]
pairs = (change.partition('=') for change in changes)
parameters = [Parameter(key, value=yaml.safe_load(text)) for key, _, text in pairs]

rclpy.init(args=sys.argv)
node = rclpy.create_node('operator')
client = AsyncParameterClient(node, name)
if not client.wait_for_services(timeout_sec=10.0):
    sys.exit(f'no node {name} within 10 s')
future = client.set_parameters_atomically(parameters)
rclpy.spin_until_future_complete(node, future)
result = future.result().result
if not result.successful:
    sys.exit(f'refused, nothing has changed: {result.reason}')
print('accepted: in force from the next frame on')
