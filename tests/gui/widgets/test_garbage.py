import gc
import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from studio.gui.widgets.garbage import GarbageCollector, collect_due

ALLOCATIONS = 20_000  # far past the thresholds at which the interpreter would collect


class Loop:
    """Garbage that only the collector frees, and that notes where this happens."""

    def __init__(self, freed_in: list[int]) -> None:
        self.itself = self
        self.freed_in = freed_in

    def __del__(self) -> None:
        self.freed_in.append(threading.get_ident())


@pytest.fixture
def collector(qtbot: QtBot) -> Iterator[GarbageCollector]:
    collector = GarbageCollector()
    yield collector
    collector.stop()
    gc.disable()  # as everywhere in the tests


def test_that_garbage_of_another_thread_is_freed_on_the_windows_own(qtbot: QtBot, collector: GarbageCollector) -> None:
    freed_in: list[int] = []
    kept: list[list[int]] = []  # what is freed again does not count towards the thresholds

    def allocate() -> None:
        Loop(freed_in)
        kept.extend([] for _ in range(ALLOCATIONS))

    thread = threading.Thread(target=allocate)
    thread.start()
    thread.join()
    assert freed_in == []
    qtbot.waitUntil(lambda: freed_in == [threading.get_ident()])


def test_that_collection_is_automatic_again_once_it_stops(collector: GarbageCollector) -> None:
    assert not gc.isenabled()
    collector.stop()
    assert gc.isenabled()


def test_that_nothing_is_collected_before_it_is_due() -> None:
    freed_in: list[int] = []
    gc.collect()
    Loop(freed_in)
    collect_due()
    assert freed_in == []
    gc.collect()
    assert freed_in == [threading.get_ident()]
