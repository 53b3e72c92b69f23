# SPDX-License-Identifier: Apache-2.0
"""Image and CompressedImage as they come become images in known encodings."""

from __future__ import annotations

from sensor_msgs.msg import CompressedImage, Image

from vizion3d_ros.files.picture import PictureLimits
from vizion3d_ros.incoming import messages
from vizion3d_ros.incoming.compressed import decompressed
from vizion3d_ros.ros.messages.rare_encodings import in_known_encoding

AnyImage = Image | CompressedImage


def as_image(message: AnyImage, limits: PictureLimits) -> messages.Image:
    """Give an image in a known encoding; InputError as in_known_encoding and decompressed do."""
    if isinstance(message, CompressedImage):
        return decompressed(message, limits)
    return in_known_encoding(message)
