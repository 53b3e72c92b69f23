# SPDX-License-Identifier: Apache-2.0
"""Images with a known calibration: a synthetic scene and recorded pairs."""
