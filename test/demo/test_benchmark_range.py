# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from benchmark_range import search_range

NAN = float('nan')
TRUTH = np.array([[NAN, 3.0], [59.9, 7.0]], np.float32)
UNKNOWN = np.full((2, 2), NAN, np.float32)


@pytest.mark.parametrize(
    ('asked', 'truth', 'ndisp', 'expected', 'reason'),
    [
        (100, TRUTH, 68, 112, 'as asked'),
        (None, TRUTH, 128, 64, 'ground truth'),
        (None, TRUTH + 4.2, 128, 80, 'ground truth'),  # 64.1 + 1 needs a fifth step
        (None, None, 68, 80, 'ndisp'),
        (None, UNKNOWN, 64, 64, 'ndisp'),
        (None, None, 400, None, 'min_depth'),
        (None, None, None, None, 'min_depth'),
    ],
)
def test_search_range(asked, truth, ndisp, expected, reason):
    found = search_range(asked, truth, ndisp, width=800)
    assert found.disparities == expected
    assert reason in found.reason
