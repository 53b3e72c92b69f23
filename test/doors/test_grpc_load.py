# SPDX-License-Identifier: Apache-2.0
"""More than a gRPC server can do, and clients that hang, crawl and leave: nobody else notices."""

import asyncio
import socket
import struct
import subprocess
from itertools import chain
from threading import Event

import grpc
import numpy as np
import pytest
from encoded import png
from grpc_client import channel_to, refused, stereo_message, stub_of
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_server import GrpcServer
from known_answers import noise
from served import HELD, PATIENCE_S, PLACES, wait_for

CLIENTS, REQUESTS = 100, 20
HALF_OPEN = 1000
MOST_GROWTH_MB = 60
METHOD = '/vizion3d.lifting.LiftingService/RunStereoDepth'
PREFACE = b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
OWN = [('grpc.use_local_subchannel_pool', 1)]
FULL = 'all {} places are taken: ask again later'
Code = grpc.StatusCode


@pytest.fixture(scope='module')
def ending():
    """A held server that its test ends."""
    server = GrpcServer(('--stereo_depth', '--places', '4'), [HELD, 'grpc'], stdin=subprocess.PIPE)
    yield server
    server.kill()


@pytest.fixture(scope='module', autouse=True)
def both_start_at_once(ending, held):
    """They need seconds."""


@pytest.fixture
def request_(pair):
    return stereo_message(pair, model_backend='opencv-sgbm')


def begin(server, request):
    """A call that the matcher is at."""
    before = server.matched()
    call = server.lifting.RunStereoDepth.future(request)
    wait_for(lambda: server.matched() > before)
    return call


def fill(lifting, request, free):
    """Take the places that are free with twice as many calls; those that got one still wait."""
    calls = [lifting.RunStereoDepth.future(request) for _ in range(2 * free)]
    wait_for(lambda: sum(call.done() for call in calls) >= free)
    refusals = {call.code() for call in calls if call.done()}
    assert refusals == {Code.RESOURCE_EXHAUSTED}
    return [call for call in calls if not call.done()]


def full(server, request):
    """Whether there is no place left; it takes one for a moment if there is."""
    code, _ = refused(server.lifting.RunStereoDepth, request, timeout=0.2)
    return code == Code.RESOURCE_EXHAUSTED


def answered(server, request):
    """Have one more call answered: nothing disturbs it."""
    call = server.lifting.RunStereoDepth.future(request)
    server.finish(call)
    return call.result().backend_used == 'opencv-sgbm'


def test_who_comes_when_all_places_are_taken_is_told_to_come_again(held, request_):
    calls = [begin(held, request_), *fill(held.lifting, request_, PLACES - 1)]
    assert len(calls) == PLACES
    told = refused(held.lifting.RunStereoDepth, request_)
    assert told == (Code.RESOURCE_EXHAUSTED, FULL.format(PLACES))
    held.finish(*calls)
    assert [call.code() for call in calls] == [Code.OK] * PLACES


def test_calls_that_are_cancelled_or_past_their_deadline_leave_the_queue(held, request_):
    first = begin(held, request_)
    before = held.matched()
    call = held.lifting.RunStereoDepth
    late = [call.future(request_, timeout=0.3) for _ in range(PLACES - 1)]
    assert {each.code() for each in late} == {Code.DEADLINE_EXCEEDED}
    wait_for(lambda: not full(held, request_))
    for call in fill(held.lifting, request_, PLACES - 1):
        call.cancel()
    wait_for(lambda: not full(held, request_))
    held.finish(first)
    assert first.code() == Code.OK and answered(held, request_)
    assert held.matched() - before < PLACES - 1  # the last ones may leave a moment late


def test_a_client_that_is_gone_leaves_the_queue(held, request_):
    first = begin(held, request_)
    before = held.matched()
    with channel_to(held.port) as channel:
        waiting = fill(stub_of(channel), request_, PLACES - 1)
    assert {call.code() for call in waiting} == {Code.CANCELLED}
    wait_for(lambda: not full(held, request_))
    held.finish(first)
    assert first.code() == Code.OK and answered(held, request_)
    assert held.matched() - before < PLACES - 1


def test_requests_that_do_not_arrive_are_given_up_and_keep_no_place(held, request_):
    hang = Event()

    def nothing():
        hang.wait(PATIENCE_S)
        yield from ()

    call = held.channel.stream_unary(METHOD)
    calls = [call.future(nothing()) for _ in range(PLACES)]
    for each in calls:
        assert each.code() in (Code.DEADLINE_EXCEEDED, Code.RESOURCE_EXHAUSTED)
    assert 'did not arrive within 1 s: send it again' in calls[0].details()
    hang.set()
    assert answered(held, request_)


def frame(kind, flags, stream, payload=b''):
    """One frame of HTTP/2."""
    size = struct.pack('>I', len(payload))[1:]
    return size + bytes([kind, flags]) + struct.pack('>I', stream) + payload


def call_that_takes_nothing(request):
    """The bytes of a call whose client makes no room for more than 64 kB of the response."""
    named = {':method': 'POST', ':scheme': 'http', ':path': METHOD, ':authority': 'x'}
    named |= {'content-type': 'application/grpc', 'te': 'trailers'}
    literal = b''.join(
        bytes([0, len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        for name, value in named.items()
    )
    message = b'\0' + struct.pack('>I', len(request)) + request
    assert len(message) < 2**14
    return PREFACE + frame(4, 0, 0) + frame(1, 4, 1, literal) + frame(0, 1, 1, message)


def test_a_response_that_nobody_takes_gives_its_place_back(held, request_):
    wide = png(np.zeros((300, 400), np.uint8))
    images = {'left_image': wide, 'right_image': wide}
    body = stereo_message(images, model_backend='opencv-sgbm').SerializeToString()
    before = held.matched()
    with socket.create_connection(('127.0.0.1', held.port), PATIENCE_S) as plug:
        plug.sendall(call_that_takes_nothing(body))
        wait_for(lambda: held.matched() > before)
        held.let_go()
        waiting = fill(held.lifting, request_, PLACES - 1)
        wait_for(lambda: not full(held, request_))
        held.finish(*waiting)
    assert answered(held, request_)


def test_half_open_connections_end_and_disturb_nobody(held, request_):
    plugs = [socket.create_connection(('127.0.0.1', held.port)) for _ in range(HALF_OPEN)]
    for plug in plugs[::2]:
        plug.sendall(PREFACE[:10])
    with channel_to(held.port) as channel:
        call = stub_of(channel).RunStereoDepth.future(request_, timeout=PATIENCE_S)
        held.finish(call)
        assert call.code() == Code.OK
    for plug in plugs:
        plug.settimeout(PATIENCE_S)
        while plug.recv(1000):  # its settings, then the end
            pass
        plug.close()


def test_what_is_not_grpc_is_sent_away(held, request_):
    for rubbish in (b'GET / HTTP/1.1\r\n\r\n', b'\x16\x03\x01 hello' * 10, bytes(1000)):
        with socket.create_connection(('127.0.0.1', held.port), PATIENCE_S) as plug:
            plug.sendall(rubbish)
            while plug.recv(1000):
                pass
    assert answered(held, request_)


def test_those_who_look_on_take_no_place(held, request_):
    watch = health_pb2_grpc.HealthStub(held.channel).Watch
    watching = [watch(health_pb2.HealthCheckRequest()) for _ in range(4 * PLACES)]
    assert {next(each).status for each in watching} == {health_pb2.HealthCheckResponse.SERVING}
    assert answered(held, request_)
    for each in watching:
        each.cancel()


def test_many_clients_are_all_answered_or_told_to_come_again(spoken):
    small = png(noise(24, 64))
    request = stereo_message({'left_image': small, 'right_image': small})
    warm = asyncio.run(crowd(spoken.port, request, 1))
    before = spoken.resident_mb()
    codes = asyncio.run(crowd(spoken.port, request, REQUESTS))
    assert (len(warm), len(codes)) == (CLIENTS, CLIENTS * REQUESTS)
    assert {*warm, *codes} <= {Code.OK, Code.RESOURCE_EXHAUSTED}
    assert codes.count(Code.OK) >= 32
    assert spoken.resident_mb() - before < MOST_GROWTH_MB
    assert not any('Traceback' in line for line in spoken.lines), spoken.lines


async def crowd(port, request, rounds):
    """The codes of CLIENTS clients, each with a connection of its own and one call at a time."""

    async def client():
        async with grpc.aio.insecure_channel(f'127.0.0.1:{port}', OWN) as channel:
            call = stub_of(channel).RunStereoDepth
            return [await call(request, timeout=PATIENCE_S).code() for _ in range(rounds)]

    return [*chain(*await asyncio.gather(*(client() for _ in range(CLIENTS))))]


def test_the_end_comes_after_what_was_accepted_though_somebody_watches(ending, request_):
    watch = health_pb2_grpc.HealthStub(ending.channel).Watch(health_pb2.HealthCheckRequest())
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
    calls = [begin(ending, request_), *fill(ending.lifting, request_, 3)]
    ending.terminate()
    wait_for(lambda: refuses(ending.port))
    ending.terminate()  # once more, as people do
    ending.finish(*calls)
    assert [call.code() for call in calls] == [Code.OK] * 4
    assert ending.ended() == 0
    assert not any('Traceback' in line for line in ending.lines), '\n'.join(ending.lines)


def refuses(port):
    with channel_to(port) as channel:
        try:
            grpc.channel_ready_future(channel).result(0.2)
        except grpc.FutureTimeoutError:
            return True
    return False
