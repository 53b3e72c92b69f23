# SPDX-License-Identifier: Apache-2.0
"""
The vizion3d contract on our pipelines, for the Python API and for services alike.

    request ─ answer_stereo | answer_mono ─ result: arrays, and views of them
              pictures, checkpoints, the pipeline's run, maps

`permissions` says what a request from elsewhere may name, `pipelines` which pipeline runs it. No
ROS here, and open3d only when a view is read that is made of it.
"""

ANY_DEPTH_M = (0.01, 10_000.0)  # nearest and farthest that settings allow
# What is told where memory runs out beside the pipeline, which says so itself.
OF_REQUEST = ('this request', 'send smaller images, or end other programs')
