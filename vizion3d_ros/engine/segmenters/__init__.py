# SPDX-License-Identifier: Apache-2.0
"""What finds objects in images; each loads its library when it is made."""
