# SPDX-License-Identifier: Apache-2.0
"""Ways of running a network faster than eagerly; each falls back to eager with one log line."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    Maps = tuple[Tensor, ...]
    Run = Callable[[Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]

WARM_UPS = 3  # as the CUDA graph documentation of torch asks for

logger = logging.getLogger(__name__)


def accelerate(network: nn.Module, how: str, device: torch.device) -> Run:
    """Wrap a network of two images; how is off, graph or max."""
    if how == 'graph' and device.type == 'cuda':
        return GraphReplay(network)
    if how == 'graph':
        logger.warning('compile graph needs a GPU, but the device is %s: running eagerly', device)
    if how == 'max':
        return CompiledOrEager(network)
    return network


class GraphReplay:
    """Records one CUDA graph for each input size and replays it, which costs no launches."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._graphs: dict[torch.Size, tuple[torch.cuda.CUDAGraph, Maps, Maps]] = {}
        self._eager = False

    def __call__(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Run; the answers are copies, so that the next replay does not overwrite them."""
        if not self._eager and left.shape not in self._graphs:
            self._record(left, right)
        if self._eager:
            answer: tuple[Tensor, Tensor, Tensor] = self._network(left, right)
            return answer
        graph, inputs, outputs = self._graphs[left.shape]
        inputs[0].copy_(left)
        inputs[1].copy_(right)
        graph.replay()
        disparity, visibility, confidence = (output.clone() for output in outputs)
        return disparity, visibility, confidence

    def _record(self, left: Tensor, right: Tensor) -> None:
        inputs = left.clone(), right.clone()
        side = torch.cuda.Stream(left.device)  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream(left.device))
        try:
            with torch.cuda.stream(side):
                for _ in range(WARM_UPS):
                    self._network(*inputs)
            torch.cuda.current_stream(left.device).wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                outputs = self._network(*inputs)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            logger.warning('no CUDA graph could be recorded, running eagerly: %s', error)
            self._eager = True
            return
        self._graphs[left.shape] = graph, inputs, outputs


class CompiledOrEager:
    """torch.compile with the longest search; eager for good once that fails."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._compiled: Run | None = torch.compile(network, mode='max-autotune')

    def __call__(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Run; the first call of each input size compiles."""
        if self._compiled is not None:
            try:
                maps = self._compiled(left, right)
                return maps[0].clone(), maps[1].clone(), maps[2].clone()
            except torch.OutOfMemoryError:
                raise
            except Exception as error:  # the compiler fails in a hundred ways
                logger.warning('torch.compile failed, running eagerly: %s', error)
                self._compiled = None
        answer: tuple[Tensor, Tensor, Tensor] = self._network(left, right)
        return answer
