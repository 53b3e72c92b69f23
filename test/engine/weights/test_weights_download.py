# SPDX-License-Identifier: Apache-2.0
"""Downloads from a server that cuts, forgets, refuses, changes its mind or stalls."""

import hashlib
import logging
import socket
import threading

import pytest

from vizion3d_ros.contracts.errors import CheckpointError, DownloadError
from vizion3d_ros.engine.weights import http, progress, resolve, transfer


def given_up_at(server, byte, monkeypatch):
    """One download that is cut at a byte and not tried again, as if its process had ended."""
    server.cuts = [byte]
    with monkeypatch.context() as patch:
        patch.setattr(transfer, 'BACKOFF_S', ())
        with pytest.raises(DownloadError, match='start again'):
            resolve(server.url())


def test_model_is_downloaded_once_with_log_lines(server, cache, package_log):
    first = resolve(server.url())
    assert first.path == cache / 'model.pth'
    assert first.path.read_bytes() == server.content
    assert f'downloading {server.url()} to {first.path}' in package_log.text
    assert 'downloaded' in package_log.text
    package_log.clear()
    assert resolve(server.url()) == first
    assert len(server.asked) == 1
    assert package_log.text == ''
    leftovers = {path.name for path in cache.iterdir()}
    assert leftovers == {'model.pth', 'model.pth.json', 'model.pth.lock'}


def test_cut_at_any_byte_goes_on_to_the_same_file(server, cache):
    size = len(server.content)
    for cut in sorted({*range(0, size, size // 60), 1, size - 1}):
        server.cuts, server.asked = [cut], []
        path = resolve(server.url(f'cut{cut}.pth')).path
        assert path.read_bytes() == server.content, cut
        asked = [headers.get('Range') for headers in server.asked]
        assert asked == [None, f'bytes={cut}-' if cut else None]


def test_next_start_goes_on_where_the_last_one_was_cut(server, monkeypatch):
    given_up_at(server, 1000, monkeypatch)
    assert resolve(server.url()).path.read_bytes() == server.content
    assert server.asked[-1]['Range'] == 'bytes=1000-'
    assert server.asked[-1]['If-Range'] == server.etag


def test_part_that_is_whole_is_not_asked_for_again(server, cache, monkeypatch):
    given_up_at(server, 1000, monkeypatch)
    (cache / 'model.pth.part').write_bytes(server.content)
    assert resolve(server.url()).path.read_bytes() == server.content
    assert len(server.asked) == 1


@pytest.mark.parametrize('lost', [b'', b'not json', b'{}'])
def test_part_of_unknown_origin_is_not_continued(server, cache, monkeypatch, lost):
    given_up_at(server, 1000, monkeypatch)
    (cache / 'model.pth.part.json').write_bytes(lost)
    assert resolve(server.url()).path.read_bytes() == server.content
    assert 'Range' not in server.asked[-1]


def test_many_cuts_in_a_row_are_no_reason_to_give_up(server):
    server.cuts = [100] * 20
    assert resolve(server.url()).path.read_bytes() == server.content
    assert len(server.asked) == 21


def test_server_without_ranges_starts_over(server):
    server.ranges, server.cuts = False, [1000]
    assert resolve(server.url()).path.read_bytes() == server.content


def test_server_without_ranges_that_always_cuts_is_given_up(server, cache):
    server.ranges, server.cuts = False, [1000] * 50
    with pytest.raises(DownloadError, match='given up after 3 tries'):
        resolve(server.url())
    assert len(server.asked) < 10
    assert not (cache / 'model.pth').exists()


def test_without_a_mark_of_the_content_nothing_is_continued(server):
    server.etag, server.cuts = '', [1000]
    assert resolve(server.url()).path.read_bytes() == server.content
    assert 'Range' not in server.asked[1]


def test_weak_mark_does_not_vouch_for_bytes(server):
    server.etag, server.cuts = 'W/"one"', [1000]
    assert resolve(server.url()).path.read_bytes() == server.content
    assert 'Range' not in server.asked[1]


@pytest.mark.parametrize('believes_if_range', [True, False])
def test_file_that_changed_on_the_server_starts_over(
    server, monkeypatch, package_log, believes_if_range
):
    original, server.content = server.content, bytes(len(server.content))
    server.believes_if_range = believes_if_range
    given_up_at(server, 1000, monkeypatch)
    server.content, server.etag = original, '"two"'
    assert resolve(server.url()).path.read_bytes() == original
    assert 'downloading all of it again' not in package_log.text  # seen before all had come


def test_answer_with_another_range_is_not_appended(server, monkeypatch, package_log):
    given_up_at(server, 1000, monkeypatch)
    server.range_shift = -10
    assert resolve(server.url()).path.read_bytes() == server.content
    assert 'has changed on the server' in package_log.text


def test_part_of_another_address_is_not_continued(server, monkeypatch):
    given_up_at(server, 1000, monkeypatch)
    assert resolve(server.url('other/model.pth')).path.read_bytes() == server.content
    assert 'Range' not in server.asked[-1]


def test_range_beyond_the_end_starts_over(server, cache, monkeypatch):
    given_up_at(server, 1000, monkeypatch)
    with (cache / 'model.pth.part').open('ab') as part:
        part.write(bytes(2 * len(server.content)))
    assert resolve(server.url()).path.read_bytes() == server.content


def test_hole_in_a_continued_part_is_repaired(server, cache, monkeypatch, package_log):
    given_up_at(server, 1000, monkeypatch)
    (cache / 'model.pth.part').write_bytes(bytes(1000))  # what a power cut can leave
    assert resolve(server.url()).path.read_bytes() == server.content
    assert 'downloading all of it again' in package_log.text


def test_size_unknown(server):
    server.tells_size = False
    assert resolve(server.url()).path.read_bytes() == server.content


def test_stalled_connection_is_tried_again(server, monkeypatch):
    monkeypatch.setattr(http, 'TIMEOUT_S', 0.2)
    server.stall_at = len(server.content) // 2
    assert resolve(server.url()).path.read_bytes() == server.content
    assert len(server.asked) == 2


def test_short_outage_of_the_server_is_waited_out(server):
    server.statuses = [503, 429]
    assert resolve(server.url()).path.read_bytes() == server.content


def test_server_that_stays_broken(server):
    server.statuses = [500] * 9
    with pytest.raises(DownloadError, match=r'answered 500 .* given up after 3 tries'):
        resolve(server.url())
    assert len(server.asked) == 3


@pytest.mark.parametrize(('status', 'cure'), [(404, 'check the address'), (403, 'a login')])
def test_refusal_is_final_and_tells_what_to_do(server, cache, status, cure):
    server.statuses = [status]
    with pytest.raises(DownloadError, match=f'model.pth: the server answered {status}.*{cure}'):
        resolve(server.url())
    assert len(server.asked) == 1
    assert not list(cache.glob('*.part*'))


def test_no_network(cache):
    with socket.socket() as unused:
        unused.bind(('127.0.0.1', 0))  # bound, but nobody listens
        url = f'http://127.0.0.1:{unused.getsockname()[1]}/model.pth'
        with pytest.raises(DownloadError, match=r'refused.*check the network.*path of the file'):
            resolve(url)


def test_other_thread_can_stop_a_download(server, cache):
    cancel = threading.Event()
    server.stall_at = 1000
    threading.Thread(target=lambda: server.stalled.wait(10) and cancel.set()).start()
    threading.Thread(target=lambda: cancel.wait(10) and server.gate.set()).start()
    with pytest.raises(DownloadError, match='stopped'):
        resolve(server.url(), cancel=cancel)
    assert (cache / 'model.pth.part').stat().st_size >= 1000
    assert not (cache / 'model.pth').exists()
    assert resolve(server.url()).path.read_bytes() == server.content


# --- what comes is not what was asked for ----------------------------------------------------


def test_html_is_set_aside_and_not_downloaded_again(server, cache):
    server.content = b'  <!DOCTYPE html><html>Log in to the hotel network</html>'
    with pytest.raises(CheckpointError, match=r'HTML.*set aside as .*model\.pth\.bad.*check'):
        resolve(server.url())
    assert (cache / 'model.pth.bad').read_bytes() == server.content
    assert not (cache / 'model.pth').exists()
    for _ in range(2):
        with pytest.raises(CheckpointError, match=r'HTML.*fetch_models http'):
            resolve(server.url())
    assert len(server.asked) == 1


def test_removing_the_bad_file_allows_another_try(server, cache):
    good, server.content = server.content, b'version https://git-lfs.github.com/spec/v1'
    with pytest.raises(CheckpointError, match="begins with 'version https://git-lfs"):
        resolve(server.url())
    (cache / 'model.pth.bad').unlink()
    server.content = good
    assert resolve(server.url()).path.read_bytes() == good


def test_file_that_is_truncated_on_the_server(server, cache):
    server.content = server.content[:-100]
    with pytest.raises(CheckpointError, match='cut short or damaged'):
        resolve(server.url())
    assert (cache / 'model.pth.bad').exists()


def test_sha256_is_checked(server, cache):
    digest = hashlib.sha256(server.content).hexdigest()
    assert resolve(server.url('good.pth'), sha256=digest.upper()).path.exists()
    with pytest.raises(CheckpointError, match=f'SHA-256 {digest}, expected 0000.*set aside'):
        resolve(server.url('other.pth'), sha256='0' * 64)
    assert not (cache / 'other.pth').exists()


# --- progress and secrets --------------------------------------------------------------------


def test_progress_is_logged_where_there_is_no_terminal(server, monkeypatch, package_log):
    monkeypatch.setattr(progress, 'LOG_EVERY_S', 0.0)
    resolve(server.url())
    assert any('model.pth: ' in r.message and ' of ' in r.message for r in package_log.records)


@pytest.mark.parametrize(
    ('size', 'words'),
    [(0, '0 B'), (999, '999 B'), (1000, '1 kB'), (722_900_000, '723 MB'), (1.62e9, '1.6 GB')],
)
def test_sizes_in_words(size, words):
    assert progress.in_words(size) == words


def test_query_of_an_address_is_neither_logged_nor_stored(server, cache, package_log):
    package_log.set_level(logging.DEBUG)
    server.cuts = [10]
    resolve(server.url('model.pth?token=secret'))
    assert server.asked[0]['path'] == '/model.pth?token=secret'
    stored = ''.join(path.read_text('latin-1') for path in cache.iterdir())
    assert 'secret' not in package_log.text + stored
