# SPDX-License-Identifier: Apache-2.0
"""What state a node is in, said in the log and in diagnostics."""
