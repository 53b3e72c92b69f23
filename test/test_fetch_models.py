# SPDX-License-Identifier: Apache-2.0
"""The command that fetches models ahead of time."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from vizion3d_ros.engine.weights import transfer
from vizion3d_ros.fetch_models import main

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('VIZION3D_MODEL_CACHE', str(tmp_path / 'cache'))
    monkeypatch.setattr(transfer, 'BACKOFF_S', ())
    return tmp_path / 'cache'


def lines(capsys):
    return capsys.readouterr().out.splitlines()


def test_empty_cache_lists_the_names(cache, capsys):
    main([])
    listed = lines(capsys)
    assert listed[:2] == [f'Cached in {cache}:', '  nothing']
    assert any(
        line.startswith('  s2m2-L  S2M2 L  CC BY-NC 4.0') and line.endswith('s2m2-L.pth')
        for line in listed
    )
    assert any('s2m2-XL' in line and 'put CH384NTR3.pth' in line for line in listed)
    assert not cache.exists()


def test_cached_files_are_listed_by_what_is_in_them(cache, capsys):
    cache.mkdir()
    s2m2 = {'cnn_backbone.norm1.weight': torch.ones(192)}
    blocks = {f'transformer.uformer_list.{i}.x': torch.ones(1) for i in range(2)}
    mono = {'pretrained.cls_token': torch.ones(1, 1, 384), 'depth_head.x': torch.ones(1)}
    torch.save({'state_dict': {**s2m2, **blocks}}, cache / 'a.pth')
    torch.save(mono, cache / 'b.pth')
    torch.save({'layer1': torch.ones(1)}, cache / 'c.pth')
    (cache / 'd.pth').write_bytes(b'garbage')
    (cache / 'e.pth.bad').write_bytes(b'<html>')
    (cache / 'e.pth.json').write_text('{"refused": "is an HTML page"}')
    (cache / 'f.pth.part').write_bytes(bytes(1500))
    main([])
    listed = lines(capsys)[1:7]
    assert [line.split()[0] for line in listed] == [
        *('a.pth', 'b.pth', 'c.pth', 'd.pth', 'e.pth.bad', 'f.pth.part')
    ]
    assert listed[0].endswith('S2M2 M  CC BY-NC 4.0 (no commercial use)')
    assert listed[1].endswith('Depth Anything V2 vits  Apache-2.0')
    assert listed[2].endswith('no known network')
    assert 'damaged' in listed[3]
    assert listed[4].endswith('6 B  set aside: is an HTML page')
    assert listed[5].endswith('1.5 kB  unfinished download')


def test_model_that_is_there_is_checked(cache, capsys):
    cache.mkdir()
    path = cache / 'CH128NTR1.pth'
    torch.save({'x': torch.ones(1)}, path)
    main(['s2m2-S'])
    assert 'CH128NTR1.pth' in capsys.readouterr().out
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(SystemExit, match=r's2m2-S: .*cut short'):
        main(['s2m2-S'])


def test_failure_is_exit_code_1_with_the_reason_and_the_rest_is_fetched(cache):
    cache.mkdir()
    torch.save({'x': torch.ones(1)}, cache / 'CH192NTR2.pth')
    models = ['s2m2-S', 'nonsense', 's2m2-M']
    command = [sys.executable, '-m', 'vizion3d_ros.fetch_models', *models]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert 's2m2-S: no address to download s2m2-S from is known' in done.stderr
    assert "nonsense: 'nonsense' is neither a file nor a known model" in done.stderr
    assert 'Traceback' not in done.stderr
    assert 's2m2-M:' not in done.stderr
    assert 'CH192NTR2.pth' in done.stdout
