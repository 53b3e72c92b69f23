# SPDX-License-Identifier: Apache-2.0
"""
A checkpoint becomes an ONNX file that says what it is, and is compared with what it was made of.

    write ─┬─ networks          ours, with their weights, what they take, and images to try
           └─ half, group_norm  what is changed so that it stays exact
"""
