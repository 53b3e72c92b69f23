# SPDX-License-Identifier: Apache-2.0
"""Lifecycle transitions, and what rclpy leaves out: why one failed, and that one is impossible."""

from __future__ import annotations

import functools
import sys
from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn

from vizion3d_ros.contracts.errors import explain

if TYPE_CHECKING:  # its name changed between distributions
    from rclpy.lifecycle import LifecycleState

Change = Callable[[Any, 'LifecycleState'], TransitionCallbackReturn]
STARTING = {
    Transition.TRANSITION_CONFIGURE: 'configured',
    Transition.TRANSITION_ACTIVATE: 'active',
}


def reported(change: Change) -> Change:
    """Log why a transition failed, which rclpy does not, and leave nothing half done."""

    @functools.wraps(change)
    def run(node: Any, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return change(node, state)
        except Exception as error:  # whatever a driver, a compiler or a checkpoint comes up with
            node.get_logger().error(f'{change.__name__} failed: {explain(error)}')
            node.release()
            return TransitionCallbackReturn.ERROR

    return run


class ManagedNode(LifecycleNode):
    """A lifecycle node whose transitions are methods that raise; none of them ends the node."""

    def __init__(self, name: str) -> None:
        """Wait for the first transition."""
        super().__init__(name)
        self._started = False
        for service in self.services:
            if service.srv_type is ChangeState:
                service.callback = self._refusing(service.callback)

    @abstractmethod
    def configure(self) -> None:
        """Make all that an inactive node has."""

    @abstractmethod
    def activate(self) -> None:
        """Begin to work."""

    @abstractmethod
    def deactivate(self) -> None:
        """Stop working, and keep what was made."""

    @abstractmethod
    def release(self) -> None:
        """Let go of all that configure made, as far as it is there."""

    def start(self) -> None:
        """Configure and activate, as a lifecycle manager would; SystemExit if that fails."""
        self._started = True
        for transition in (self.trigger_configure, self.trigger_activate):
            if transition() is not TransitionCallbackReturn.SUCCESS:
                sys.exit(1)  # the reason is in the log

    @reported
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """From unconfigured to inactive."""
        self.configure()
        return TransitionCallbackReturn.SUCCESS

    @reported
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """From inactive to active."""
        self.activate()
        return TransitionCallbackReturn.SUCCESS

    @reported
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """From active to inactive."""
        self.deactivate()
        return TransitionCallbackReturn.SUCCESS

    @reported
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """From inactive to unconfigured."""
        self.release()
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End from any state."""
        self.release()
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start over from unconfigured."""
        self.release()
        return TransitionCallbackReturn.SUCCESS

    def _refusing(self, change_state: Callable[..., Any]) -> Callable[..., Any]:
        def answer(request: ChangeState.Request, response: ChangeState.Response) -> Any:
            try:
                return change_state(request, response)
            except RuntimeError:  # RCLError, which has no public name
                self.get_logger().warning(self._why_refused(request.transition))
                response.success = False
                return response

        return answer

    def _why_refused(self, asked: Transition) -> str:
        """Say why a transition is not possible now."""
        name = asked.label or asked.id
        if self._started and asked.id in STARTING:
            return (
                f'transition {name} refused: already {STARTING[asked.id]}, as this node did that '
                'at its start: set autostart: false if a lifecycle manager is to do it'
            )
        return f'transition {name} refused: not possible in this state'
