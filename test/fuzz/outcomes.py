# SPDX-License-Identifier: Apache-2.0
"""Whether examples reach both ends: if all were refused, nothing of what is accepted is tried."""

import functools
from collections import Counter

LEAST = 5  # examples at each end

_outcomes = Counter()


def accepted():
    _outcomes['accepted'] += 1


def refused(reason):
    """Whatever is refused is so with a reason."""
    assert str(reason)
    _outcomes['refused'] += 1


def both_ways(test):
    """Fail a test whose examples are all accepted, or all refused."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        _outcomes.clear()
        test(*args, **kwargs)
        assert min(_outcomes['accepted'], _outcomes['refused']) >= LEAST, dict(_outcomes)

    return run
