# SPDX-License-Identifier: Apache-2.0
"""A route as one writes it with FastAPI: what benchmarks/doors.py compares ours with."""

from __future__ import annotations

from base64 import b64encode

from fastapi import FastAPI, Form, UploadFile

from vizion3d_ros.files.ply import encode_ply
from vizion3d_ros.files.snapshot import png
from vizion3d_ros.stereo import StereoDepth, StereoDepthAdvancedConfig, StereoDepthCommand

ROUTE = '/lifting/stereo-depth'

app = FastAPI()
task = StereoDepth('cpu')


@app.post(ROUTE)
async def stereo(
    left_image: UploadFile,
    right_image: UploadFile,
    focal_length: float = Form(),
    baseline: float = Form(),
    return_depth_image: bool = Form(False),
    return_point_cloud: bool = Form(False),
):
    """Nested lists by tolist(), JSON by FastAPI."""
    command = StereoDepthCommand(
        left_image=await left_image.read(),
        right_image=await right_image.read(),
        model_backend='opencv-sgbm',
        return_depth_image=return_depth_image,
        return_point_cloud=return_point_cloud,
        advanced_config=StereoDepthAdvancedConfig(focal_length=focal_length, baseline=baseline),
    )
    found = task.run(command)
    picture, points = found.picture, found.points
    return {
        'depth_map': found.depth.tolist(),
        'disparity_map': found.disparity.tolist(),
        'min_depth': found.min_depth,
        'max_depth': found.max_depth,
        'backend_used': found.backend_used,
        'depth_image': None if picture is None else b64encode(png(picture)).decode(),
        'point_cloud_ply': None if points is None else b64encode(encode_ply(points)).decode(),
    }
