# SPDX-License-Identifier: Apache-2.0
"""A client of a gRPC server: real stubs, and what they bring."""

import grpc
import numpy as np
import pytest

from vizion3d_ros.proto import lifting_pb2, lifting_pb2_grpc

MOST_BYTES = 500 * 2**20


def channel_to(port):
    """A channel for messages as large as the server takes and sends."""
    most = [(f'grpc.max_{way}_message_length', MOST_BYTES) for way in ('send', 'receive')]
    return grpc.insecure_channel(f'127.0.0.1:{port}', most)


def stub_of(channel):
    return lifting_pb2_grpc.LiftingServiceStub(channel)


def stereo_message(pair, config=None, **fields):
    """pair: left_image and right_image, encoded; config: numbers by name."""
    images = {f'{name}_bytes': data for name, data in pair.items()}
    advanced = lifting_pb2.StereoDepthAdvancedConfig(**(config or {}))
    return lifting_pb2.StereoDepthRequest(**{**images, **fields}, advanced_config=advanced)


def numbers(rows):
    """A map of a response as an array."""
    return np.float32([row.values for row in rows])


def refused(call, *arguments, **options):
    """The code and the sentence that a call ends with."""
    with pytest.raises(grpc.RpcError) as error:
        call(*arguments, **options)
    return error.value.code(), error.value.details()
