# SPDX-License-Identifier: Apache-2.0
"""
Networks as ONNX files: run by ONNX Runtime, and made from ours.

    stereo, mono ─ model ─┬─ profile    what goes in and what comes out, of the file or by YAML
                          ├─ providers  what computes it, and how exactly
                          ├─ session    load, check that both fit, run
                          ├─ inputs     images to what the network takes
                          └─ outputs    what it answers to maps
    stereo ─ doubt        confidence and visibility where a network answers neither
    export/               a checkpoint to a file, compared with the network that it was made of

Nothing here imports onnx or onnxruntime before it is used.
"""
