# SPDX-License-Identifier: Apache-2.0
"""One Markdown table with the machine it was made on: how every benchmark reports."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path


def machine() -> str:
    """Processor, cores and Python in one line."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path('/proc/cpuinfo')
    if cpuinfo.exists():
        names = [x for x in cpuinfo.read_text().splitlines() if x.startswith('model name')]
        model = names[0].partition(':')[2].strip() if names else model
    return f'{model}, {os.cpu_count()} cores, Python {platform.python_version()}'


def print_table(title: str, rows: list[dict[str, object]], json_file: Path | None = None) -> None:
    """Print rows as a Markdown table; with json_file also write them there."""
    columns = list(rows[0])
    print(f'{title}. Machine: {machine()}\n')
    print(f'| {" | ".join(columns)} |')
    print(f'|{"---|" * len(columns)}')
    for row in rows:
        print(f'| {" | ".join(str(row[column]) for column in columns)} |')
    if json_file:
        json_file.write_text(json.dumps({'title': title, 'machine': machine(), 'rows': rows}))
