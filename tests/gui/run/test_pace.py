"""How often the window looks at a run, against a clock that the test turns."""

import pytest

from studio.gui.run.mailbox_timer import RefreshRate


@pytest.mark.parametrize(("cost", "expected"), [(0.001, 100), (0.008, 320), (0.1, 500)])
def test_that_looks_take_a_small_share_of_the_time(
    monkeypatch: pytest.MonkeyPatch, cost: float, expected: float
) -> None:
    spent = 0.0
    monkeypatch.setattr("studio.gui.run.mailbox_timer.time.thread_time", lambda: spent)
    pace = RefreshRate(100, 500)
    for _ in range(60):
        spent += cost
        interval = pace.next()
    assert interval == pytest.approx(expected, abs=1)


def test_that_one_long_look_is_soon_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    spent = 0.3
    monkeypatch.setattr("studio.gui.run.mailbox_timer.time.thread_time", lambda: spent)
    pace = RefreshRate(100, 500)
    spent += 0.3
    assert pace.next() == 500
    intervals = []
    for _ in range(20):
        spent += 0.001
        intervals.append(pace.next())
    assert intervals == sorted(intervals, reverse=True)
    assert intervals[-1] == 100
