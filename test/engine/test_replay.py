# SPDX-License-Identifier: Apache-2.0
"""Ways of running a network: the same answers, whatever the number of tensors in and out."""

import logging
import weakref

import pytest
import torch
from torch import nn

from vizion3d_ros.engine import replay
from vizion3d_ros.engine.replay import CompiledOrEager, GraphReplay, accelerate

CPU = torch.device('cpu')


class Twice(nn.Module):
    """One tensor in, one out."""

    def forward(self, x):
        return 2 * x


class SumAndProduct(nn.Module):
    """Two tensors in, two out."""

    def forward(self, x, y):
        return x + y, x * y


def check(twice, both, device=CPU):
    for size in (2, 3, 2):
        x = torch.arange(float(size), device=device)
        y = x + 5
        (doubled,) = twice(x)
        assert torch.equal(doubled, 2 * x)
        total, product = both(x, y)
        assert torch.equal(total, x + y)
        assert torch.equal(product, x * y)


@pytest.mark.parametrize('how', ['off', 'graph'])
def test_a_network_on_a_cpu_is_run_as_it_is(how):
    check(*(accelerate(network, how, CPU) for network in (Twice(), SumAndProduct())))


def test_a_compiler_that_fails_is_not_asked_again(caplog, monkeypatch):
    calls = []

    def fail(*inputs):
        calls.append(1)
        raise ValueError('no compiler here')

    monkeypatch.setattr(torch, 'compile', lambda network, mode: fail)
    with caplog.at_level(logging.WARNING, 'vizion3d_ros'):
        check(CompiledOrEager(Twice()), CompiledOrEager(SumAndProduct()))
    assert len(calls) == 2  # once for each network
    assert caplog.text.count('no compiler here') == 2


def test_what_a_compiled_network_answers_is_not_overwritten(monkeypatch):
    place = torch.zeros(2)

    def compiled(x):  # as a replayed graph does
        return place.copy_(2 * x)

    monkeypatch.setattr(torch, 'compile', lambda network, mode: compiled)
    run = CompiledOrEager(Twice())
    (first,) = run(torch.ones(2))
    run(torch.full((2,), 7.0))
    assert torch.equal(first, torch.full((2,), 2.0))


def test_lack_of_memory_is_no_fault_of_the_compiler(monkeypatch):
    def starved(*inputs):
        raise torch.OutOfMemoryError('CUDA out of memory')

    monkeypatch.setattr(torch, 'compile', lambda network, mode: starved)
    with pytest.raises(torch.OutOfMemoryError):
        CompiledOrEager(Twice())(torch.ones(2))


needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')


@pytest.mark.gpu
@needs_cuda
def test_graphs_answer_alike_and_are_few(monkeypatch):
    monkeypatch.setattr(replay, 'MOST_GRAPHS', 2)
    kept, record = weakref.WeakSet(), torch.cuda.CUDAGraph

    def recorded():
        graph = record()
        kept.add(graph)
        return graph

    with torch.inference_mode():
        check(GraphReplay(Twice()), GraphReplay(SumAndProduct()), torch.device('cuda'))
        monkeypatch.setattr(torch.cuda, 'CUDAGraph', recorded)
        run = GraphReplay(Twice())
        for size in (1, 2, 3, 4, 1):
            (answer,) = run(torch.ones(size, device='cuda'))
            assert answer.tolist() == [2.0] * size
        assert len(kept) == 2
