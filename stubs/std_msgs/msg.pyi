# SPDX-License-Identifier: Apache-2.0
from builtin_interfaces.msg import Time
from ros_message import Message

class Header(Message):
    stamp: Time = ...
    frame_id: str = ...
