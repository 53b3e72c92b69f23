# SPDX-License-Identifier: Apache-2.0
from lifecycle_msgs.msg import Transition
from ros_message import Message

class ChangeState:
    class Request(Message):
        transition: Transition = ...

    class Response(Message):
        success: bool = ...
