# SPDX-License-Identifier: Apache-2.0
"""
The camera of a request: the one that a node knows, or what the caller wrote.

What counts as left out: every field at its default, as a service request has no other word for it.
"""

from __future__ import annotations

from vizion3d_ros.contracts.annotation.request import ObjectMaskAnnotation3DConfig
from vizion3d_ros.contracts.calibration.camera_faults import (
    far_outside,
    misplaced,
    oblong,
    unlikely_view,
)
from vizion3d_ros.contracts.camera import Intrinsics, StereoRig
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.mono_request import DepthEstimationAdvanceConfig
from vizion3d_ros.contracts.stereo_request import StereoDepthAdvancedConfig

RIG_FIELDS = ('focal_length', 'fy', 'cx', 'cy', 'baseline', 'doffs')
CAMERA_FIELDS = ('fx', 'fy', 'cx', 'cy')
METRIC_FIELDS = ('focal_length', 'baseline')
ASIDE = 0.1  # of the image, from its middle; lenses are mounted better
FOCAL_PER_WIDTH = 0.85  # vizion3d's guess for an unknown camera, about 61 degrees wide
FOCAL_LENGTHS = ('focal_length', 'fx', 'fy')


def camera_of(
    config: DepthEstimationAdvanceConfig | ObjectMaskAnnotation3DConfig, width: int, height: int
) -> Intrinsics:
    """Give the camera that a config describes for an image of width x height pixels."""
    guess = FOCAL_PER_WIDTH * width
    return Intrinsics(
        width=width,
        height=height,
        fx=config.fx or config.fy or guess,
        fy=config.fy or config.fx or guess,
        cx=width / 2 if config.cx is None else config.cx,
        cy=height / 2 if config.cy is None else config.cy,
    )


def fitting_rig(
    known: StereoRig | None, config: StereoDepthAdvancedConfig, width: int, height: int
) -> StereoRig | None:
    """
    Give the known rig if images of its size came, and no calibration.

    Raises InputError if it has no baseline: metres of the default one would be made up.
    """
    if known is None or not _left_out(config, RIG_FIELDS):
        return None
    if (known.left.width, known.left.height) != (width, height):
        return None
    if known.baseline_m is None:
        raise InputError(
            'advanced_config gives no calibration, and camera_info on the topics of this node '
            'gives no baseline that a rig can have, as its log and diagnostics say: correct it, '
            'or give focal_length, cx, cy and baseline'
        )
    return known


def fitting_camera(
    known: Intrinsics | None, config: DepthEstimationAdvanceConfig, width: int, height: int
) -> Intrinsics | None:
    """Give the known camera if an image of its size came, and no calibration."""
    if known is None or not _left_out(config, CAMERA_FIELDS):
        return None
    return known if (known.width, known.height) == (width, height) else None


def note_on_rig(
    config: StereoDepthAdvancedConfig, used: StereoRig, known: StereoRig | None
) -> str:
    """Say for which rig alone the metres of an answer hold; '' if it is the caller's or known."""
    if used is known:
        return ''
    missing = [name for name in METRIC_FIELDS if name not in config.model_fields_set]
    if len(missing) == len(METRIC_FIELDS):
        return (
            f'advanced_config gives no calibration, so its defaults were used: focal_length '
            f'{config.focal_length:g} px, baseline {config.baseline:g} mm. Metres hold for such a '
            f'rig only{_other_size(known.left if known else None, used.left)}'
        )
    if not missing:
        return ''
    (name,) = missing
    return (
        f'advanced_config gives no {name} but its default of {getattr(config, name):g} '
        f'{"mm" if name == "baseline" else "px"}. Metres hold for such a rig only'
    )


def note_on_view(config: StereoDepthAdvancedConfig, used: StereoRig) -> str:
    """Say what puts the points of a cloud beside their places; '' if nothing is known to."""
    camera = used.left
    if {'cx', 'cy'} & config.model_fields_set:
        return _doubtful_view(camera)
    aside = max(abs(camera.cx / camera.width - 0.5), abs(camera.cy / camera.height - 0.5))
    if aside < ASIDE:
        return ''
    return (
        f'advanced_config gives no cx and cy, so their defaults, {camera.cx:g} and {camera.cy:g} '
        f'px, were used for images of {camera.width}x{camera.height}: the cloud is pushed aside; '
        'give the principal point'
    )


def note_on_camera(
    config: DepthEstimationAdvanceConfig, used: Intrinsics, known: Intrinsics | None
) -> str:
    """Say by which guess a cloud was made; '' if its camera is the caller's or known."""
    if used is known:
        return ''
    if not _left_out(config, CAMERA_FIELDS):
        return _doubtful_view(used)
    return (
        f'advanced_config gives no camera, so fx and fy were guessed as {used.fx:g} px: the cloud '
        f'may be too wide or too narrow{_other_size(known, used)}'
    )


def _doubtful_view(camera: Intrinsics) -> str:
    text = oblong(camera.fx, camera.fy)
    far = far_outside(camera.cx, camera.cy, camera.width, camera.height)
    if far:
        text = f'has the principal point ({camera.cx:g}, {camera.cy:g}) px, {far}'
    return text and f'advanced_config {text}'


def check_asked(
    config: StereoDepthAdvancedConfig | DepthEstimationAdvanceConfig, camera: Intrinsics
) -> None:
    """
    Look at what the caller gave for other units than pixels, and another size than the images.

    Defaults are left alone. Raises InputError which names the field, for example for a principal
    point of (0.5, 0.5), or in the middle of images twice as large.
    """
    defaults = dict(type(config)())
    asked = {name for name, value in config if value != defaults[name]}
    focal_lengths = [(name, getattr(config, name)) for name in FOCAL_LENGTHS if name in asked]
    texts = [
        unlikely_view(name, value, camera.width)
        for name, value in focal_lengths
        if value < camera.width
    ]
    if {'cx', 'cy'} <= asked:
        place = misplaced(camera.cx, camera.cy, camera.width, camera.height)
        point = f'({camera.cx:g}, {camera.cy:g})'
        texts.append(place and f'has the principal point {point} px, {place}')
    text = next(filter(None, texts), '')
    if text:
        raise InputError(f'advanced_config: {text}')


def _left_out(
    config: StereoDepthAdvancedConfig | DepthEstimationAdvanceConfig, names: tuple[str, ...]
) -> bool:
    defaults = type(config)()
    return all(getattr(config, name) == getattr(defaults, name) for name in names)


def _other_size(known: Intrinsics | None, used: Intrinsics) -> str:
    if known is None:
        return ''
    return (
        f'; the calibration of this node is for {known.width}x{known.height}, and the image has '
        f'{used.width}x{used.height}'
    )
