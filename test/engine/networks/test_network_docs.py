# SPDX-License-Identifier: Apache-2.0
"""What docs/networks says is what the code does, as far as a machine can tell."""

import re
from pathlib import Path

import pytest

from vizion3d_ros.engine.networks.sizes import DEPTH_ANYTHING_SIZES, S2M2_SIZES

ROOT = Path(__file__).resolve().parents[3]
PAGES = {path.stem: path.read_text() for path in (ROOT / 'docs' / 'networks').glob('*.md')}
SECTION = r'\d+(?:\.\d+)?'
CITED = re.compile(
    rf'docs/networks/(\w+)\.md(?:,\s+sections?\s+({SECTION})(?:\s+(?:to|and)\s+({SECTION}))?)?'
)


def citations():
    for path in sorted((ROOT / 'vizion3d_ros').rglob('*.py')):
        for page, *sections in CITED.findall(path.read_text()):
            yield pytest.param(page, [s for s in sections if s], id=f'{path.name}-{page}')


@pytest.mark.parametrize(('page', 'sections'), [*citations()])
def test_every_section_that_is_cited_exists(page, sections):
    headings = re.findall(rf'^#+ ({SECTION})\.? ', PAGES[page], re.MULTILINE)
    assert set(sections) <= set(headings)


@pytest.mark.parametrize('variant', S2M2_SIZES)
def test_sizes_of_s2m2(variant):
    width, blocks = S2M2_SIZES[variant]
    assert f'| {variant} | {width} | {blocks} |' in PAGES['s2m2']


@pytest.mark.parametrize('encoder', DEPTH_ANYTHING_SIZES)
def test_sizes_of_depth_anything(encoder):
    size = DEPTH_ANYTHING_SIZES[encoder]
    taps, widths = (', '.join(map(str, numbers)) for numbers in (size.taps, size.tap_widths))
    row = (encoder, size.width, size.blocks, size.heads, taps, size.head_width, widths)
    cells = [f'`{row[0]}`', *map(str, row[1:])]
    assert f'| {" | ".join(cells)} |' in PAGES['depth_anything_v2']
