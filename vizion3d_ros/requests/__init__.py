# SPDX-License-Identifier: Apache-2.0
"""
The vizion3d contract on our pipelines, for the Python API and for services alike.

    request ─ pictures ─ stereo | mono ─ command for the pipeline
                  pipeline's result ─ stereo | mono ─ answer in arrays

`permissions` says what a request from elsewhere may name. No ROS and no open3d here: arrays out.
"""

ANY_DEPTH_M = (0.01, 10_000.0)  # nearest and farthest that settings allow
