# SPDX-License-Identifier: Apache-2.0
"""
READ THIS FIRST. Commands in, results out; every door of the package comes through here.

    StereoCommand ─ stereo.py ─ StereoResult        a matcher, then disparity, depth, points
    MonoCommand ─── mono.py ─── MonoResult          a one-camera network, then depth, points
    AnnotationCommand ─ annotation.py ─ AnnotationResult    a segmenter, then whose each point is
"""

from vizion3d_ros.pipeline.annotation import AnnotationPipeline
from vizion3d_ros.pipeline.mono import MonoPipeline
from vizion3d_ros.pipeline.stereo import StereoPipeline

__all__ = ['AnnotationPipeline', 'MonoPipeline', 'StereoPipeline']
