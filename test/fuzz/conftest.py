# SPDX-License-Identifier: Apache-2.0
"""The same few examples on every run; HYPOTHESIS_PROFILE=long makes many new ones."""

import os

from hypothesis import HealthCheck, settings

COMMON = {'deadline': None, 'database': None, 'suppress_health_check': list(HealthCheck)}
settings.register_profile('short', max_examples=150, derandomize=True, **COMMON)
settings.register_profile('long', max_examples=20_000, print_blob=True, **COMMON)
settings.load_profile(os.environ.get('HYPOTHESIS_PROFILE', 'short'))
