# SPDX-License-Identifier: Apache-2.0
"""Pictures and points as open3d objects; points in OpenGL space, as vizion3d has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vizion3d_ros.contracts.errors import DepthError
from vizion3d_ros.geometry.pose import to_opengl

if TYPE_CHECKING:
    from types import ModuleType

    import open3d
    from numpy.typing import NDArray


def make_image(picture: NDArray[np.uint16]) -> open3d.geometry.Image:
    """Give the picture, uint16 (H, W), as an open3d image; DepthError without open3d."""
    return _open3d().geometry.Image(picture)


def make_point_cloud(points: NDArray[np.float32]) -> open3d.geometry.PointCloud:
    """
    Give points and colours as an open3d cloud: x right, y up, z backward; colours in 0..1.

    points: float32 (N, 4), optical frame; x, y, z in metres and rgb, whose bits are 0x00RRGGBB.
    Raises DepthError without open3d.
    """
    library = _open3d()
    cloud = library.geometry.PointCloud()
    # Contiguous float64 is copied whole; anything else number by number, a hundred times slower.
    for name, values in (('points', to_opengl(points, np.float64)), ('colors', _colors(points))):
        _make_room(len(points))
        vectors = library.utility.Vector3dVector(values)
        _make_room(len(points))
        setattr(cloud, name, vectors)
    return cloud


def cloud_of(
    xyz: NDArray[np.float32], rgb: NDArray[np.uint8], source: Any = None
) -> open3d.geometry.PointCloud:
    """
    Give points, (N, 3) in OpenGL axes, and colours, uint8 (N, 3), as an open3d cloud.

    source: a cloud whose points and normals are taken instead. Raises DepthError without open3d.
    """
    library = _open3d()
    cloud = library.geometry.PointCloud() if source is None else type(source)(source)
    if source is None:
        cloud.points = library.utility.Vector3dVector(np.asarray(xyz, np.float64))
    cloud.colors = library.utility.Vector3dVector(rgb / 255.0)
    return cloud


def _colors(points: NDArray[np.float32]) -> NDArray[np.float64]:
    blue_green_red = points.view(np.uint8)[:, 12:15]
    return np.divide(blue_green_red[:, ::-1], 255.0, order='C')


def _make_room(count: int) -> None:
    """
    Let malloc have memory in huge pages for count vectors.

    NumPy asks the kernel for huge pages where its large arrays lie, open3d does not; what NumPy
    has just freed is what open3d gets. It saves a page fault per 4 kB, half of the time.
    """
    np.empty((count, 3))


def _open3d() -> ModuleType:
    try:
        import open3d
    except (ImportError, OSError) as error:
        raise DepthError(
            f'open3d, which depth_image and clouds are objects of, cannot be imported '
            f'({error}): pip install open3d, and on a bare Debian or Ubuntu '
            'apt install libegl1 libgl1 libidn2-0 libusb-1.0-0 libx11-6; no other result needs it'
        ) from error
    module: ModuleType = open3d
    return module
