# SPDX-License-Identifier: Apache-2.0
"""Semi-global matching: search range, matching, evidence and confidence, narrow gaps."""
