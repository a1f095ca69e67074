"""Torch's threads, and the guard that has fewer of them compute on a busy machine."""

import subprocess
import sys
import time

import pytest
import torch

from studio.training.engine.threads import OtherPrograms, ThreadGuard, use_threads, useful_threads


class Machine:
    """Steps of known duration by number of threads."""

    def __init__(self, most: int, seconds: dict[int, float], *, busy: bool) -> None:
        self.seconds = seconds
        self.threads = most
        self.tried: list[int] = []
        self.guard = ThreadGuard(most, self._apply, lambda: busy)

    def _apply(self, count: int) -> None:
        self.threads = count
        self.tried.append(count)

    def train(self, steps: int) -> list[int]:
        """The numbers of threads that were settled on."""
        return [self.guard.count for _ in range(steps) if self.guard.note(self.seconds[self.threads])]


def test_that_threads_are_set_or_left_to_torch() -> None:
    before = torch.get_num_threads()
    assert use_threads(0) == before
    assert use_threads(2) == torch.get_num_threads() == 2
    use_threads(before)


def test_that_small_examples_are_given_one_thread() -> None:
    assert useful_threads(2) == useful_threads(8 * 8) == 1
    assert useful_threads(28 * 28) == useful_threads(3 * 32 * 32) == 0


def test_that_a_run_on_a_quiet_machine_keeps_its_threads_and_tries_no_others() -> None:
    machine = Machine(2, {2: 0.02, 1: 0.03}, busy=False)
    assert machine.train(5_000) == []
    assert machine.tried == []


def test_that_a_machine_that_is_busy_from_the_start_gets_fewer_threads() -> None:
    machine = Machine(2, {2: 0.3, 1: 0.05}, busy=True)
    assert machine.train(40) == [1]
    assert machine.threads == 1


def test_that_a_busy_machine_with_cores_to_spare_keeps_its_threads() -> None:
    machine = Machine(4, {4: 0.02, 2: 0.03}, busy=True)
    assert machine.train(200) == []
    assert machine.tried == [2, 4]


def test_that_a_machine_that_becomes_busy_gets_fewer_threads_and_all_of_them_when_it_is_quiet_again() -> None:
    machine = Machine(4, {4: 0.02, 2: 0.03, 1: 0.05}, busy=False)
    machine.train(100)
    machine.seconds = {4: 0.4, 2: 0.2, 1: 0.06}
    assert machine.train(30) == [2]
    machine.seconds = {4: 0.4, 2: 0.4, 1: 0.06}  # slower still
    assert machine.train(30) == [1]
    machine.seconds = {4: 0.02, 2: 0.03, 1: 0.05}
    assert machine.train(2_000) == [2, 4]


def test_that_more_threads_are_tried_ever_more_rarely_while_it_brings_nothing() -> None:
    machine = Machine(2, {2: 0.3, 1: 0.05}, busy=True)
    machine.train(40)
    machine.tried.clear()
    machine.train(20_000)  # 1,000 s
    assert 3 <= machine.tried.count(2) <= 8
    assert machine.threads == 1


def test_that_steps_which_are_slow_with_any_number_of_threads_change_nothing_for_good() -> None:
    machine = Machine(2, {2: 0.02, 1: 0.03}, busy=False)
    machine.train(100)
    machine.seconds = {2: 0.1, 1: 0.15}  # batches have become larger
    assert machine.train(2_000) == []
    assert machine.tried == [1, 2]


def test_that_a_single_thread_is_left_alone() -> None:
    machine = Machine(1, {1: 0.02}, busy=True)
    assert machine.train(100) == []
    assert machine.tried == []


@pytest.mark.slow
def test_that_another_program_is_noticed() -> None:
    hog = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        time.sleep(0.2)
        others = OtherPrograms()
        time.sleep(1.0)
        assert others.busy()
    finally:
        hog.kill()
        hog.wait()
