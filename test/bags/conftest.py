# SPDX-License-Identifier: Apache-2.0
"""Bags need the package rosbags."""

import pytest

collect_ignore_glob = []
try:
    import rosbags  # noqa: F401
except ImportError:
    collect_ignore_glob = ['test_bag*.py']


@pytest.fixture
def rows(make_pair):
    """The messages of four pairs."""
    from bag_files import messages

    return messages(make_pair)
