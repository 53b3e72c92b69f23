# SPDX-License-Identifier: Apache-2.0
"""Images to raw disparity: matchers behind one protocol."""
