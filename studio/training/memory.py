"""Telling a full memory from a bug."""

from __future__ import annotations

from studio.errors import UserError


def out_of_memory(error: BaseException, hint: str) -> UserError | None:
    """What to tell the person if `error` means that memory ran out; None if it means something else.

    Args:
        error: as it was caught; torch reports a full memory as a RuntimeError of its own.
        hint: what takes less.
    """
    text = str(error)
    if not isinstance(error, MemoryError) and "out of memory" not in text and "can't allocate memory" not in text:
        return None
    return UserError("There is not enough memory", text.splitlines()[0][:200] if text else "", hint)
