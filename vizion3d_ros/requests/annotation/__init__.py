# SPDX-License-Identifier: Apache-2.0
"""
3D annotation for every door: cloud and image in, objects with their points out.

    request ─ cloud, front_view ─ AnnotationCommand ─ pipeline ─ answer ─ views
"""
