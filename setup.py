# SPDX-License-Identifier: Apache-2.0
"""Installs the Python package, its nodes and the files that they are started with."""

import sys
from glob import glob

from setuptools import find_packages, setup

NAME = 'vizion3d_ros'
# pip goes by way of a wheel, colcon does not.
BY_PIP = {'bdist_wheel', 'dist_info', 'editable_wheel'} & set(sys.argv)

PAGE = ['doors/rest/page/*', 'doors/rest/page/three/*']

COMMANDS = [
    f'vizion3d_depth = {NAME}.cli.main:main',
    f'vizion3d-serve-rest = {NAME}.doors.rest.serve:main',
    f'vizion3d-serve-grpc = {NAME}.doors.grpc.serve:main',
]
# `ros2 run` finds these in lib/vizion3d_ros; pip would put them on the PATH of people without ROS.
ROS_COMMANDS = [
    f'stereo_node = {NAME}.ros.executables:main',
    f'mono_node = {NAME}.ros.executables:main',
    f'annotation_node = {NAME}.ros.executables:main',
    f'service_node = {NAME}.ros.executables:main',
    f'synthetic_rig = {NAME}.ros.executables:main',
    f'play_pair = {NAME}.ros.executables:main',
    f'recorder = {NAME}.ros.executables:main',
    f'view = {NAME}.ros.executables:main',
    f'fetch_models = {NAME}.fetch_models:main',
    f'depth = {NAME}.cli.main:main',
]
# On a distribution package.xml rules: most of this comes from apt, under names that Python's own
# metadata does not know, and a script that declares them may refuse to start.
REQUIRED = [
    'numpy>=1.26',
    'opencv-python-headless>=4.6',
    'pillow',
    'pydantic>=2',
    'pyyaml',
    'torch',
    'tqdm',
]

setup(
    name=NAME,
    version='0.1.0',
    packages=find_packages(include=[NAME, f'{NAME}.*']),
    package_data={NAME: ['py.typed', 'proto/*.proto', 'engine/onnx/profiles/*.yaml', *PAGE]},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (f'share/{NAME}', ['package.xml']),
        (f'share/{NAME}/launch', glob('launch/*.launch.py')),
        (f'share/{NAME}/config', glob('config/*.yaml') + glob('config/*.xml')),
        (f'share/{NAME}/rviz', glob('rviz/*.rviz')),
    ],
    python_requires='>=3.10',
    install_requires=REQUIRED if BY_PIP else ['setuptools'],
    extras_require={
        'bags': ['rosbags>=0.11'],  # vizion3d_depth bag
        'open3d': ['open3d>=0.18'],  # depth_image and point_cloud of the Python API
        # backend onnx, and export; for a GPU onnxruntime-gpu in place of the first
        'onnx': ['onnxruntime>=1.18', 'onnx>=1.17', 'onnxscript>=0.5'],
        'annotation': ['torchvision'],  # Mask R-CNN, which finds objects in images
        'rest': [
            'fastapi>=0.115',
            'uvicorn>=0.30',
            'python-multipart>=0.0.18',
            'orjson>=3.9',
            'prometheus-client',
        ],
        'view': ['rerun-sdk>=0.23'],  # ros2 run vizion3d_ros view
        # those that the generated code was made for, or newer
        'grpc': [
            'grpcio>=1.85.1',
            'grpcio-health-checking',
            'grpcio-reflection',
            'protobuf>=7.35.1',
        ],
        'test': ['pytest'],
    },
    zip_safe=False,
    maintainer='vizion3d_ros maintainers',
    maintainer_email='maintainers@vizion3d-ros.org',
    description='Stereo and monocular depth estimation for ROS 2',
    license='Apache-2.0',
    entry_points={'console_scripts': COMMANDS if BY_PIP else COMMANDS + ROS_COMMANDS},
)
