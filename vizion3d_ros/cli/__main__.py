# SPDX-License-Identifier: Apache-2.0
"""The command line where no script is on PATH: `python -m vizion3d_ros.cli`."""

from vizion3d_ros.cli.main import main

main()
