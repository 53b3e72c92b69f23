# SPDX-License-Identifier: Apache-2.0
"""
The gRPC door, with vizion3d's service and messages.

    door ─ service ─┬─ requests: message ─ command
                    ├─ responses: arrays ─ bytes of a message
                    └─ status: which code an error gets
"""

import os

# Its core, which reads this when it is imported, would say all once more.
os.environ.setdefault('GRPC_VERBOSITY', 'NONE')
