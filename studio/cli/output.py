"""What a command prints, where somebody may stop reading it, as ``| head`` does."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

CLOSED_PIPE = 141
"""Exit code: 128 + SIGPIPE, as a shell says it of other programs."""


def while_it_is_read(command: Callable[[], int]) -> int:
    """Run a command; its exit code, or `CLOSED_PIPE`, quietly, if nobody reads on."""
    try:
        try:
            return command()
        finally:
            if sys.stdout is not None:  # as it is in a program without a terminal
                sys.stdout.flush()
    except BrokenPipeError:
        _drop_what_is_left()
        return CLOSED_PIPE


def _drop_what_is_left() -> None:
    """Let Python write what is in its buffers to nowhere, or else it would complain at its end."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
