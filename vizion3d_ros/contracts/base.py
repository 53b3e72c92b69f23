# SPDX-License-Identifier: Apache-2.0
"""What every contract shares: frozen, unknown fields refused, finite numbers."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Contract(BaseModel):
    """A frozen model that refuses fields it does not know."""

    model_config = ConfigDict(
        frozen=True, extra='forbid', arbitrary_types_allowed=True, allow_inf_nan=False
    )


Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
