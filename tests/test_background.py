"""Work beside the window: its result, its fault, and being asked to stop."""

import threading

import pytest

from studio.background import Background
from studio.errors import Cancelled, UserError
from studio.progress import Progress

DEADLINE_S = 30.0


def test_that_the_result_is_what_the_work_returned() -> None:
    def sums(progress: Progress) -> int:
        progress.report("half", 0.5)
        return 42

    work, done = Background(sums, name="sums"), []
    done.append(work.done)
    assert work.start().result() == 42
    assert [*done, work.done] == [False, True]
    assert work.progress == ("half", 0.5)


@pytest.mark.parametrize("error", [UserError("No room"), ValueError("a bug"), KeyboardInterrupt()])
def test_that_what_the_work_raised_is_raised_to_whoever_asks(error: BaseException) -> None:
    def fail(_: Progress) -> None:
        raise error

    work = Background(fail).start()
    assert work.join(DEADLINE_S)
    with pytest.raises(type(error)):
        work.result()


def test_that_cancelled_work_ends_at_its_next_report() -> None:
    begun, cancelled = threading.Event(), threading.Event()

    def work(progress: Progress) -> None:
        begun.set()
        assert cancelled.wait(DEADLINE_S)
        progress.report("on and on")
        pytest.fail("it went on")

    background = Background(work).start()
    assert begun.wait(DEADLINE_S)
    assert not background.join(0.0)
    background.cancel()
    cancelled.set()
    with pytest.raises(Cancelled):
        background.result()
