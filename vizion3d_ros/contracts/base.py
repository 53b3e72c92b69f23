# SPDX-License-Identifier: Apache-2.0
"""What every contract shares: frozen, unknown fields refused, finite numbers."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from vizion3d_ros.contracts.errors import InputError


class Contract(BaseModel):
    """A frozen model that refuses fields it does not know."""

    model_config = ConfigDict(
        frozen=True, extra='forbid', arbitrary_types_allowed=True, allow_inf_nan=False
    )

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse: what was checked when it was made stays as it is, in every thread."""
        if name in type(self).model_fields:
            kind = type(self).__name__
            raise InputError(
                f'{name}: a {kind} cannot be changed, so it is given when one is made: '
                f'{kind}({name}=...), or {kind}(**{{**dict(old), {name!r}: ...}}) for another'
            )
        super().__setattr__(name, value)


Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
