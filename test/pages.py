# SPDX-License-Identifier: Apache-2.0
"""The pages of the documentation, and what stands in them."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*sorted(ROOT.glob('*.md')), *sorted((ROOT / 'docs').rglob('*.md'))]


def code_blocks(page, language):
    """The blocks of code of a page in one language."""
    return re.findall(rf'^```{language}\n(.*?)^```', page.read_text(), re.DOTALL | re.MULTILINE)


def prose(page):
    """A page without its blocks of code."""
    return re.sub(r'^```.*?^```', '', page.read_text(), flags=re.DOTALL | re.MULTILINE)


def tables(page):
    """Cells of every row of every table of a page of docs/."""
    lines = (ROOT / 'docs' / page).read_text().splitlines()
    rows = [line.strip('|').split('|') for line in lines if line.startswith('| ')]
    return [[cell.strip() for cell in row] for row in rows]


def written_parameters():
    """Default and range of each parameter as docs/parameters.md has them, by (who, name)."""
    rows = [row for row in tables('parameters.md') if len(row) == 5 and row[0] != 'parameter']
    return {
        (who, name.strip('`')): (default.strip('`'), limits)
        for name, of, default, limits, _ in rows
        for who in of.split(', ')
    }
