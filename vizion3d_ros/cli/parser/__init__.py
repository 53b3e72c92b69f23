# SPDX-License-Identifier: Apache-2.0
"""What the command line takes, and what --help says of it."""
