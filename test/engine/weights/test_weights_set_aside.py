# SPDX-License-Identifier: Apache-2.0
"""A bad file in the cache is set aside: never used, and not downloaded again and again."""

import pytest
import torch
from tiny_models import make_tensors, saved

from vizion3d_ros import fetch_models
from vizion3d_ros.contracts.errors import CheckpointError
from vizion3d_ros.engine.weights import S2M2, load, resolve


@pytest.fixture
def load_model(shapes):
    """Return a function that resolves and loads as a node does at each start."""
    return lambda model: load(resolve(model, S2M2), S2M2, lambda variant: shapes)


def damage(path, at=-700):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_corrupt_cache_never_reaches_the_network_and_is_repaired_once(server, cache, load_model):
    load_model(server.url())
    for byte in range(0, len(server.content), len(server.content) // 20):
        damage(cache / 'model.pth', byte)
        with pytest.raises(CheckpointError, match=r'set aside as model\.pth\.bad; the next start'):
            load_model(server.url())
        assert not (cache / 'model.pth').exists()
        assert load_model(server.url()).variant == 'S'
        (cache / 'model.pth.bad').unlink()


def test_disk_that_damages_again_is_not_downloaded_to_again(server, cache, load_model):
    load_model(server.url())
    damage(cache / 'model.pth')
    with pytest.raises(CheckpointError, match='the next start downloads it again'):
        load_model(server.url())
    load_model(server.url())
    damage(cache / 'model.pth')
    for _ in range(3):
        with pytest.raises(CheckpointError, match=r'set aside.*fetch_models'):
            load_model(server.url())
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        ({'layer1.weight': torch.ones(1)}, 'no S2M2 checkpoint'),
        ({**make_tensors(), 'extra': torch.ones(1)}, '1 extra'),
        ({**make_tensors(), 'disp_init.layer_norm.weight': torch.full((4,), torch.nan)}, 'NaN'),
    ],
)
def test_bad_model_on_the_server_is_downloaded_once(server, cache, load_model, content, words):
    server.content = saved(content)
    for _ in range(3):
        with pytest.raises(CheckpointError, match=rf'{words}.*`ros2 run .* {server.url()}`'):
            load_model(server.url())
    assert len(server.asked) == 1
    assert (cache / 'model.pth.bad').read_bytes() == server.content


def test_a_good_model_of_another_network_stays_for_its_own_use(server, cache, load_model):
    server.content = saved({'depth_head.a': torch.ones(1)})
    for _ in range(2):
        with pytest.raises(CheckpointError, match='it is one of Depth Anything V2'):
            load_model(server.url())
    assert len(server.asked) == 1
    assert (cache / 'model.pth').read_bytes() == server.content


def test_fetch_models_downloads_anew_what_was_set_aside(server, cache, load_model, capsys):
    good, server.content = server.content, b'<html>'
    with pytest.raises(SystemExit, match='HTML'):
        fetch_models.main([server.url()])
    assert 'model.pth.bad  6 B  set aside: is an HTML' in capsys.readouterr().out
    server.content = good
    fetch_models.main([server.url()])
    assert 'model.pth  3.42 kB  S2M2 S' in capsys.readouterr().out
    assert load_model(server.url()).variant == 'S'


def test_wrong_variant_under_a_known_name_is_set_aside(cache, load_model):
    cache.mkdir()
    path = cache / 'stereo-depth-s2m2-L.pth'
    path.write_bytes(saved(make_tensors()))
    with pytest.raises(CheckpointError, match='of variant S, but s2m2-L has to be L'):
        load_model('s2m2-L')
    assert [file.name for file in cache.glob('*.pth*')] != []
    assert not path.exists()
    assert path.with_name(f'{path.name}.bad').exists()


def test_file_put_into_the_cache_that_is_no_checkpoint_is_not_replaced_by_itself(
    server, cache, load_model
):
    cache.mkdir()
    (cache / 'model.pth').write_bytes(b'garbage')
    for _ in range(2):
        with pytest.raises(CheckpointError, match='put a good file in its place'):
            load_model(server.url())
    assert server.asked == []


def test_file_that_cannot_be_set_aside_is_refused_all_the_same(server, cache, load_model):
    load_model(server.url())
    damage(cache / 'model.pth')
    (cache / 'model.pth.bad').mkdir()
    (cache / 'model.pth.bad' / 'full').touch()
    with pytest.raises(CheckpointError, match=r'could not be set aside .*: remove it'):
        load_model(server.url())
