# SPDX-License-Identifier: Apache-2.0
"""What the classes have in common that ROS generates from .msg and .srv files."""

from collections.abc import Iterator
from typing import Protocol

from typing_extensions import dataclass_transform

@dataclass_transform(kw_only_default=True, eq_default=True)
class Message:
    """Made from its fields by name; each has a default."""

    @classmethod
    def get_fields_and_field_types(cls) -> dict[str, str]: ...

class Numbers(Protocol):
    """A field of numbers: an array of Python or NumPy when read, any sequence when set."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[float]: ...
    def __getitem__(self, index: int, /) -> float: ...
    def __setitem__(self, index: int, value: float, /) -> None: ...
