# SPDX-License-Identifier: Apache-2.0
"""What can be set: of a node, of its matcher or network, and of the services."""
