# SPDX-License-Identifier: Apache-2.0
"""
The fields of ROS messages that are read here.

Those of rclpy have them, and those that other programs make of the bytes in a bag.
"""

from __future__ import annotations

from typing import Any, Protocol


class Stamped(Protocol):
    """Any message with a header."""

    header: Any


class Image(Stamped, Protocol):
    """sensor_msgs/Image; data: a buffer of bytes."""

    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: Any


class CompressedImage(Stamped, Protocol):
    """sensor_msgs/CompressedImage; data: a buffer of bytes."""

    format: str
    data: Any


class CameraInfo(Stamped, Protocol):
    """sensor_msgs/CameraInfo."""

    height: int
    width: int
    distortion_model: str
    d: Any
    k: Any
    r: Any
    p: Any
    binning_x: int
    binning_y: int
    roi: Any
