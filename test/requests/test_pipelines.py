# SPDX-License-Identifier: Apache-2.0
"""Which pipeline runs a command: made once, one thread at a time, different ones side by side."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from known_answers import noise

from vizion3d_ros.contracts.camera import StereoRig
from vizion3d_ros.contracts.commands import StereoCommand
from vizion3d_ros.contracts.settings.stereo_settings import S2m2Settings, StereoSettings
from vizion3d_ros.requests.pipelines import ServicePipelines, SharedPipelines

PATIENCE_S = 30.0
RIG = StereoRig.from_field_of_view(8, 4, hfov_deg=60, baseline_m=0.1)
IMAGE = noise(4, 8)


def command(device='cpu', model=''):
    """A command for a checkpoint, '' for a matcher without."""
    settings = StereoSettings(device=device)
    if model:
        network = S2m2Settings(model_backend=model)
        settings = StereoSettings(device=device, backend='s2m2', s2m2=network)
    return StereoCommand(left=IMAGE, right=IMAGE, rig=RIG, settings=settings)


class Counted:
    """A pipeline that gives itself as the result, after `work`."""

    made = 0

    def __init__(self, device, work=lambda: None):
        type(self).made += 1
        self.device, self.work, self.users, self.most = device, work, 0, 0

    def run(self, command):
        self.users += 1
        self.most = max(self.most, self.users)
        try:
            self.work()
        finally:
            self.users -= 1
        return self


@pytest.fixture(autouse=True)
def none_made():
    Counted.made = 0


def shared(work=lambda: None):
    return SharedPipelines(lambda device: Counted(device, work))


# --- of a process ----------------------------------------------------------------------------


def test_one_pipeline_per_device_and_model():
    pipelines, seen = shared(), []
    for device, model in (('cpu', 'a'), ('cpu', 'b'), ('cuda:0', 'a'), ('cpu', ''), ('cpu', 'a')):
        seen.append(pipelines.run(command(device, model)))
        assert seen[-1].device == device
    assert Counted.made == 4
    assert seen[4] is seen[0]


def test_threads_take_turns_with_one_pipeline():
    start = threading.Barrier(8)
    # Long enough for others to come in, if they could.
    pipelines = shared(lambda: threading.Event().wait(0.001))

    def work(_):
        start.wait(PATIENCE_S)
        for _ in range(5):
            pipeline = pipelines.run(command(model='a'))
        return pipeline.most

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(work, range(8))) == [1] * 8
    assert Counted.made == 1


def test_different_pipelines_run_side_by_side():
    meeting = threading.Barrier(2)
    pipelines = shared(lambda: meeting.wait(PATIENCE_S))  # breaks unless both are inside
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda model: pipelines.run(command(model=model)), 'ab'))


def test_a_pipeline_is_free_again_after_a_failure():
    failures = [RuntimeError('of the matcher')]

    def fail_once():
        if failures:
            raise failures.pop()

    pipelines = shared(fail_once)
    with pytest.raises(RuntimeError, match='of the matcher'):
        pipelines.run(command(model='a'))
    with ThreadPoolExecutor(1) as threads:
        other = threads.submit(pipelines.run, command(model='a'))
        assert other.result(PATIENCE_S).device == 'cpu'
    assert Counted.made == 1


# --- of a service ----------------------------------------------------------------------------


def test_a_service_runs_what_it_has_on_its_own_pipeline():
    own = Counted('cpu')
    pipelines = ServicePipelines(own)
    for model in ('', 'own.pth'):
        assert pipelines.run(command(model=model), 'own.pth') is own
    assert Counted.made == 1


def test_another_checkpoint_gets_a_pipeline_beside_the_services_own_and_the_last_one_stays():
    own = Counted('cuda:1')
    pipelines = ServicePipelines(own)
    first = pipelines.run(command(model='a'), 'own.pth')
    assert first is not own and first.device == 'cuda:1'
    assert pipelines.run(command(model='own.pth'), 'own.pth') is own
    assert pipelines.run(command(model='a'), 'own.pth') is first
    second = pipelines.run(command(model='b'), 'own.pth')
    assert second not in (own, first)
    assert pipelines.run(command(model='a'), 'own.pth') not in (first, second)


def test_a_checkpoint_that_becomes_the_services_own_is_run_by_its_own_pipeline():
    own = Counted('cpu')
    pipelines = ServicePipelines(own)
    assert pipelines.run(command(model='a'), '') is not own
    assert pipelines.run(command(model='a'), 'a') is own


def test_after_a_pipeline_that_cannot_be_made_the_next_request_tries_again():
    class Failing(Counted):
        def __init__(self, device):
            if failures and Counted.made:
                raise failures.pop()
            Counted.made += 1
            super().__init__(device)

    failures = [RuntimeError('no memory')]
    own = Failing('cpu')
    pipelines = ServicePipelines(own)
    with pytest.raises(RuntimeError, match='no memory'):
        pipelines.run(command(model='a'), '')
    assert pipelines.run(command(model='a'), '') is not own
