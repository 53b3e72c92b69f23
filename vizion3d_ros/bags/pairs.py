# SPDX-License-Identifier: Apache-2.0
"""The pairs of a recording, as the node makes them of topics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vizion3d_ros.bags.chosen_topics import ChosenTopics
from vizion3d_ros.bags.recording import Recorded, Recording
from vizion3d_ros.contracts.errors import CalibrationError, InputError
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.incoming.camera_info import CameraInfoCache, KnownRig
from vizion3d_ros.incoming.stereo_frame import StereoFrame
from vizion3d_ros.incoming.sync import StereoSync


@dataclass(frozen=True, slots=True)
class RecordedPair:
    """A pair, the calibration in force, and when its left image was recorded, nanoseconds."""

    frame: StereoFrame
    known: KnownRig
    time_ns: int


class PairSource:
    """
    Pairs in the order in which a node that never drops a frame would take them.

    What the node can't have, this has: a calibration that comes after the first images holds
    for those too.
    """

    def __init__(
        self, recording: Recording, topics: ChosenTopics, settings: StereoSettings
    ) -> None:
        """Nothing is read before `pairs`."""
        self._recording = recording
        self._topics = topics
        self._infos = CameraInfoCache(settings.baseline_m)
        self._sync = StereoSync(settings.sync, self._on_pair, lambda: None)
        self._made: list[StereoFrame] = []

    def pairs(self) -> Iterator[RecordedPair]:
        """Go through the recording; CalibrationError if it has no usable calibration."""
        topics = self._topics
        add = {
            topics.left: self._sync.add_left,
            topics.right: self._sync.add_right,
            topics.left_info: self._infos.add_left,
            topics.right_info: self._infos.add_right,
        }
        self._calibrate_first()
        for each in self._recording.messages(add):
            each.message.recorded_ns = each.time_ns
            add[each.topic](each.message)
            made, self._made = self._made, []
            for frame in made:
                yield RecordedPair(frame, self._known(), frame.left.recorded_ns)

    def explain_none(self) -> InputError:
        """Say why there was no pair, after all messages."""
        left, right = self._sync.left, self._sync.right
        return InputError(
            f'no pair within sync.slop of {self._sync.slop:g} s: {left.received} images of '
            f'{self._topics.left}, {right.received} of {self._topics.right}; check that the '
            'cameras are synchronised, or give a larger --slop'
        )

    def _calibrate_first(self) -> None:
        topics = self._topics
        waiting = {topics.left_info, topics.right_info}
        add = {
            topics.left_info: self._infos.add_left,
            topics.right_info: self._infos.add_right,
        }
        for each in _first_of(self._recording, waiting):
            add[each.topic](each.message)
        if missing := self._infos.missing():
            names = [getattr(topics, f'{side}_info') for side in missing]
            raise CalibrationError(f'no message can be read of {" and ".join(names)}')
        self._known()

    def _known(self) -> KnownRig:
        known = self._infos.known
        if known is None or known.calibration.rig is None:
            faults = known.calibration.faults if known else ()
            raise CalibrationError('; '.join(str(fault.text) for fault in faults) or 'no rig')
        return known

    def _on_pair(self, left: object, right: object) -> None:
        self._made.append(StereoFrame(left, right))


def _first_of(recording: Recording, names: set[str]) -> Iterator[Recorded]:
    """Give the first message of each topic."""
    waiting = set(names)
    for each in recording.messages(names):
        if each.topic in waiting:
            waiting.discard(each.topic)
            yield each
        if not waiting:
            return
