# SPDX-License-Identifier: Apache-2.0
"""Numbers in pixels that a request may give: far beyond any camera, and nothing overflows."""

from typing import Annotated

from pydantic import Field

FocalPx = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
PositionPx = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
