# SPDX-License-Identifier: Apache-2.0
"""The depths that a stereo rig can measure, from its data sheet: a table and a plot."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.geometry.rig_table import Camera, Matching, RigTable

HEADINGS = ('depth', 'disparity', 'matched', 'step', 'error', 'error', '')
UNITS = ('mm', 'px', 'px', 'mm', 'mm', '%', '')
MOST_MM = 1e9


def run(asked: Namespace) -> int:
    """Print the table and write the plot, if a file is named for it; the exit code is 0."""
    _check(asked)
    table, share = _table(asked), asked.error_percent / 100
    print(_rig_line(table))
    print(_matching_line(table))
    print()
    print(_rows(table, asked.depths_mm, share))
    print()
    print(_range_line(table, share))
    if asked.plot:
        _write_plot(asked.plot, table, asked.depths_mm, share)
        print(f'{asked.plot} written')
    return 0


def _check(asked: Namespace) -> None:
    if not 0 < asked.error_percent < 100:
        raise InputError(f'--error-percent must be between 0 and 100, got {asked.error_percent:g}')
    for depth in asked.depths_mm:
        if not 0 < depth <= MOST_MM:
            raise InputError(f'--depths-mm must be above 0, at most {MOST_MM:g}, got {depth:g}')


def _table(asked: Namespace) -> RigTable:
    return RigTable(
        camera=Camera(
            focal_mm=asked.focal_mm,
            pixel_um=asked.pixel_um,
            width=asked.width,
            height=asked.height,
        ),
        baseline_mm=asked.baseline_mm,
        matching=Matching(
            scale=asked.scale,
            disparity_step=asked.disparity_step,
            disparity_error=asked.disparity_error,
            max_disparity=asked.max_disparity,
        ),
    )


def _rig_line(table: RigTable) -> str:
    camera = table.camera
    return (
        f'Baseline {table.baseline_mm:g} mm, focal length {camera.focal_mm:g} mm, pixels of '
        f'{camera.pixel_um:g} um, {camera.width}x{camera.height}: fx = {camera.focal_px:.2f} px, '
        f'{camera.hfov_deg:.0f} degrees wide'
    )


def _matching_line(table: RigTable) -> str:
    width, height = table.matched_size
    matching = table.matching
    return (
        f'Matched at {width}x{height}: disparities up to {table.max_disparity:g} px, in steps of '
        f'{matching.disparity_step:g} px, {matching.disparity_error:g} px off'
    )


def _rows(table: RigTable, depths_mm: list[float], share: float) -> str:
    lines: list[tuple[str, ...]] = [HEADINGS, UNITS]
    for depth in depths_mm:
        row = table.row(depth)
        verdict = ''
        if depth < table.nearest_mm:
            verdict = 'too near'
        elif row.error_share > share:
            verdict = 'too far'
        numbers = (row.disparity, row.matched, row.step_mm, row.error_mm, 100 * row.error_share)
        lines.append((f'{depth:g}', *(f'{number:.2f}' for number in numbers), verdict))
    return '\n'.join(''.join(f'{cell:>11}' for cell in line).rstrip() for line in lines)


def _range_line(table: RigTable, share: float) -> str:
    nearest, farthest = table.nearest_mm, table.farthest_mm(share)
    limits = (
        f'disparity {table.max_disparity:g} px, where both cameras see '
        f'{100 * table.shared_view:.0f} % of the width',
        f'the error reaches {100 * share:g} % of the depth',
    )
    if nearest >= farthest:
        return (
            f'No depth is usable: nearer than {nearest:.0f} mm it is too near ({limits[0]}), '
            f'beyond {farthest:.0f} mm too far ({limits[1]})'
        )
    return f'Usable from {nearest:.0f} mm ({limits[0]}) to {farthest:.0f} mm ({limits[1]})'


def _write_plot(path: Path, table: RigTable, depths_mm: list[float], share: float) -> None:
    from vizion3d_ros.files.result_folder import write_file
    from vizion3d_ros.files.snapshot import png
    from vizion3d_ros.report.rig_plot import rig_plot

    lines = _rig_line(table), _range_line(table, share)
    write_file(path, png(rig_plot(table, depths_mm, share, lines)))
