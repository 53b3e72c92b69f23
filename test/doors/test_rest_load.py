# SPDX-License-Identifier: Apache-2.0
"""More than a server can do, and clients that hang, crawl and leave: nobody else notices."""

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from encoded import png
from known_answers import noise
from rest_client import OF_FORM, STEREO, lower, multipart
from served import HELD, PATIENCE_S, PLACES, one_line_of, wait_for

CLIENTS, REQUESTS = 100, 20
HALF_OPEN = 1000
MOST_GROWTH_MB = 60
FIELDS = {'model_backend': 'opencv-sgbm'}


class Hand:
    """Holds the matcher of a server, and lets it go."""

    def __init__(self, server):
        self.server = server
        self._clients = ThreadPoolExecutor(PLACES)

    def ask(self, pair):
        """Have somebody ask; the future gets the answer."""
        return self._clients.submit(self.server.post, STEREO, pair, FIELDS)

    def let_go(self, times=1):
        """Let so many matches end, now or later."""
        self.server.let_go(times)

    def matched(self):
        """How often the matcher was asked."""
        return self.server.matched()

    def on_their_way(self, count):
        """Wait until so many requests have a place."""
        wait_for(lambda: self.server.on_their_way() == count)


@pytest.fixture(scope='module')
def held(start):
    """Hands on servers with other flags, started at once."""
    flags = {'impatient': ('--deadline', '0.5'), 'ending': ()}
    options = {'script': [HELD, 'rest'], 'stdin': subprocess.PIPE}
    return {name: Hand(start('--stereo_depth', *more, **options)) for name, more in flags.items()}


@pytest.fixture(scope='module')
def hand(held, few):
    """On the server with few places, which every test leaves as it was."""
    return Hand(few)


def test_who_comes_when_all_places_are_taken_is_told_to_come_again(hand, pair):
    waiting = [hand.ask(pair) for _ in range(PLACES)]
    hand.on_their_way(PLACES)
    refused = hand.server.post(STEREO, pair, FIELDS)
    assert (refused.status, refused.headers['retry-after']) == (503, '1')
    assert refused.json == {'detail': 'all 8 places are taken: ask again later'}
    hand.let_go(PLACES)
    assert [answer.result().status for answer in waiting] == [200] * PLACES
    hand.on_their_way(0)


def test_a_client_that_hangs_up_leaves_the_queue(hand, pair):
    before = hand.matched()
    first = hand.ask(pair)
    hand.on_their_way(1)
    gone = hand.server.connect()
    gone.request('POST', STEREO, multipart(FIELDS, pair), OF_FORM)
    hand.on_their_way(2)
    gone.close()
    hand.on_their_way(1)
    hand.let_go(2)
    assert first.result().status == 200
    assert hand.server.post(STEREO, pair, FIELDS).status == 200
    assert hand.matched() == before + 2


def test_an_answer_that_nobody_reads_gives_its_place_back(hand):
    wide = png(noise(700, 1000))
    fields = {'return_point_cloud': 'true'} | FIELDS
    body = multipart(fields, {'left_image': wide, 'right_image': wide})
    with hand.server.plug() as plug:
        plug.sendall(head_of(body) + body)
        hand.on_their_way(1)
        hand.let_go()
        hand.on_their_way(0)


def test_half_open_connections_and_stalled_bodies_end_and_disturb_nobody(hand, pair):
    plugs = [hand.server.plug() for _ in range(HALF_OPEN)]
    body = multipart(FIELDS, pair)
    plugs[0].sendall(head_of(body)[:60])
    plugs[1].sendall(head_of(body) + body[:1000])
    hand.let_go()
    assert hand.server.post(STEREO, pair, FIELDS).status == 200
    assert plugs[0].recv(100) == plugs[-1].recv(100) == b''
    assert plugs[1].recv(100).startswith(b'HTTP/1.1 408 ')
    for plug in plugs:
        plug.close()


def head_of(body):
    lines = [f'POST {STEREO} HTTP/1.1', 'Host: x', f'Content-Length: {len(body)}']
    lines += [f'{name}: {value}' for name, value in OF_FORM.items()]
    return '\r\n'.join([*lines, '', '']).encode()


def test_a_request_past_its_deadline_is_told_so_and_leaves_the_queue(held, pair):
    hand = held['impatient']
    waiting = [hand.ask(pair) for _ in range(3)]
    for answer in waiting:
        assert answer.result().status == 504
        assert answer.result().json['detail'].startswith('no answer within 0.5 s: ask again')
    hand.let_go(2)
    assert hand.server.post(STEREO, pair, FIELDS).status == 200
    assert hand.matched() == 2


def test_what_was_accepted_is_answered_before_the_end(held, pair):
    hand = held['ending']
    waiting = [hand.ask(pair) for _ in range(6)]
    hand.on_their_way(6)
    hand.server.terminate()
    wait_for(lambda: refuses(hand.server))
    for again in (signal.SIGINT, signal.SIGINT):  # as people do
        hand.server.process.send_signal(again)
    hand.let_go(6)
    assert [answer.result().status for answer in waiting] == [200] * 6
    assert hand.server.ended() == 0
    assert not any('Traceback' in line for line in hand.server.lines), hand.server.lines


def refuses(server):
    try:
        server.plug().close()
    except ConnectionRefusedError:
        return True
    return False


def test_many_clients_are_all_answered_or_told_to_come_again(both):
    server, small = both, png(noise(24, 64))
    body = multipart({}, {'left_image': small, 'right_image': small})
    seen, lock = [], threading.Lock()

    def client(rounds):
        connection = server.connect()
        for _ in range(rounds):
            connection.request('POST', STEREO, body, OF_FORM)
            answer = connection.getresponse()
            ok = answer.status == 200 and answer.read().endswith(b'}')
            refused = answer.status == 503 and 'retry-after' in lower(answer.getheaders())
            answer.read()
            with lock:
                seen.append('answered' if ok else 'refused' if refused else answer.status)
        connection.close()

    def all_at_once(rounds):
        clients = [threading.Thread(target=client, args=(rounds,)) for _ in range(CLIENTS)]
        for each in clients:
            each.start()
        for each in clients:
            each.join(PATIENCE_S)

    all_at_once(1)
    before = server.resident_mb()
    all_at_once(REQUESTS)
    assert len(seen) == CLIENTS * (1 + REQUESTS)
    assert {*seen} <= {'answered', 'refused'} and seen.count('answered') >= 32
    assert server.resident_mb() - before < MOST_GROWTH_MB
    assert server.on_their_way() == 0
    assert not any('Warning' in line for line in server.lines), server.lines


FAULTS = {
    'unknown feature': (['--reconstruction'], 2, '--reconstruction: not offered here'),
    'unknown flag': (['--colour'], 2, 'unrecognized arguments: --colour'),
    'no such device': (['--device', 'tpu'], 1, 'device: '),
    'not to be fetched': (['--stereo_model', 's2m2-S'], 1, "; 'opencv-sgbm' needs no download"),
    'no such address': (['--host', '203.0.113.1', '--stereo_depth'], 1, 'cannot listen on 203.'),
}


@pytest.fixture(scope='module')
def ends(tmp_path_factory):
    """How each of the servers that cannot serve ended."""
    command = [sys.executable, '-m', 'vizion3d_ros.doors.rest.serve', '--port', '0']
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('VIZION3D_MODEL_CACHE', str(tmp_path_factory.mktemp('none')))
        return one_line_of({name: [*command, *flags] for name, (flags, _, _) in FAULTS.items()})


@pytest.mark.parametrize('name', FAULTS)
def test_a_server_that_cannot_serve_says_why_in_one_line(ends, name):
    _, expected, told = FAULTS[name]
    code, line = ends[name]
    assert (code, told in line) == (expected, True), line
    assert line.startswith('vizion3d-serve-rest: ')
