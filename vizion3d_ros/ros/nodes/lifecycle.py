# SPDX-License-Identifier: Apache-2.0
"""Lifecycle transitions, and what rclpy leaves out: why one failed, and that one is impossible."""

from __future__ import annotations

import functools
import sys
from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn

from vizion3d_ros.contracts.errors import explain
from vizion3d_ros.ros.health.diagnostics import OK, WARN, Task

if TYPE_CHECKING:  # its name changed between distributions
    from rclpy.lifecycle import LifecycleState

Change = Callable[[Any, 'LifecycleState'], TransitionCallbackReturn]
STARTING = {
    Transition.TRANSITION_CONFIGURE: 'configured',
    Transition.TRANSITION_ACTIVATE: 'active',
}
ACTIVE = 'active'
IDLE = {
    'unconfigured': 'unconfigured: it takes images after `configure` and `activate`',
    'inactive': 'inactive: it takes images after `activate`',
    'finalized': 'shut down: end this process and start it anew',
}
ANEW = 'restart the node, or take it through deactivate, cleanup, configure and activate'
MANAGER = 'have a lifecycle manager do that, or set autostart: true'


def reported(change: Change) -> Change:
    """Log why a transition failed, which rclpy does not, and leave nothing half done."""

    @functools.wraps(change)
    def run(node: Any, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return change(node, state)
        except Exception as error:  # whatever a driver, a compiler or a checkpoint comes up with
            if node.context.ok():  # else a signal came meanwhile, and that is no fault
                node.get_logger().error(f'{change.__name__} failed: {explain(error)}')
            node.release()
            return TransitionCallbackReturn.ERROR

    return run


class ManagedNode(LifecycleNode):
    """A lifecycle node whose transitions are methods that raise; none of them ends the node."""

    def __init__(self, name: str) -> None:
        """Wait for the first transition."""
        super().__init__(name)
        self._started = self._was_active = False
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

    @property
    def state(self) -> str:
        """Its name: unconfigured, inactive, active or finalized; others within a transition."""
        label: str = self._state_machine.current_state[1]  # nothing public tells
        return label

    def lifecycle_task(self, topics: Iterable[str]) -> Task:
        """Say in which state it is, and warn who listens to topics that nobody ever activated."""
        if self.state == ACTIVE:
            return OK, ACTIVE, {}
        text = IDLE.get(self.state, self.state)
        heard = [each for each in map(self.resolve_topic_name, topics) if self._is_heard(each)]
        if not heard or self._was_active:
            return OK, text, {}
        return WARN, f'somebody listens to {heard[0]}, but the node is {text}; {MANAGER}', {}

    def start(self, autostart: bool) -> None:
        """Configure and activate, as a lifecycle manager would; SystemExit if that fails."""
        if not autostart:
            self.get_logger().info(f'{IDLE["unconfigured"]} (autostart is false)')
            return
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
        self._was_active = True
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
        self.get_logger().info(IDLE['finalized'])
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start over from unconfigured."""
        self.release()
        return TransitionCallbackReturn.SUCCESS

    def _refusing(self, change_state: Callable[..., Any]) -> Callable[..., Any]:
        def answer(request: ChangeState.Request, response: ChangeState.Response) -> Any:
            asked, possible = request.transition, self._possible()
            # rclpy raises for an id that is not possible, and is silent about such a label.
            if asked.label in possible if asked.label else asked.id in possible.values():
                return change_state(request, response)
            self.get_logger().warning(self._why_refused(asked, possible))
            response.success = False
            return response

        return answer

    def _possible(self) -> dict[str, int]:
        """Transitions from the present state, by label."""
        return {label: number for number, label, *_ in self._state_machine.available_transitions}

    def _is_heard(self, topic: str) -> bool:
        return self.count_subscribers(topic) > 0

    def _why_refused(self, asked: Transition, possible: Iterable[str]) -> str:
        """Say why a transition is not possible now."""
        name = asked.label or asked.id
        if self._started and self.state == ACTIVE and asked.id in STARTING:
            return (
                f'transition {name} refused: already {STARTING[asked.id]}, as this node did that '
                'at its start: set autostart: false if a lifecycle manager is to do it'
            )
        cure = f'possible now: {" or ".join(sorted(possible))}' if possible else IDLE['finalized']
        return f'transition {name} refused: the node is {self.state}; {cure}'
