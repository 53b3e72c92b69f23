# SPDX-License-Identifier: Apache-2.0
"""A job for threads that the test lets go on."""

import threading

DEADLINE = 10.0


class Hold:
    """A job that keeps a thread busy until release is set."""

    def __init__(self):
        self.started = threading.Event()
        self.release = threading.Event()

    def __call__(self):
        self.started.set()
        assert self.release.wait(DEADLINE)
