"""The one place where threads are made: a piece of work beside the window, with progress, cancel and a result."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from studio.progress import Progress

T = TypeVar("T")


class Background(Generic[T]):
    """Runs `work` once in a thread of its own; the watcher polls. What it returns or raises is kept for `result`."""

    def __init__(self, work: Callable[[Progress], T], name: str = "background") -> None:
        self._work = work
        self._latest: tuple[str, float | None] = ("", None)
        self._progress = Progress(self._note)
        self._value: T | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name)

    def start(self) -> Background[T]:
        self._thread.start()
        return self

    @property
    def progress(self) -> tuple[str, float | None]:
        """The newest report: what goes on, and its fraction in 0…1 or None."""
        return self._latest

    @property
    def done(self) -> bool:
        return self._thread.ident is not None and not self._thread.is_alive()

    def cancel(self) -> None:
        self._progress.cancel()

    def join(self, timeout: float | None = None) -> bool:
        self._thread.join(timeout)
        return self.done

    def result(self) -> T:
        """What `work` returned, waiting for it if need be.

        Raises:
            BaseException: what `work` raised, `Cancelled` included.
        """
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # set whenever there is no error

    def _note(self, text: str, fraction: float | None) -> None:
        self._latest = (text, fraction)

    def _run(self) -> None:
        try:
            self._value = self._work(self._progress)
        except BaseException as error:  # handed to whoever asks for the result
            self._error = error
