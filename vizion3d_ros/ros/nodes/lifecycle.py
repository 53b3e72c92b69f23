# SPDX-License-Identifier: Apache-2.0
"""What rclpy leaves out of lifecycle transitions: why one failed, and that one is impossible."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lifecycle_msgs.srv import ChangeState
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.node import Node

from vizion3d_ros.contracts.errors import explain

if TYPE_CHECKING:  # its name changed between distributions
    from rclpy.lifecycle import LifecycleState

Transition = Callable[[Any, 'LifecycleState'], TransitionCallbackReturn]


def reported(transition: Transition) -> Transition:
    """Log why a transition failed, which rclpy does not, and leave nothing half done."""

    @functools.wraps(transition)
    def run(node: Any, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return transition(node, state)
        except Exception as error:  # whatever a driver, a compiler or a checkpoint comes up with
            node.get_logger().error(f'{transition.__name__} failed: {explain(error)}')
            node.release()
            return TransitionCallbackReturn.ERROR

    return run


def refuse_impossible(node: Node) -> None:
    """Have a transition that the present state does not allow answered, not end the node."""
    for service in node.services:
        if service.srv_type is ChangeState:
            service.callback = _refusing(node, service.callback)


def _refusing(node: Node, change_state: Callable[..., Any]) -> Callable[..., Any]:
    def answer(request: ChangeState.Request, response: ChangeState.Response) -> Any:
        try:
            return change_state(request, response)
        except RuntimeError:  # RCLError, which has no public name
            asked = request.transition.label or request.transition.id
            node.get_logger().warning(f'transition {asked} refused: not possible in this state')
            response.success = False
            return response

    return answer
