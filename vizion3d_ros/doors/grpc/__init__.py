# SPDX-License-Identifier: Apache-2.0
"""
The gRPC door, with vizion3d's service and messages.

    serve ─ service ─┬─ requests: message ─ command
                     ├─ responses: arrays ─ bytes of a message
                     └─ status: which code an error gets
"""
