# SPDX-License-Identifier: Apache-2.0
"""Images become what the inputs of a network take, whatever its layout and number format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.functional import interpolate

from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.engine.onnx.profile import Profile
from vizion3d_ros.engine.onnx.session import Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBERS: Mapping[str, type[np.number[Any]]] = {
    'tensor(float)': np.float32,
    'tensor(float16)': np.float16,
    'tensor(double)': np.float64,
    'tensor(uint8)': np.uint8,
    'tensor(int8)': np.int8,
    'tensor(uint16)': np.uint16,
    'tensor(int16)': np.int16,
    'tensor(int32)': np.int32,
    'tensor(int64)': np.int64,
}
"""Number formats that an image can be given in, as onnxruntime names them."""
IMAGE_AXES = 3
BRIGHTEST = 255.0
LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601


@dataclass(frozen=True)
class Place:
    """An input of the network with what goes into it, as the profile says."""

    images: tuple[str, ...]
    tensor: Tensor
    profile: Profile

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width, None if it takes any."""
        height, width = self._sides[:2]
        return None if height is None or width is None else (height, width)

    @property
    def fits(self) -> bool:
        """Whether the images can be brought into its shape."""
        count = len(self.images)
        right = self.stacked or self._sides[2] in (None, count * self._channels)
        wanted = count if self.stacked else 1
        return self.tensor.rank >= IMAGE_AXES and right and prod(self._leading) == wanted

    @property
    def stacked(self) -> bool:
        """Whether two images lie one after the other, and not channel by channel."""
        return len(self.images) > 1 and self._sides[2] == self._channels

    def feed(self, images: Mapping[str, torch.Tensor], size: tuple[int, int]) -> NDArray[Any]:
        """
        Give the array for it; images: float (1, 3, H, W), RGB in 0..255, by name.

        size: height and width of the images that the network takes, if this input takes any.
        """
        wanted = self.size or size
        parts = [self._normalised(_resized(images[name], wanted)) for name in self.images]
        pixels = torch.cat(parts, dim=0 if self.stacked else 1)
        if self.profile.layout == 'NHWC':
            pixels = pixels.permute(0, 2, 3, 1)
        number = NUMBERS[self.tensor.type]
        if np.issubdtype(number, np.integer):
            pixels = pixels.round()
        array = np.ascontiguousarray(pixels.cpu().numpy(), dtype=number)
        return array.reshape(*self._leading, *array.shape[1:])

    @property
    def _leading(self) -> tuple[int, ...]:
        """The axes before those of an image; the first that is free holds what is left."""
        leading = self.tensor.shape[:-IMAGE_AXES]
        images = len(self.images) if self.stacked else 1
        free = iter((images // prod(filter(None, leading)),))
        return tuple(next(free, 1) if side is None else side for side in leading)

    @property
    def _channels(self) -> int:
        return 1 if self.profile.channels == 'grey' else 3

    @property
    def _sides(self) -> tuple[int | None, int | None, int | None]:
        """Height, width and channels of an input of three axes and more."""
        first, second, third = (None, None, None, *self.tensor.shape)[-IMAGE_AXES:]
        nchw = self.profile.layout == 'NCHW'
        return (second, third, first) if nchw else (first, second, third)

    def _normalised(self, image: torch.Tensor) -> torch.Tensor:
        """RGB (1, 3, h, w) in 0..255 to the channels and values that the network takes."""
        profile = self.profile
        if profile.channels == 'grey':
            weights = image.new_tensor(LUMINANCE).reshape(1, 3, 1, 1)
            image = (image * weights).sum(dim=1, keepdim=True)
        elif profile.channels == 'bgr':
            image = image.flip(1)
        if not profile.normalises:
            return image
        both = torch.tensor((profile.mean, profile.std), dtype=torch.float64) / profile.scale
        count = image.shape[1]
        mean, std = both.float().to(image.device)[:, :count].reshape(2, 1, count, 1, 1)
        return (image - mean) / std


def find_places(profile: Profile, inputs: tuple[Tensor, ...]) -> tuple[Place, ...]:
    """Which input of the network is which of the profile; BackendError if they do not match."""
    by_name = {tensor.name: tensor for tensor in inputs}
    asked = [each.name or inputs[n].name for n, each in enumerate(profile.inputs[: len(inputs)])]
    if len(inputs) != len(profile.inputs) or set(asked) != set(by_name):
        wanted = [each.name or 'any' for each in profile.inputs]
        raise BackendError(
            f'the network takes {", ".join(f"{x.name} {x.sides}" for x in inputs)}, but its '
            f'profile has {", ".join(wanted)}: write one for each under inputs in the profile, '
            f'such as {_such_as(inputs, profile)}'
        )
    places = tuple(
        Place(each.images, by_name[name], profile) for each, name in zip(profile.inputs, asked)
    )
    for place in places:
        _check(place)
    return places


def _such_as(inputs: tuple[Tensor, ...], profile: Profile) -> str:
    """The first input of a profile for these, as far as their number tells."""
    images = ('left', 'right') if profile.is_stereo else ('image',)
    if len(inputs) == 1:
        return f'{{images: [{", ".join(images)}], name: {inputs[0].name}}}'
    return f'{{images: [{images[0]}], name: {inputs[0].name}}}'


def _check(place: Place) -> None:
    tensor, profile = place.tensor, place.profile
    if tensor.type not in NUMBERS:
        raise BackendError(
            f'the input {tensor.name} is {tensor.type}, in which no image can be given: export '
            'the network with inputs in float32'
        )
    if not place.fits:
        count = len(place.images)
        raise BackendError(
            f'the input {tensor.name} is {tensor.sides}, but its profile says '
            f'{count} image{"s" if count > 1 else ""}, {profile.channels}, {profile.layout}: '
            f'{_advice(place)}'
        )
    number = NUMBERS[tensor.type]
    if np.issubdtype(number, np.integer) and not _whole(profile, np.iinfo(number)):
        raise BackendError(
            f'the input {tensor.name} holds whole numbers ({tensor.type}), but scale, mean and '
            'std of its profile make others: leave them out of the profile'
        )


def _advice(place: Place) -> str:
    """What to write into the profile so that it fits."""
    for layout, channels in product(('NCHW', 'NHWC'), ('rgb', 'grey')):
        other = place.profile.model_copy(update={'layout': layout, 'channels': channels})
        if Place(place.images, place.tensor, other).fits:
            return f'write layout: {layout} and channels: {channels} into the profile'
    return 'correct inputs, layout or channels in the profile, or export it for one pair at a time'


def _whole(profile: Profile, limits: np.iinfo[Any]) -> bool:
    """Whether all that comes of 0..255 are whole numbers in these limits."""
    if profile.scale != 1.0 or any(each != 1.0 for each in profile.std):
        return False
    return all(
        mean.is_integer() and limits.min <= -mean and BRIGHTEST - mean <= limits.max
        for mean in profile.mean
    )


def _resized(image: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    if tuple(image.shape[-2:]) == size:
        return image
    return interpolate(image, size, mode='bilinear', antialias=True)
