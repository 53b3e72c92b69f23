# SPDX-License-Identifier: Apache-2.0
"""Ways of running a network faster than eagerly; each falls back to eager with one log line."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from typing import TYPE_CHECKING

import torch

from vizion3d_ros.engine.loading import loading

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    Maps = tuple[Tensor, ...]
    Run = Callable[..., Maps]
    Recording = tuple[torch.cuda.CUDAGraph, Maps, Maps]

WARM_UPS = 3  # as the CUDA graph documentation of torch asks for
MOST_GRAPHS = 4  # each keeps the memory of a whole run, and the position tables it reads

logger = logging.getLogger(__name__)


def accelerate(network: nn.Module, how: str, device: torch.device) -> Run:
    """
    Make a function of tensors that answers a tuple of tensors, of any shape the network knows.

    how: off, graph (a CUDA graph for each input size) or max (torch.compile).
    """
    if how == 'graph' and device.type == 'cuda':
        return GraphReplay(network)
    if how == 'graph':
        logger.warning('compile graph needs a GPU, but the device is %s: running eagerly', device)
    if how == 'max':
        return CompiledOrEager(network)
    return Eager(network)


class Eager:
    """The network as it is."""

    def __init__(self, network: Callable[..., Tensor | Maps]) -> None:
        self._network = network

    def __call__(self, *inputs: Tensor) -> Maps:
        """Run; a single answer becomes a tuple of one."""
        answer = self._network(*inputs)
        return answer if isinstance(answer, tuple) else (answer,)


class GraphReplay:
    """Records one CUDA graph for each input size and replays it, which costs no launches."""

    def __init__(self, network: nn.Module) -> None:
        self._run = Eager(network)
        self._graphs: dict[tuple[torch.Size, ...], Recording] = {}
        self._eager = False

    def __call__(self, *inputs: Tensor) -> Maps:
        """Run; the answers are copies, so that the next replay does not overwrite them."""
        shapes = tuple(x.shape for x in inputs)
        if not self._eager and shapes not in self._graphs:
            self._record(shapes, inputs)
        if self._eager:
            return self._run(*inputs)
        graph, places, outputs = self._graphs[shapes]
        for place, x in zip(places, inputs):
            place.copy_(x)
        graph.replay()
        return tuple(output.clone() for output in outputs)

    def _record(self, shapes: tuple[torch.Size, ...], inputs: Maps) -> None:
        device = inputs[0].device
        self._make_room(device)
        places = tuple(x.clone() for x in inputs)
        side = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream(device))
        try:
            with torch.cuda.stream(side):
                for _ in range(WARM_UPS):
                    self._run(*places)
            torch.cuda.current_stream(device).wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=side):
                outputs = self._run(*places)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            logger.warning('no CUDA graph could be recorded, running eagerly: %s', error)
            self._eager = True
            return
        self._graphs[shapes] = graph, places, outputs

    def _make_room(self, device: torch.device) -> None:
        """Let go of the oldest recording once it has come to its end."""
        if len(self._graphs) == MOST_GRAPHS:
            torch.cuda.synchronize(device)
            del self._graphs[next(iter(self._graphs))]


class CompiledOrEager:
    """torch.compile with the longest search; eager for good once that fails."""

    def __init__(self, network: nn.Module) -> None:
        self._run = Eager(network)
        self._compiled: Run | None = Eager(torch.compile(network, mode='max-autotune'))
        self._seen: set[tuple[torch.Size, ...]] = set()

    def __call__(self, *inputs: Tensor) -> Maps:
        """Run; the first call of each input size compiles."""
        if self._compiled is not None:
            try:
                return self._run_compiled(self._compiled, inputs)
            except torch.OutOfMemoryError:
                raise
            except Exception as error:  # the compiler fails in a hundred ways
                logger.warning('torch.compile failed, running eagerly: %s', error)
                self._compiled = None
        return self._run(*inputs)

    def _run_compiled(self, compiled: Run, inputs: Maps) -> Maps:
        shapes = tuple(x.shape for x in inputs)
        with nullcontext() if shapes in self._seen else loading():
            outputs = tuple(output.clone() for output in compiled(*inputs))
        self._seen.add(shapes)
        return outputs
