# SPDX-License-Identifier: Apache-2.0
"""Several publishers on one input, by the numbers of their messages."""

import pytest

from vizion3d_ros.ros.stream.publishers import UNSUPPORTED, MixedSources

pytestmark = pytest.mark.ros


@pytest.mark.parametrize(
    ('numbers', 'mixed'),
    [
        (range(1, 100), False),
        ([*range(1, 50), *range(1, 50)], False),  # a camera that started anew
        ([5, 6, 9, 12, 13, 20], False),  # some got lost
        ([UNSUPPORTED] * 50, False),
        ([None] * 50, False),
        ([100, 1, 101, 2, 102, 3, 103, 4], True),
        ([7, 7, 8, 8, 9, 9, 10, 10], True),  # started together
    ],
)
def test_numbers_that_fall_back_again_and_again_are_of_several(numbers, mixed):
    source, heard = MixedSources(), []
    take = source.watched(heard.append)
    for number in numbers:
        take('image', {'publication_sequence_number': number})
    assert source.mixed is mixed
    assert heard == ['image'] * len(numbers)


def test_a_middleware_that_gives_no_numbers_tells_nothing():
    source = MixedSources()
    for _ in range(50):
        source.watched(print)('image', {})
    assert not source.mixed
