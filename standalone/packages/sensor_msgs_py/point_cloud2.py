# SPDX-License-Identifier: Apache-2.0
"""Points between sensor_msgs/PointCloud2 and NumPy arrays."""

import array
import sys

import numpy as np
from numpy.lib.recfunctions import structured_to_unstructured, unstructured_to_structured
from sensor_msgs.msg import PointCloud2, PointField

_DATATYPES = {
    PointField.INT8: np.dtype(np.int8),
    PointField.UINT8: np.dtype(np.uint8),
    PointField.INT16: np.dtype(np.int16),
    PointField.UINT16: np.dtype(np.uint16),
    PointField.INT32: np.dtype(np.int32),
    PointField.UINT32: np.dtype(np.uint32),
    PointField.FLOAT32: np.dtype(np.float32),
    PointField.FLOAT64: np.dtype(np.float64),
}


def read_points(cloud, field_names=None, skip_nans=False, uvs=None, reshape_organized_cloud=False):
    """
    Return the points as a structured array, shape (n,), a view of the message where possible.

    `skip_nans` leaves out points with a NaN in a field that is read, unless the cloud says that it
    is dense. `uvs` picks points by index. `reshape_organized_cloud` gives an organised cloud the
    shape (width, height): so upstream has it, although the message stores rows of `width`.
    """
    assert isinstance(cloud, PointCloud2), 'Cloud is not a sensor_msgs.msg.PointCloud2'
    dtype = dtype_from_fields(cloud.fields, cloud.point_step)
    points = np.ndarray((cloud.width * cloud.height,), dtype, cloud.data)
    if field_names is not None:
        assert set(field_names) <= set(dtype.names), 'Requested field is not in the cloud'
        points = points[list(field_names)]
    if bool(cloud.is_bigendian) != (sys.byteorder == 'big'):
        points = points.byteswap(inplace=True)
    if skip_nans and not cloud.is_dense:
        points = points[_without_nan(points)]
    if uvs is not None:
        points = points[np.asarray(uvs if isinstance(uvs, np.ndarray) else list(uvs), int)]
    if reshape_organized_cloud and cloud.height > 1:
        points = points.reshape(cloud.width, cloud.height)
    return points


def read_points_numpy(
    cloud, field_names=None, skip_nans=False, uvs=None, reshape_organized_cloud=False
):
    """Return the points as a plain array, shape (n, fields); all fields read share one type."""
    read = [f for f in cloud.fields if field_names is None or f.name in field_names]
    assert len({f.datatype for f in read}) <= 1, 'All fields need to have the same datatype'
    return structured_to_unstructured(
        read_points(cloud, field_names, skip_nans, uvs, reshape_organized_cloud)
    )


def dtype_from_fields(fields, point_step=None):
    """Return the structured type of one point; `point_step` [bytes] sets its size."""
    columns = [column for i, field in enumerate(fields) for column in _columns(i, field)]
    names, formats, offsets = (list(c) for c in zip(*columns))
    assert len(set(names)) == len(names), 'Duplicate field names are not allowed!'
    layout = {'names': names, 'formats': formats, 'offsets': offsets}
    if point_step is not None:
        layout['itemsize'] = point_step
    return np.dtype(layout)


def create_cloud(header, fields, points, point_step=None):
    """
    Return a cloud of `points`: a structured array, an array (..., fields), or rows of numbers.

    A second dimension makes the cloud organised, its first axis being the width. `is_dense` is
    always False.
    """
    points = _structured(points, fields, point_step)
    assert points.ndim <= 2, 'Points can only be organized in max. two dimensional space'
    cloud = PointCloud2(
        header=header,
        height=points.shape[1] if points.ndim == 2 else 1,
        width=points.shape[0],
        is_dense=False,
        is_bigendian=sys.byteorder != 'little',
        fields=fields,
        point_step=points.dtype.itemsize,
        row_step=points.dtype.itemsize * points.shape[0],
    )
    # through the property: a keyword of the constructor would copy element by element
    cloud.data = array.array('B', points.tobytes())
    return cloud


def create_cloud_xyz32(header, points):
    """Return a cloud with the FLOAT32 fields x, y, z."""
    fields = [
        PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1)
        for i, name in enumerate('xyz')
    ]
    return create_cloud(header, fields, points)


def _columns(index, field):
    """Yield name, format and offset of each element of a field: `count` > 1 numbers them."""
    dtype = _DATATYPES[field.datatype]
    name = field.name or f'unnamed_field_{index}'
    for i in range(field.count):
        suffix = f'_{i}' if field.count > 1 else ''
        yield name + suffix, dtype.str, field.offset + i * dtype.itemsize


def _without_nan(points):
    return np.logical_and.reduce([~np.isnan(points[name]) for name in points.dtype.names])


def _structured(points, fields, point_step):
    dtype = dtype_from_fields(fields, point_step)
    if not isinstance(points, np.ndarray):
        return np.array([tuple(point) for point in points], dtype)
    if points.dtype.names is None:
        assert len({f.datatype for f in fields}) == 1, 'All fields need to have the same datatype'
        return unstructured_to_structured(points, dtype)
    assert points.dtype == dtype, 'PointFields and structured NumPy array dtype do not match'
    return points
