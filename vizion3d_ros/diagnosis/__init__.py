# SPDX-License-Identifier: Apache-2.0
"""What is wrong with the pictures: lenses, exposure, alignment, distance; each in a sentence."""
