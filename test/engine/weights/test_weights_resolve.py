# SPDX-License-Identifier: Apache-2.0
"""Names, paths and the cache."""

import hashlib
import json

import pytest

from vizion3d_ros.contracts.errors import CheckpointError, DownloadError
from vizion3d_ros.engine.weights import (
    DEPTH_ANYTHING_V2,
    KNOWN,
    S2M2,
    cache_dir,
    resolve,
)
from vizion3d_ros.engine.weights.http import check_url
from vizion3d_ros.engine.weights.names import known_by_name, known_by_url


def test_cache_is_shared_with_vizion3d_unless_the_environment_says_otherwise(monkeypatch):
    monkeypatch.setenv('HOME', '/home/robot')
    monkeypatch.setenv('VIZION3D_MODEL_CACHE', '~/models')
    assert str(cache_dir()) == '/home/robot/models'
    for unset in (lambda name: monkeypatch.setenv(name, ''), monkeypatch.delenv):
        unset('VIZION3D_MODEL_CACHE')
        assert str(cache_dir()) == '/home/robot/.cache/vizion3d/models'


def test_defaults_are_those_of_vizion3d():
    release = 'https://github.com/OlafenwaMoses/vizion3D/releases/download/essentials-v1'
    assert known_by_name('s2m2-L').url == f'{release}/stereo-depth-s2m2-L.pth'
    assert known_by_name('depth-anything-v2-base').url == f'{release}/depth_anything_v2_vitb.pth'


@pytest.mark.parametrize('known', KNOWN, ids=lambda known: known.name)
def test_every_name_stands_for_one_file_with_a_licence(known):
    assert known_by_name(known.name.upper()) is known
    assert known.licence
    if known.url:
        check_url(known.url)
        assert known_by_url(f'{known.url}?download=true') is known
        assert known.url.endswith(f'/{known.file_name}')


@pytest.mark.parametrize(
    ('name', 'licence'),
    [
        ('s2m2-L', 'CC BY-NC 4.0'),
        ('depth-anything-v2-small', 'Apache-2.0'),
        ('depth-anything-v2-base', 'CC BY-NC 4.0'),
        ('depth-anything-v2-large', 'CC BY-NC 4.0'),
    ],
)
def test_licences(name, licence):
    assert known_by_name(name).licence.startswith(licence)


@pytest.mark.parametrize(
    ('name', 'file_name'),
    [
        ('s2m2-S', 'CH128NTR1.pth'),
        ('s2m2-M', 'CH192NTR2.pth'),
        ('s2m2-L', 'stereo-depth-s2m2-L.pth'),
        ('s2m2-XL', 'CH384NTR3.pth'),
    ],
)
def test_name_finds_its_file_in_the_cache(cache, name, file_name):
    cache.mkdir()
    (cache / file_name).write_bytes(b'there')
    cache.chmod(0o500)  # as in a container image that nobody may write
    found = resolve(name)
    assert (found.path, found.known.name) == (cache / file_name, name)


@pytest.mark.parametrize('name', ['s2m2-S', 's2m2-M', 's2m2-XL'])
def test_name_without_an_address_says_where_to_put_the_file(cache, name):
    file_name = known_by_name(name).file_name
    with pytest.raises(DownloadError, match=rf'get {file_name} from its authors.*{cache}'):
        resolve(name)


def test_model_of_another_kind_is_refused_before_it_is_downloaded(cache):
    with pytest.raises(CheckpointError, match='expected one of S2M2; choose from s2m2-S, s2m2-M'):
        resolve('depth-anything-v2-base', S2M2)
    with pytest.raises(CheckpointError, match='expected one of Depth Anything V2'):
        resolve(known_by_name('s2m2-L').url, DEPTH_ANYTHING_V2)
    assert not cache.exists()


def test_own_file_is_found_by_path(save, cache, monkeypatch):
    path = save(b'mine')
    monkeypatch.setenv('HOME', str(path.parent))
    for model in (str(path), f'~/{path.name}', f'file://{path}'):
        found = resolve(model)
        assert (found.path, found.known, found.slot) == (path, None, None)
    assert not cache.exists()


def test_file_name_alone_is_looked_for_in_the_cache(cache):
    cache.mkdir()
    (cache / 'CH128NTR1.pth').write_bytes(b'there')
    assert resolve('CH128NTR1.pth').path == cache / 'CH128NTR1.pth'


@pytest.mark.parametrize('model', ['', '.', 's2m2-XXL', '/no/such.pth'])
def test_what_is_nothing_is_refused_with_the_names(model):
    with pytest.raises(CheckpointError, match=r'neither a file nor .* s2m2-L'):
        resolve(model)


@pytest.mark.parametrize('text', ['12', 'x' * 64, 'sha256:' + '0' * 64])
def test_sha256_that_is_none_is_refused(save, text):
    with pytest.raises(CheckpointError, match='64 hex digits'):
        resolve(str(save(b'mine')), sha256=text)


def test_own_file_with_another_sha256_is_refused_and_left_alone(save, model_bytes):
    path = save(model_bytes)
    digest = hashlib.sha256(model_bytes).hexdigest()
    assert resolve(str(path), sha256=digest).path == path
    with pytest.raises(CheckpointError, match=f'has the SHA-256 {digest}'):
        resolve(str(path), sha256='0' * 64)
    assert path.read_bytes() == model_bytes


def test_unreadable_file_is_a_named_error(save, monkeypatch):
    path = save(b'mine')
    file = resolve(str(path))
    path.unlink()
    with pytest.raises(CheckpointError, match=r'own\.pth cannot be read: No such file'):
        file.check()


def test_files_of_one_name_from_two_addresses_are_kept_apart(server, cache):
    one = resolve(server.url('one/model.pth')).path
    server.content += b'other'
    server.content = server.content[:-5] + b''
    two = resolve(server.url('two/model.pth')).path
    assert one != two
    assert (one.name, two.parent) == ('model.pth', cache)
    assert [resolve(server.url(f'{folder}/model.pth')).path for folder in ('one', 'two')] == [
        one,
        two,
    ]
    assert len(server.asked) == 2


def test_file_that_was_put_into_the_cache_by_hand_is_used(server, cache):
    cache.mkdir()
    (cache / 'model.pth').write_bytes(b'by hand')
    assert resolve(server.url()).path.read_bytes() == b'by hand'
    assert server.asked == []


def test_what_is_known_of_a_download_is_noted(server, cache):
    resolve(server.url())
    assert json.loads((cache / 'model.pth.json').read_text()) == {
        'url': server.url(),
        'size': len(server.content),
        'sha256': hashlib.sha256(server.content).hexdigest(),
        'refused': '',
    }


def test_cache_that_cannot_be_made_is_a_named_error(tmp_path, monkeypatch, server):
    (tmp_path / 'file').touch()
    monkeypatch.setenv('VIZION3D_MODEL_CACHE', str(tmp_path / 'file' / 'models'))
    with pytest.raises(DownloadError, match=r'cannot be written: .*set VIZION3D_MODEL_CACHE'):
        resolve(server.url())
