# SPDX-License-Identifier: Apache-2.0
"""
The stereo node with a network whose checkpoints are moods: GOOD, SLOW to load, HANGING, SHORT.

It stands in for `s2m2`, so that `backend` and `s2m2.model_backend` choose it. Any other checkpoint
is missing.
"""

import threading
import time

GOOD, SLOW, HANGING, SHORT = 'good.pth', 'slow.pth', 'hanging.pth', 'short.pth'
LOADING_SECONDS = 4.0
HUNG_SIZE = 64, 48  # images of this size never come back from the checkpoint HANGING


class MoodyBackend:
    """A StereoBackend: semi-global matching, when it is in the mood."""

    def __init__(self):
        from vizion3d_ros.engine.sgbm.matcher import SgbmBackend

        self._matcher = SgbmBackend()
        self._loaded = ''

    def match(self, left, right, rig, settings):
        from dataclasses import replace

        self._load(settings.s2m2.model_backend)
        size = left.shape[1::-1]
        if self._loaded == HANGING and size == HUNG_SIZE:
            threading.Event().wait()
        if self._loaded == SHORT and size == HUNG_SIZE:
            raise MemoryError
        match = self._matcher.match(left, right, rig, settings)
        return replace(match, backend_used=self._loaded, checkpoint=self._loaded)

    def _load(self, name):
        from vizion3d_ros.contracts.errors import CheckpointError
        from vizion3d_ros.engine.loading import loading

        if name == self._loaded:
            return
        if name not in (GOOD, SLOW, HANGING, SHORT):
            raise CheckpointError(f'no checkpoint {name!r}: choose one that is there')
        if name == SLOW:
            with loading():
                time.sleep(LOADING_SECONDS)
        self._loaded = name


def main():
    from vizion3d_ros.engine import registry
    from vizion3d_ros.ros.nodes import stereo_node

    registry.STEREO_BACKENDS['s2m2'] = '__main__:MoodyBackend'
    stereo_node.main()


if __name__ == '__main__':
    main()
