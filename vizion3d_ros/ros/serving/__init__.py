# SPDX-License-Identifier: Apache-2.0
"""Requests and snapshots: services in, responses out."""
