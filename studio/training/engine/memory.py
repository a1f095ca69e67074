"""Telling a full memory from a bug, and giving back memory that nobody uses."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from studio.errors import UserError


def out_of_memory(error: BaseException, hint: str) -> UserError | None:
    """What to tell, with a hint, if `error` means that memory ran out, a RuntimeError of torch's, too; else None."""
    text = str(error)
    if not isinstance(error, MemoryError) and "out of memory" not in text and "can't allocate memory" not in text:
        return None
    return UserError("There is not enough memory", text.splitlines()[0][:200] if text else "", hint)


@contextmanager
def telling_of_shortage(hint: str) -> Iterator[None]:
    """Raise UserError, with a hint, where memory runs out within; all else passes through as it is."""
    try:
        yield
    except (MemoryError, RuntimeError) as found:
        error = out_of_memory(found, hint)
        if error is None:
            raise
        raise error from found


def give_back() -> None:
    """Return what malloc holds free to the system, which glibc by itself does only at the end of its heap.

    Batches of varying size, evaluations and a judge's training leave holes that add up to hundreds of megabytes within
    an hour. Takes some ten milliseconds; does nothing where malloc is another.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
