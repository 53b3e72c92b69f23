# SPDX-License-Identifier: Apache-2.0
"""Requests that wait: answered in order, whatever comes of them, and the executor sleeps."""

import time
from concurrent.futures import Future

import pytest
from rclpy.node import Node
from spun_node import SpunNode

from vizion3d_interfaces.srv import SaveSnapshot
from vizion3d_ros.contracts.errors import MOST_LETTERS, InputError
from vizion3d_ros.ros.serving.server import QUEUE, ServiceServer

pytestmark = pytest.mark.ros

MANY = 8  # fewer than the responses that a client keeps until it looks


class Office(SpunNode):
    """A server, and a client in a node of its own; jobs end when the test says so."""

    def __init__(self, context):
        super().__init__(context, 'office')
        self.jobs = []
        self.caller = Node('caller', context=context)
        self.executor.add_node(self.caller)
        self.server = ServiceServer(self.node)
        self.server.offer(SaveSnapshot, 'ask', self.begin)
        self.client = self.caller.create_client(SaveSnapshot, 'office/ask')
        self.wait_for(self.client.service_is_ready)

    def begin(self, request):
        self.jobs.append(Future())
        return self.jobs[-1]

    def ask(self, count=1):
        """Send so many requests, wait until the server has them, and give the callers' futures."""
        known = len(self.jobs)
        answers = [self.client.call_async(SaveSnapshot.Request()) for _ in range(count)]
        self.wait_for(lambda: len(self.jobs) == known + count)
        return answers

    def answer_of(self, future):
        self.wait_for(future.done)
        return future.result()

    def close(self):
        super().close()
        self.caller.destroy_node()


@pytest.fixture
def office(context):
    office = Office(context)
    yield office
    office.close()


def good(message=''):
    return SaveSnapshot.Response(success=True, message=message)


def test_jobs_that_end_together_are_answered_in_their_order(office):
    answers = office.ask(MANY)
    for number, job in enumerate(office.jobs):
        job.set_result(good(str(number)))

    def all_done():
        done = [answer.done() for answer in answers]
        assert done == sorted(done, reverse=True), 'a later request was answered before an earlier'
        return all(done)

    office.wait_for(all_done)
    assert [answer.result().message for answer in answers] == [str(n) for n in range(MANY)]


def test_a_job_that_takes_long_holds_nobody_up(office):
    slow, fast = office.ask(2)
    office.jobs[1].set_result(good('fast'))
    assert office.answer_of(fast).message == 'fast'
    assert not slow.done()
    office.jobs[0].set_result(good('slow'))
    assert office.answer_of(slow).message == 'slow'


def test_the_executor_sleeps_while_requests_wait(office):
    office.ask(3)
    for _ in range(20):  # what is left to do
        office.spin_once(0.0)
    turns, until = 0, time.monotonic() + 0.5
    while time.monotonic() < until:
        office.spin_once(0.1)
        turns += 1
    assert turns < 50, 'the executor runs in circles'


def test_a_queue_of_requests_that_come_while_the_executor_is_busy_is_kept(office):
    answers = [office.client.call_async(SaveSnapshot.Request()) for _ in range(QUEUE)]
    office.wait_for(lambda: len(office.jobs) == QUEUE)
    for job, answer in zip(office.jobs, answers):
        job.set_result(good())
        assert office.answer_of(answer).success


def test_an_error_is_told_and_counted(office, package_log):
    first, second, third = office.ask(3)
    office.jobs[0].set_exception(InputError('left_image: is no image'))
    office.jobs[1].set_result(good())
    office.jobs[2].set_exception(ZeroDivisionError('by nought'))
    refused, fine, failed = (office.answer_of(answer) for answer in (first, second, third))
    assert (refused.success, refused.message) == (False, 'left_image: is no image')
    assert fine.success
    assert (failed.success, failed.message) == (False, 'by nought')
    assert office.server.task()[2] == {'answered': 1, 'failed': 2, 'waiting': 0}
    records = {record.levelname: record for record in package_log.records}
    assert records['WARNING'].getMessage() == 'ask refused: left_image: is no image'
    assert records['WARNING'].exc_info is None
    assert records['ERROR'].exc_info, 'a fault of ours must come with its traceback'


def test_a_request_that_cannot_even_begin_is_answered(office):
    def begin(request):
        raise InputError('not today')

    office.server.offer(SaveSnapshot, 'refuse', begin)
    client = office.caller.create_client(SaveSnapshot, 'office/refuse')
    office.wait_for(client.service_is_ready)
    assert office.answer_of(client.call_async(SaveSnapshot.Request())).message == 'not today'


@pytest.mark.parametrize(
    ('text', 'told'),
    [('a \udcff file', 'a ? file'), ('x' * 10**6, 'x' * MOST_LETTERS), ('', 'InputError')],
    ids=['letters that are none', 'endless', 'nothing'],
)
def test_any_message_can_be_sent(office, text, told):
    (answer,) = office.ask()
    office.jobs[0].set_exception(InputError(text))
    assert office.answer_of(answer).message == told


def test_a_response_that_cannot_be_sent_does_not_end_the_node(office, package_log):
    lost, fine = office.ask(2)
    office.jobs[0].set_result('no response at all')
    office.jobs[1].set_result(good())
    assert office.answer_of(fine).success
    assert not lost.done()
    assert any('cannot be sent' in record.getMessage() for record in package_log.records)
