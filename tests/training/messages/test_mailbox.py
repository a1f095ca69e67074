"""What the mailbox keeps for a watcher that comes late, and what it lets go."""

import threading

import pytest

from studio.training.messages.commands import Pause, Resume, Stop
from studio.training.messages.events import Logged, Paused
from studio.training.messages.mailbox import Mailbox
from studio.training.messages.snapshot import Snapshot


def point(step: int) -> Logged:
    return Logged(step=step, seconds=0.0, values={})


def snapshot(step: int) -> Snapshot:
    return Snapshot(step=step, revision=0, seconds=0, epoch=0, examples=0, steps_per_second=0, examples_per_second=0)


def test_that_the_oldest_log_points_give_way_and_are_counted() -> None:
    mailbox = Mailbox(capacity=3)
    for step in range(10):
        mailbox.post(point(step))
    events, dropped = mailbox.events()
    assert [event.step for event in events if isinstance(event, Logged)] == [7, 8, 9]
    assert dropped == 7
    mailbox.post(point(10))
    assert mailbox.events() == ([point(10)], 0)


def test_that_only_log_points_are_ever_dropped() -> None:
    mailbox = Mailbox(capacity=2)
    for step in range(20):
        mailbox.post(Paused(step=step))
        mailbox.post(point(step))
    events, dropped = mailbox.events()
    assert [event.step for event in events if isinstance(event, Paused)] == list(range(20))
    assert [event.step for event in events if isinstance(event, Logged)] == [18, 19]
    assert events[-1] == point(19)
    assert dropped == 18


def test_that_events_are_handed_out_once_in_order() -> None:
    mailbox = Mailbox()
    mailbox.post(point(1))
    mailbox.post(Paused(step=1))
    assert mailbox.events() == ([point(1), Paused(step=1)], 0)
    assert mailbox.events() == ([], 0)


def test_that_the_newest_snapshot_wins_and_is_handed_out_once() -> None:
    mailbox, wanted = Mailbox(), []
    wanted.append(mailbox.snapshot_wanted)
    mailbox.offer(snapshot(1))
    mailbox.offer(snapshot(2))
    wanted.append(mailbox.snapshot_wanted)
    taken = mailbox.take_snapshot()
    assert taken.step == 2
    assert mailbox.take_snapshot() is None
    assert [*wanted, mailbox.snapshot_wanted] == [True, False, True]


def test_that_commands_come_in_order_and_all_at_once() -> None:
    mailbox = Mailbox()
    for command in (Pause(), Resume(), Stop()):
        mailbox.send(command)
    assert mailbox.commands() == [Pause(), Resume(), Stop()]
    assert mailbox.commands() == []
    assert mailbox.commands(wait=0.001) == []


@pytest.mark.timeout(20)
def test_that_a_command_wakes_a_run_that_waits() -> None:
    mailbox = Mailbox()
    sender = threading.Thread(target=mailbox.send, args=(Resume(),))
    sender.start()
    assert mailbox.commands(wait=15) == [Resume()]
    sender.join()
