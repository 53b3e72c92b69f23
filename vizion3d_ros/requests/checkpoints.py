# SPDX-License-Identifier: Apache-2.0
"""Which checkpoint a request means, and whether it is the one in use already."""

from __future__ import annotations

from typing import Any, TypeVar

from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.contracts.settings.node_settings import CommonSettings, NetworkSettings
from vizion3d_ros.engine.registry import check_network
from vizion3d_ros.engine.weights.names import KnownModel, known_by_name, known_by_url

Network = TypeVar('Network', bound=NetworkSettings)


def known_model(model: str) -> KnownModel | None:
    """The published checkpoint that a name or an address stands for."""
    try:
        return known_by_name(model) or known_by_url(model)
    except ValueError:  # no valid address; whoever loads it says so
        return None


def same_checkpoint(first: str, second: str) -> bool:
    """Whether two names, addresses or paths stand for one checkpoint."""
    return _canonical(first) == _canonical(second)


def with_checkpoint(network: Network, model: str, **reset: Any) -> Network:
    """
    Give settings of a network that name another checkpoint.

    If model is the one that they name already, or '', they come back as they are, so that nothing
    is loaded anew. reset: what the old checkpoint's settings become, beside its sha256.
    """
    if not model or same_checkpoint(model, network.checkpoint):
        return network
    changes = {network.MODEL: _canonical(model), 'sha256': '', **reset}
    return type(network)(**{**dict(network), **changes})


def check_networks(current: CommonSettings, wanted: CommonSettings) -> None:
    """
    Raise BackendError for a checkpoint that is wanted now and plainly cannot be had.

    One is wanted by its name, or by the choice of its backend. A backend that is not chosen needs
    none.
    """
    before, chosen = current.networks, wanted.chosen
    for name, network in wanted.networks.items():
        renamed = network.checkpoint != before[name].checkpoint
        needed = name in chosen or network.checkpoint
        if name not in chosen - current.chosen and not (renamed and needed):
            continue
        try:
            check_network(name, network)
        except BackendError as error:
            raise BackendError(f'{name}.{network.MODEL}: {error}') from error


def _canonical(model: str) -> str:
    known = known_model(model)
    return known.name if known else model
