# SPDX-License-Identifier: Apache-2.0
"""
A server with a segmenter whose answer is known: what is bright in an image is one object.

    seeing_server.py rest|grpc FLAGS
"""

import sys

from vizion3d_ros.engine import registry


class BrightSegmenter:
    """A Segmenter."""

    def segment(self, image, settings):
        import numpy as np

        from vizion3d_ros.contracts.annotation.instances import Instance, Segmentation, from_mask

        known = Instance(np.zeros((0, 0), bool), label='lamp', class_id=7, confidence=0.9)
        bright = (image if image.ndim == 2 else image.mean(axis=2)) > 200
        height, width = bright.shape
        return Segmentation(height, width, (from_mask(bright, known),), 'bright')


if __name__ == '__main__':
    from vizion3d_ros.pipeline import annotation

    registry.SEGMENTERS['bright'] = '__main__:BrightSegmenter'
    annotation.segmenter_of = lambda model: 'bright'
    if sys.argv[1] == 'rest':
        from vizion3d_ros.doors.rest import serve
    else:
        from vizion3d_ros.doors.grpc import serve
    serve.main(sys.argv[2:])
