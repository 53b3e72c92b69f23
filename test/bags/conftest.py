# SPDX-License-Identifier: Apache-2.0
"""The messages of a small recording."""

import pytest


@pytest.fixture
def rows(make_pair):
    """The messages of four pairs."""
    from bag_files import messages

    return messages(make_pair)
