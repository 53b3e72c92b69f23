# SPDX-License-Identifier: Apache-2.0
"""Filters laid out in memory as the maps are, also after weights were loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn


class LaidOut(nn.Module):
    """A network that keeps its filters in one layout; else every call would copy them into it."""

    layout: torch.memory_format = torch.channels_last

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """As nn.Module; the weights are then laid out."""
        outcome = super().load_state_dict(state_dict, strict, assign)
        self.lay_out()
        return outcome

    def lay_out(self) -> None:
        """Put all filters into the layout."""
        for parameter in self.parameters():
            if parameter.ndim == 4:
                parameter.data = parameter.contiguous(memory_format=self.layout)
