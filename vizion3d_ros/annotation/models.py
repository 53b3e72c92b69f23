# SPDX-License-Identifier: Apache-2.0
"""The configuration, the result and its items, where vizion3d has them too."""

from vizion3d_ros.contracts.annotation.request import ObjectMaskAnnotation3DConfig
from vizion3d_ros.requests.annotation.views import MaskAnnotation3D, ObjectMaskAnnotation3DResult

__all__ = ['MaskAnnotation3D', 'ObjectMaskAnnotation3DConfig', 'ObjectMaskAnnotation3DResult']
