# SPDX-License-Identifier: Apache-2.0
"""
Doors of the vizion3d contract for other machines, without ROS or beside it.

    rest ─┐                                                      ┌─ rest
          ├─ DepthWorker ─ one thread ─ requests/ ─ arrays ──────┤
    grpc ─┘                                                      └─ grpc

A door reads what came, waits for the worker without holding others up, and encodes the answer.
Nothing listens unless it was started for that: by a command (start), or by a node that opens them
beside its services.
"""
