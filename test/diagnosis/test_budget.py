# SPDX-License-Identifier: Apache-2.0
"""What examinations may cost in the long run, and at once."""

import pytest

from vizion3d_ros.diagnosis.budget import Budget


def spent(cost, every, seconds):
    """Share of a core that examinations of so many seconds take, due every so many seconds."""
    budget, total, now = Budget(), 0.0, 0.0
    while now < seconds:
        if budget.allows(now, urgent=False):
            budget.spend(cost, now)
            total += cost
        now += every
    return total / seconds


@pytest.mark.parametrize('cost', [0.004, 0.02, 0.2, 2.0])
def test_a_fault_that_stands_costs_below_a_hundredth_of_a_core(cost):
    assert spent(cost, 1.5, 3600) < 0.01


def test_what_costs_little_is_done_whenever_it_is_due():
    assert spent(0.006, 1.5, 3600) == pytest.approx(0.006 / 1.5, rel=0.01)


def test_a_few_may_follow_each_other_and_more_if_it_is_urgent():
    budget = Budget()
    for _ in range(3):
        assert budget.allows(100.0, urgent=False)
        budget.spend(0.02, 100.0)
    assert not budget.allows(100.0, urgent=False) and budget.allows(100.0, urgent=True)
    assert budget.allows(105.0, urgent=False)
