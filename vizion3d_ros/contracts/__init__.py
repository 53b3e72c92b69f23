# SPDX-License-Identifier: Apache-2.0
"""What is asked and answered: frozen, checked, importing nothing of ours."""
