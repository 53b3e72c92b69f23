# SPDX-License-Identifier: Apache-2.0
"""
The REST server as a command.

    vizion3d-serve-rest                                        both features, on 127.0.0.1:8000
    vizion3d-serve-rest --stereo_model opencv-sgbm             stereo alone, without weights

Stops on SIGTERM and SIGINT after what it has accepted. Exits with 1 and a reason if it cannot
serve, with 2 if the command line cannot be understood.
"""

from __future__ import annotations

from vizion3d_ros.doors.arguments import REST, parse
from vizion3d_ros.doors.start import start


def main(arguments: list[str] | None = None) -> None:
    """Serve until told to stop, and exit."""
    start(REST, parse(REST, arguments))


if __name__ == '__main__':
    main()
