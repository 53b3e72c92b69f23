# SPDX-License-Identifier: Apache-2.0
"""What requests may name: nothing by default, and no way around by links or dots."""

import pytest

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.settings.node_settings import RequestSettings
from vizion3d_ros.contracts.stereo_request import DEFAULT_STEREO_BACKEND
from vizion3d_ros.requests.permissions import permitted_folder, permitted_model, permitted_path

NOBODY = RequestSettings()


@pytest.fixture
def shelf(tmp_path):
    """A folder `open` with a.png, and beside it a folder `closed` with secret.png."""
    for name in ('open/a.png', 'closed/secret.png', 'open/deep/b.pth', 'closed/c.pth'):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'x')
    (tmp_path / 'open' / 'link.png').symlink_to(tmp_path / 'closed' / 'secret.png')
    (tmp_path / 'open' / 'door').symlink_to(tmp_path / 'closed')
    (tmp_path / 'closed' / 'way_in').symlink_to(tmp_path / 'open')
    (tmp_path / 'opened').mkdir()
    return tmp_path


def test_a_file_below_an_allowed_folder_is_permitted(shelf):
    allowed = ['', str(shelf / 'open')]
    assert permitted_path(str(shelf / 'open' / 'a.png'), allowed, 'x') == shelf / 'open' / 'a.png'
    around = shelf / 'closed' / 'way_in' / 'a.png'
    assert permitted_path(str(around), allowed, 'x') == shelf / 'open' / 'a.png'
    missing = permitted_path(str(shelf / 'open' / 'new.png'), allowed, 'x')
    assert missing == shelf / 'open' / 'new.png'


def test_an_allowed_folder_may_be_named_by_a_link(shelf):
    allowed = [str(shelf / 'closed' / 'way_in')]
    assert permitted_path(str(shelf / 'open' / 'a.png'), allowed, 'x').name == 'a.png'


@pytest.mark.parametrize(
    'path',
    [
        *('closed/secret.png', 'open/../closed/secret.png', 'open/link.png'),
        *('open/door/secret.png', 'opened', 'closed/missing.png', '/etc/passwd', 'open\0/a.png'),
    ],
)
def test_every_other_path_is_refused(path, shelf):
    with pytest.raises(InputError, match=r'^left_image: '):
        permitted_path(str(shelf / path), [str(shelf / 'open')], 'left_image')


def test_what_exists_is_not_told(shelf):
    told = []
    for name in ('secret.png', 'missing.png'):
        with pytest.raises(InputError) as caught:
            permitted_path(str(shelf / 'closed' / name), [str(shelf / 'open')], 'x')
        told.append(str(caught.value).replace(name, ''))
    assert told[0] == told[1]


@pytest.mark.parametrize('path', ['', 'a.png', '/', '/etc/passwd'])
def test_by_default_no_path_is_permitted(path):
    with pytest.raises(InputError, match=r'requests.allowed_input_dirs'):
        permitted_path(path, NOBODY.allowed_input_dirs, 'x')


@pytest.mark.parametrize('own', ['', 's2m2-L', '/models/own.pth'])
def test_by_default_only_the_checkpoint_in_use_is_permitted(own, shelf):
    allowed = NOBODY.allowed_models
    assert permitted_model('', own, allowed) == ''
    assert permitted_model('opencv-sgbm', own, allowed) == 'opencv-sgbm'
    if own:
        assert permitted_model(own, own, allowed) == own
    for other in ('s2m2-S', 'https://example.com/a.pth', str(shelf / 'open/deep/b.pth'), '/'):
        with pytest.raises(InputError, match=r'model_backend: .*requests.allowed_models'):
            permitted_model(other, own, allowed)


def test_the_checkpoint_in_use_may_be_called_by_its_address():
    assert permitted_model(DEFAULT_STEREO_BACKEND, 's2m2-L', ['']) == 's2m2-L'
    with pytest.raises(InputError):
        permitted_model(DEFAULT_STEREO_BACKEND, '', [''])


def test_names_and_addresses_are_permitted_one_by_one():
    allowed = ['s2m2-M', 'https://example.com/a.pth', DEFAULT_STEREO_BACKEND]
    for model in ('S2M2-M', 'https://example.com/a.pth', 's2m2-L', DEFAULT_STEREO_BACKEND):
        assert permitted_model(model, '', allowed) == model
    for model in ('s2m2-S', 'https://example.com/b.pth', 'http://[', 'https://example.com/'):
        with pytest.raises(InputError):
            permitted_model(model, '', allowed)


def test_files_and_folders_of_checkpoints_are_permitted(shelf):
    b, c = shelf / 'open' / 'deep' / 'b.pth', shelf / 'closed' / 'c.pth'
    for allowed in ([str(b)], [str(shelf / 'open')]):
        assert permitted_model(str(b), '', allowed) == str(b)
        assert permitted_model(f'file://{b}', '', allowed) == str(b)
        for model in (c, shelf / 'open' / 'door' / 'c.pth', shelf / 'open', 'x' * 9999, '~x/y'):
            with pytest.raises(InputError, match=r'^model_backend'):
                permitted_model(str(model), '', allowed)


def test_a_snapshot_goes_to_the_first_allowed_folder_unless_another_is_named(shelf):
    allowed = ['', str(shelf / 'open'), str(shelf / 'opened')]
    assert permitted_folder('', allowed) == shelf / 'open'
    assert permitted_folder(str(shelf / 'opened' / 'new'), allowed) == shelf / 'opened' / 'new'
    for folder in (shelf / 'closed', shelf / 'open' / 'door', 'a\0b'):
        with pytest.raises(InputError, match=r'^directory: '):
            permitted_folder(str(folder), allowed)
    with pytest.raises(InputError, match='nothing is allowed'):
        permitted_folder('', NOBODY.snapshot_dirs)
