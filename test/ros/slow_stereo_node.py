# SPDX-License-Identifier: Apache-2.0
"""The stereo node with a matcher that takes its time over images of one size."""

import time

SLOW_SIZE = 64, 48  # of which a response is small: any transport carries many
SLOW_SECONDS = 1.5  # longer than a node that stops waits for its worker


class SlowBackend:
    """A StereoBackend: the real one, later."""

    def __init__(self):
        from vizion3d_ros.engine.sgbm.matcher import SgbmBackend

        self._matcher = SgbmBackend()

    def match(self, left, right, rig, settings):
        if left.shape[1::-1] == SLOW_SIZE:
            time.sleep(SLOW_SECONDS)
        return self._matcher.match(left, right, rig, settings)


def main():
    from vizion3d_ros.engine import registry
    from vizion3d_ros.ros.nodes import stereo_node

    registry.STEREO_BACKENDS['sgbm'] = '__main__:SlowBackend'
    stereo_node.main()


if __name__ == '__main__':
    main()
