"""What a command prints, where somebody may stop reading it, as ``| head`` does, or a disk is full."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

CLOSED_PIPE = 141
"""Exit code: 128 + SIGPIPE, as a shell says it of other programs."""

NOT_WRITTEN = 74
"""Exit code of output that could not be written, after EX_IOERR of sysexits.h."""


def while_it_is_read(command: Callable[[], int]) -> int:
    """Run a command; its exit code, or quietly `CLOSED_PIPE` if nobody reads on, or `NOT_WRITTEN` with the reason."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed, or a program without a terminal; what it opens must not take its place
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - to the end of the process
    try:
        try:
            return command()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _drop_what_is_left()
        return CLOSED_PIPE
    except OSError as error:
        if _takes_more():
            raise
        _drop_what_is_left()
        print(f"studio: The output cannot be written: {error.strerror or error}.", file=sys.stderr)
        return NOT_WRITTEN


def columns(rows: Sequence[Sequence[str]], *, numbers: bool = False) -> list[str]:
    """Lines of cells, each column as wide as its widest; with `numbers` all but the first are flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    sides = ["<", *[">" if numbers else "<"] * (len(widths) - 1)]
    cells = [[f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True)] for row in rows]
    return ["  ".join(row).rstrip() for row in cells]


def _takes_more() -> bool:
    """Whether stdout can be written to, as it can where something else failed."""
    try:
        print(flush=True)
    except OSError:
        return False
    return True


def _drop_what_is_left() -> None:
    """Let Python write what is in its buffers to nowhere, or else it would complain at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
