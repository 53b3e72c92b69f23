# SPDX-License-Identifier: Apache-2.0
"""What is read and written: pictures, pairs, calibrations, clouds, folders of results."""
