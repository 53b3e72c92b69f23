# SPDX-License-Identifier: Apache-2.0
"""Bags to read, written by rosbags or byte by byte, and what is in those that we wrote."""

import struct
import zlib

import numpy as np
import pytest

pytest.importorskip('rosbags', reason='needs the package rosbags')

from rosbags.rosbag2 import CompressionMode, Reader, StoragePlugin, Writer
from rosbags.rosbag2.enums import CompressionFormat
from rosbags.typesys import Stores, get_typestore

STORE = get_typestore(Stores.ROS2_HUMBLE)
IMAGE, INFO = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CameraInfo'
WIDTH, HEIGHT, FOCAL_PX, BASELINE_M = 160, 96, 150.0, 0.2
PERIOD_NS = 100_000_000
START_NS = 1_700_000_000_000_000_000


def make(kind, **fields):
    return STORE.types[kind](**fields)


def header(stamp_ns):
    seconds, nanoseconds = divmod(stamp_ns, 10**9)
    stamp = make('builtin_interfaces/msg/Time', sec=seconds, nanosec=nanoseconds)
    return make('std_msgs/msg/Header', stamp=stamp, frame_id='camera')


def image(pixels, stamp_ns, encoding='rgb8'):
    height, width = pixels.shape[:2]
    return make(
        IMAGE,
        header=header(stamp_ns),
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=0,
        step=pixels.nbytes // height,
        data=pixels.reshape(-1).view(np.uint8),
    )


def info(stamp_ns, tx=0.0):
    cx, cy = (WIDTH - 1) / 2, (HEIGHT - 1) / 2
    numbers = {
        'k': [FOCAL_PX, 0, cx, 0, FOCAL_PX, cy, 0, 0, 1],
        'r': [1, 0, 0, 0, 1, 0, 0, 0, 1],
        'p': [FOCAL_PX, 0, cx, tx, 0, FOCAL_PX, cy, 0, 0, 0, 1, 0],
        'd': [0.0] * 5,
    }
    roi = dict(x_offset=0, y_offset=0, height=0, width=0, do_rectify=False)
    return make(
        INFO,
        header=header(stamp_ns),
        height=HEIGHT,
        width=WIDTH,
        distortion_model='plumb_bob',
        binning_x=0,
        binning_y=0,
        roi=make('sensor_msgs/msg/RegionOfInterest', **roi),
        **{name: np.array(values, np.float64) for name, values in numbers.items()},
    )


def encoded(kind, message):
    return bytes(STORE.serialize_cdr(message, kind))


def messages(make_pair, frames=4, namespace=''):
    """Topic, type, time and bytes: infos with the first pair only, a pair every 100 ms."""
    rows = []
    tx = -FOCAL_PX * BASELINE_M
    for number in range(frames):
        pair, stamp_ns = make_pair(WIDTH, HEIGHT, seed=number), START_NS + number * PERIOD_NS
        for side, pixels, shift in (('left', pair.left, 0.0), ('right', pair.right, tx)):
            place = f'{namespace}/{side}'
            raw = encoded(IMAGE, image(pixels, stamp_ns))
            rows.append((f'{place}/image_rect', IMAGE, stamp_ns, raw))
            if number == 0:
                raw = encoded(INFO, info(stamp_ns, shift))
                rows.append((f'{place}/camera_info', INFO, stamp_ns, raw))
    return rows


def write(folder, rows, storage='mcap', mode=None):
    """A rosbag2 folder; mode: STORAGE makes zstd chunks, MESSAGE zstd messages."""
    writer = Writer(folder, version=8, storage_plugin=StoragePlugin[storage.upper()])
    if mode:
        writer.set_compression(CompressionMode[mode], CompressionFormat.ZSTD)
    with writer:
        connections = {}
        for topic, kind, time_ns, raw in rows:
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=STORE)
            writer.write(connections[topic], time_ns, raw)
    return folder


def pack_files(folder, remove=True):
    """Pack each file of a bag as a whole, as rosbag2 does with compression_mode file."""
    from rosbags.rosbag2.reader import zstd

    for file in [each for each in folder.iterdir() if each.suffix in ('.mcap', '.db3')]:
        packed = folder / f'{file.name}.zstd'
        packed.write_bytes(zstd.compress(file.read_bytes()))
        metadata = folder / 'metadata.yaml'
        metadata.write_text(metadata.read_text().replace(file.name, packed.name))
        if remove:
            file.unlink()
    return folder


def record(kind, content):
    return struct.pack('<BQ', kind, len(content)) + content


def text(value):
    return struct.pack('<I', len(value)) + value.encode()


def chunk(content, compression, checksum=True):
    if compression == 'lz4':
        from lz4.frame import compress
    else:
        compress = bytes
    packed = compress(content)
    crc = zlib.crc32(content) if checksum else 0
    head = struct.pack('<QQQI', 0, 0, len(content), crc) + text(compression)
    return record(0x06, head + struct.pack('<Q', len(packed)) + packed)


def write_mcap(path, rows, compression='', per_chunk=3, schemas=True):
    """An MCAP file without index, some messages in each chunk; gives where the chunks begin."""
    content, starts = b'\x89MCAP0\r\n' + record(0x01, text('ros2') + text('test')), []
    topics = sorted({(topic, kind) for topic, kind, _, _ in rows})
    for number, (topic, kind) in enumerate(topics, 1):
        definition = STORE.generate_msgdef(kind, ros_version=2)[0] if schemas else ''
        schema = struct.pack('<H', number) + text(kind) + text('ros2msg') + text(definition)
        channel = struct.pack('<HH', number, number) + text(topic) + text('cdr') + text('')
        content += record(0x03, schema) + record(0x04, channel)
    numbers = {topic: number for number, (topic, _) in enumerate(topics, 1)}
    for at in range(0, len(rows), per_chunk):
        inside = b''.join(
            record(0x05, struct.pack('<HIQQ', numbers[topic], 0, time, time) + raw)
            for topic, _, time, raw in rows[at : at + per_chunk]
        )
        starts.append(len(content))
        content += chunk(inside, compression)
    content += record(0x0F, bytes(4)) + record(0x02, bytes(20)) + b'\x89MCAP0\r\n'
    path.write_bytes(content)
    return starts


def content_of(bag):
    """Topic, time and bytes of every message of a bag, as rosbags reads it."""
    with Reader(bag) as reader:
        assert reader.message_count == sum(each.msgcount for each in reader.connections)
        return [(each.topic, time_ns, bytes(raw)) for each, time_ns, raw in reader.messages()]
