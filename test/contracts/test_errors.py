# SPDX-License-Identifier: Apache-2.0
import pytest
from pydantic import ValidationError

from vizion3d_ros.contracts import errors
from vizion3d_ros.contracts.errors import BackendError, CalibrationError, InputError, explain
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings


@pytest.mark.parametrize('kind', [InputError, CalibrationError, BackendError])
def test_one_base_catches_them_all(kind):
    assert issubclass(kind, errors.DepthError)


def test_other_errors_are_said_as_they_are():
    assert explain(ValueError('left is missing')) == 'left is missing'
    assert explain(KeyError()) == 'KeyError'


def test_names_of_files_keep_to_letters_that_can_be_sent():
    name = b'/home/j\xfcrgen'.decode(errors='surrogateescape')
    assert explain(BackendError(f'{name} is no file')) == '/home/j?rgen is no file'


def refusal(**settings):
    with pytest.raises(ValidationError) as caught:
        StereoSettings.model_validate(settings)
    return explain(caught.value)


def test_memory_that_ran_out_is_told_with_what_helps():
    assert explain(MemoryError()) == errors.NO_MEMORY


def test_a_range_error_names_the_field_and_quotes_what_came():
    text = refusal(min_depth=-1.0)
    assert text.startswith('min_depth: ')
    assert text.endswith('got -1.0')


def test_a_nested_field_has_its_dotted_name():
    assert refusal(sync={'slop': -1.0}).startswith('sync.slop: ')


def test_our_own_words_come_without_boilerplate():
    assert refusal(sgbm={'correlation_window_size': 4}) == (
        'sgbm: correlation_window_size must be odd, got 4'
    )
    assert refusal(min_depth=3.0, max_depth=2.0) == (
        'max_depth must be larger than min_depth, got min_depth 3.0 and max_depth 2.0'
    )


def test_several_faults_make_one_line():
    text = refusal(min_depth=-1.0, baseline_m=-1.0)
    assert 'min_depth: ' in text
    assert '; baseline_m: ' in text
    assert '\n' not in text
    assert 'pydantic.dev' not in text
