# SPDX-License-Identifier: Apache-2.0
"""
Depth of recorded pairs, bag in, bag out, without ROS.

    files (mcap, sqlite3) ─ recording ─ pairs ─ depth (processes) ─ outgoing ─ parts ─ a bag
"""
