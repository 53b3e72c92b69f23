# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from typing import Any

class Service:
    srv_type: type
    callback: Callable[[Any, Any], Any]
    send_response: Callable[[Any, Any], None]
