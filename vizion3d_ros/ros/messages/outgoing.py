# SPDX-License-Identifier: Apache-2.0
"""
Results become messages, for topics and for services.

Stamp and frame are those of the (left) image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, RegionOfInterest
from std_msgs.msg import Header
from stereo_msgs.msg import DisparityImage
from torch import Tensor

from vizion3d_ros.contracts.results import MonoResult, StereoResult
from vizion3d_ros.contracts.settings.node_settings import NodeSettings
from vizion3d_ros.geometry.colormap import colorize
from vizion3d_ros.geometry.uncertainty import depth_uncertainty
from vizion3d_ros.incoming import messages
from vizion3d_ros.incoming.camera_info import of_rectified
from vizion3d_ros.ros.messages.payloads import image_message, points_message

MAX_MM = 65535

Result = TypeVar('Result', StereoResult, MonoResult)


@dataclass(frozen=True, slots=True)
class FrameAnswer(Generic[Result]):
    """
    All a message can be made of.

    info: the CameraInfo of the (left) camera; None for a mono answer that needed none.
    """

    result: Result
    header: Header
    info: messages.CameraInfo | None
    settings: NodeSettings


AnyAnswer = FrameAnswer[StereoResult] | FrameAnswer[MonoResult]


def disparity_message(answer: FrameAnswer[StereoResult]) -> DisparityImage:
    """
    Corrected disparity in pixels; invalid pixels are 0.0, below min_disparity.

    T is 0.0 without a baseline: readers that compute depth then get none.
    """
    result = answer.result
    image = image_message(answer.header, result.disparity.nan_to_num(nan=0.0), '32FC1')
    height, width = result.disparity.shape
    return DisparityImage(
        header=answer.header,
        image=image,
        f=result.rig.left.fx,
        t=result.rig.baseline_m or 0.0,
        valid_window=RegionOfInterest(width=width, height=height),
        min_disparity=result.min_disparity,
        max_disparity=result.max_disparity,
        delta_d=result.disparity_step,
    )


def depth_message(answer: AnyAnswer) -> Image | None:
    """Depth as REP-118 wants it: 32FC1 metres with NaN, or 16UC1 millimetres with 0."""
    depth_m, encoding = answer.result.depth_m, answer.settings.depth.encoding
    if depth_m is None:
        return None
    pixels = depth_m if encoding == '32FC1' else to_millimetres(depth_m)
    return image_message(answer.header, pixels, encoding)


def to_millimetres(depth_m: Tensor) -> Tensor:
    """
    Metres (H, W) to millimetres as 16-bit words; NaN and what does not fit become 0, never wrap.

    Torch's int16 stands for uint16, which older versions lack: the bits are the same.
    """
    millimetres = (depth_m * 1000).round_()
    fits = millimetres <= MAX_MM  # false for NaN
    return torch.where(fits, millimetres, 0).to(torch.int32).to(torch.int16)


def info_message(answer: AnyAnswer) -> CameraInfo | None:
    """The CameraInfo of the depth image: the (left) camera, rectified."""
    info = answer.info
    if info is None:
        return None
    return CameraInfo(
        header=answer.header,
        height=info.height,
        width=info.width,
        binning_x=info.binning_x,
        binning_y=info.binning_y,
        roi=info.roi,
        **of_rectified(info),
    )


def depth_info_message(answer: AnyAnswer) -> CameraInfo | None:
    """As info_message, but only beside a depth image."""
    return None if answer.result.depth_m is None else info_message(answer)


def relative_message(answer: FrameAnswer[MonoResult]) -> Image | None:
    """32FC1 inverse depth up to scale and shift, larger = nearer; None of a metric checkpoint."""
    relative = answer.result.relative
    return None if relative is None else image_message(answer.header, relative, '32FC1')


def relative_color_message(answer: FrameAnswer[MonoResult]) -> Image | None:
    """Picture of the relative answer over its own range, near bright, bgr8."""
    relative = answer.result.relative
    if relative is None:
        return None
    low, high = (float(end) for end in relative.aminmax())
    return image_message(answer.header, colorize(relative, low, high), 'bgr8')


def confidence_message(answer: FrameAnswer[StereoResult]) -> Image:
    """32FC1 in 0..1: the higher, the smaller the expected error."""
    return image_message(answer.header, answer.result.confidence, '32FC1')


def uncertainty_message(answer: AnyAnswer) -> Image | None:
    """32FC1 metres, one standard deviation of the depth, NaN where it is; None if unknown."""
    deviation = depth_uncertainty(answer.result)
    return None if deviation is None else image_message(answer.header, deviation, '32FC1')


def visibility_message(answer: FrameAnswer[StereoResult]) -> Image:
    """32FC1 in 0..1: high where both cameras see the point."""
    return image_message(answer.header, answer.result.visibility, '32FC1')


def disparity_color_message(answer: FrameAnswer[StereoResult]) -> Image:
    """Picture of the disparity over the searched range, bgr8, invalid black."""
    result = answer.result
    picture = colorize(result.disparity, result.min_disparity, result.max_disparity)
    return image_message(answer.header, picture, 'bgr8')


def depth_color_message(answer: AnyAnswer) -> Image | None:
    """Picture of the depth on a logarithmic scale, near bright, bgr8, invalid black."""
    depth_m = answer.result.depth_m
    if depth_m is None:
        return None
    limits = torch.tensor([answer.settings.max_depth, answer.settings.min_depth])
    low, high = torch.log(limits).neg().tolist()
    nearness = -torch.log(depth_m)
    return image_message(answer.header, colorize(nearness, low, high), 'bgr8')


def cloud_message(answer: AnyAnswer) -> PointCloud2 | None:
    """The points of the answer; see points_message."""
    cloud, layout = answer.result.cloud, answer.settings.points.layout
    return None if cloud is None else points_message(answer.header, cloud.points, layout)
