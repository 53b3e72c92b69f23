# SPDX-License-Identifier: Apache-2.0
"""
Stereo pairs from folders, as the Middlebury and ETH3D benchmarks lay them out.

left.png, right.png (or im0.png, im1.png); optional calib.txt; optional ground truth as
disparity.npz (array `disparity`) or disp0.pfm.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.contracts.camera import Intrinsics, StereoRig
from vizion3d_ros.contracts.errors import CalibrationError, InputError
from vizion3d_ros.files.calibration_file import CalibrationFile, read_calibration
from vizion3d_ros.files.picture import read_picture

IMAGE_NAMES = (('left.png', 'right.png'), ('im0.png', 'im1.png'))
HOLDS = 'left.png and right.png (or im0.png and im1.png)'
CALIBRATION = 'calib.txt'
NOMINAL_HFOV_DEG = 60.0


@dataclass(frozen=True, slots=True)
class StereoPair:
    """
    One rectified pair and what is known about it.

    left, right: uint8 (H, W, 3) RGB or (H, W) grey, same shape. calibration: of the file, or a
    nominal one without baseline. disparity: float32 (H, W), x_left - x_right in pixels before
    doffs, NaN = unknown; None without ground truth.
    """

    folder: Path
    left: NDArray[np.uint8]
    right: NDArray[np.uint8]
    calibration: CalibrationFile
    disparity: NDArray[np.float32] | None

    @property
    def rig(self) -> StereoRig:
        """The rig; baseline_m is None without a calib.txt."""
        return self.calibration.rig


def find_pairs(folder: Path) -> list[Path]:
    """
    List the folder itself if it holds a pair, else its sub-folders that do, sorted by name.

    Raises InputError if there is none.
    """
    if not folder.is_dir():
        raise InputError(f'{folder}: no such folder; expected one that holds {HOLDS}')
    candidates = [folder, *sorted(path for path in folder.iterdir() if path.is_dir())]
    found = [path for path in candidates if _image_paths(path) is not None]
    if not found:
        names = sorted(path.name for path in folder.iterdir())[:8]
        raise InputError(
            f'{folder}: expected {HOLDS}, or sub-folders that hold them; got '
            f'{", ".join(names) or "an empty folder"}'
        )
    return found[:1] if found[0] == folder else found


def load_pair(folder: Path) -> StereoPair:
    """Load one pair; InputError or CalibrationError names the file that cannot be used."""
    paths = _image_paths(folder)
    if paths is None:
        raise InputError(f'{folder}: expected {HOLDS}')
    left, right = (read_picture(path, str(path)) for path in paths)
    if left.shape != right.shape:
        raise InputError(
            f'{paths[1]}: expected the same size and channels as {paths[0].name}, '
            f'{_size(left)}, got {_size(right)}'
        )
    disparity = _read_disparity(folder)
    if disparity is not None and disparity.shape != left.shape[:2]:
        raise InputError(
            f'{folder}: expected ground truth of the size of the images, {_size(left)}, '
            f'got {_size(disparity)}'
        )
    return StereoPair(folder, left, right, _calibration(folder, left), disparity)


def _image_paths(folder: Path) -> tuple[Path, Path] | None:
    for names in IMAGE_NAMES:
        left, right = (folder / name for name in names)
        if left.is_file() and right.is_file():
            return left, right
    return None


def _calibration(folder: Path, image: NDArray[np.uint8]) -> CalibrationFile:
    height, width = image.shape[:2]
    path = folder / CALIBRATION
    if not path.is_file():
        left = Intrinsics.from_field_of_view(width, height, NOMINAL_HFOV_DEG)
        return CalibrationFile(StereoRig(left=left, baseline_m=None))
    calibration = read_calibration(path)
    camera = calibration.rig.left
    if (camera.width, camera.height) != (width, height):
        raise CalibrationError(
            f'{path}: is for images of {camera.width}x{camera.height}, but the images are '
            f'{_size(image)}: use the calibration of this resolution'
        )
    return calibration


def _read_disparity(folder: Path) -> NDArray[np.float32] | None:
    archive, pfm = folder / 'disparity.npz', folder / 'disp0.pfm'
    if archive.is_file():
        return _read_archive(archive)
    return _read_pfm(pfm) if pfm.is_file() else None


def _read_archive(path: Path) -> NDArray[np.float32]:
    expected = f'{path}: expected an array named disparity of shape (H, W)'
    try:
        with np.load(path, allow_pickle=False) as archive:
            disparity = archive['disparity']
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise InputError(f'{expected}: {error}') from error
    if disparity.ndim != 2 or disparity.dtype.kind not in 'fiu':
        raise InputError(expected)
    return _unknown_as_nan(disparity)


def _read_pfm(path: Path) -> NDArray[np.float32]:
    """Read a portable float map: three header lines, then rows from the bottom up."""
    try:
        kind, size, scale, data = path.read_bytes().split(b'\n', 3)
        width, height = map(int, size.split())
        order = '<' if float(scale) < 0 else '>'
        rows = np.frombuffer(data, f'{order}f4', width * height).reshape(height, width)
    except (OSError, ValueError) as error:
        raise InputError(f'{path}: expected a grey PFM image: {error}') from error
    if kind.strip() != b'Pf':
        raise InputError(f'{path}: expected a grey PFM image (Pf), got {kind[:8]!r}')
    return _unknown_as_nan(rows[::-1])


def _unknown_as_nan(disparity: NDArray[np.generic]) -> NDArray[np.float32]:
    single = np.array(disparity, np.float32)
    single[~np.isfinite(single)] = np.nan
    return single


def _size(image: NDArray[np.generic]) -> str:
    channels = f', {image.shape[2]} channels' if image.ndim == 3 else ''
    return f'{image.shape[1]}x{image.shape[0]}{channels}'
