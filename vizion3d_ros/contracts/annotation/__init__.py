# SPDX-License-Identifier: Apache-2.0
"""What is asked about objects in a cloud, and the objects themselves."""
