# SPDX-License-Identifier: Apache-2.0
"""One frame, from topics to topics."""
