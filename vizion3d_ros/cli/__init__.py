# SPDX-License-Identifier: Apache-2.0
"""
The command line.

    main ─ parser ─┬─ stereo ────┬─ batch: item by item, skip, report
                   ├─ mono ──────┤
                   ├─ annotate ──┘
                   ├─ bag: a recording to another
                   ├─ rig: a table and a plot
                   └─ export: a checkpoint to an ONNX file

Through the same requests layer as the Python API and the services, so the numbers are the same.
"""
