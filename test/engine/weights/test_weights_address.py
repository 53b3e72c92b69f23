# SPDX-License-Identifier: Apache-2.0
"""Which addresses are fetched from, and where redirects may lead."""

from urllib.request import Request

import pytest

from vizion3d_ros.contracts.errors import DownloadError
from vizion3d_ros.engine.weights import resolve
from vizion3d_ros.engine.weights.http import SameScheme, check_url


@pytest.mark.parametrize(
    'url',
    [
        'https://example.com/a.pth',
        'http://localhost:8000/a.pth',
        'http://127.0.0.9/a.pth',
        'http://[::1]:80/a.pth',
    ],
)
def test_https_and_this_machine_are_allowed(url):
    check_url(url)


@pytest.mark.parametrize(
    'url',
    [
        'http://example.com/a.pth',
        'http://127.0.0.1.example.com/a.pth',
        'http://127.0.0.1@example.com/a.pth',
        'http://192.168.1.1/a.pth',
        'ftp://example.com/a.pth',
        'https:///a.pth',
        'https://[broken/a.pth',
    ],
)
def test_all_others_are_refused(url):
    with pytest.raises(DownloadError, match=r'https|valid'):
        resolve(url)


@pytest.mark.parametrize(
    'name', ['', 'page.html', 'model', '.pth', '..%2F..%2Fetc.pth', 'a%5Cb.pth', 'model.pth.bad']
)
def test_address_must_name_a_checkpoint_file(name):
    with pytest.raises(DownloadError, match=r'ends in \.pth, \.pt or \.onnx'):
        resolve(f'https://example.com/models/{name}')


def test_redirect_is_followed_and_continued(server):
    server.redirects = [server.url('elsewhere'), server.url('elsewhere')]
    server.cuts = [1000]
    assert resolve(server.url()).path.read_bytes() == server.content
    assert [asked['path'] for asked in server.asked] == ['/model.pth', '/elsewhere'] * 2
    assert server.asked[-1]['Range'] == 'bytes=1000-'


@pytest.mark.parametrize(
    'target',
    ['https://127.0.0.1:1/a.pth', 'http://example.com/a.pth', 'ftp://127.0.0.1/a', 'file:///a'],
)
def test_redirect_elsewhere_is_refused(server, cache, target):
    server.redirects = [target]
    with pytest.raises(DownloadError, match='edirect'):
        resolve(server.url())
    assert len(server.asked) == 1
    assert not (cache / 'model.pth').exists()


def test_redirect_never_leaves_https():
    secure = Request('https://example.com/a.pth')
    for target in ('http://example.com/a.pth', 'http://127.0.0.1/a.pth'):
        with pytest.raises(DownloadError, match='not followed'):
            SameScheme().redirect_request(secure, None, 302, 'Found', {}, target)


def test_endless_redirects_end(server):
    server.redirects = [server.url()] * 100
    with pytest.raises(DownloadError, match='302'):
        resolve(server.url())
    assert len(server.asked) < 20


def test_proxy_is_not_asked_for_this_machine(server, monkeypatch):
    monkeypatch.setenv('http_proxy', 'http://127.0.0.1:1')
    monkeypatch.delenv('no_proxy', raising=False)
    assert resolve(server.url()).path.read_bytes() == server.content
