# SPDX-License-Identifier: Apache-2.0
"""Answers of the vizion3d contract become service responses."""

from __future__ import annotations

from array import array
from typing import Any

from std_msgs.msg import Header

from vizion3d_interfaces.srv import RunDepthEstimation, RunStereoDepth
from vizion3d_ros.contracts.errors import sendable
from vizion3d_ros.files.ply import encode_ply
from vizion3d_ros.requests.lazy_views import LazyViews
from vizion3d_ros.requests.mono import DepthEstimationResult
from vizion3d_ros.requests.stereo import StereoDepthResult
from vizion3d_ros.ros.messages.payloads import image_message, points_message


def stereo_response(
    answer: StereoDepthResult, header: Header, omit_maps: bool = False
) -> RunStereoDepth.Response:
    """Fill a response; what was not asked for stays empty."""
    response = RunStereoDepth.Response()
    if not omit_maps:
        response.depth_map = image_message(header, answer.depth, '32FC1')
        response.disparity_map = image_message(header, answer.disparity, '32FC1')
    return _with_common(response, answer, header)


def mono_response(
    answer: DepthEstimationResult, header: Header, omit_maps: bool = False
) -> RunDepthEstimation.Response:
    """Fill a response; what was not asked for stays empty."""
    response = RunDepthEstimation.Response(is_metric=answer.is_metric)
    if not omit_maps:
        response.depth_map = image_message(header, answer.depth, '32FC1')
    return _with_common(response, answer, header)


def _with_common(response: Any, answer: LazyViews, header: Header) -> Any:
    response.success, response.message = True, sendable(answer.message)
    response.min_depth, response.max_depth = answer.min_depth, answer.max_depth
    response.backend_used = answer.backend_used
    response.point_cloud_scale = answer.point_cloud_scale
    if answer.picture is not None:
        response.depth_image = image_message(header, answer.picture, 'mono16')
    if answer.points is not None:
        response.point_cloud = points_message(header, answer.points)
        response.point_cloud_ply = array('B', encode_ply(answer.points))
    return response
