"""``python3 -m tests [pytest's arguments]``: set up on first use, then run pytest on all cores (``-n0``: on one)."""

from __future__ import annotations

import os
import sys

from studio import bootstrap

_MOST = 8
"""Processes; each takes up to a gigabyte."""


def main() -> int:
    """Run pytest in this Python, or hand over to the one that can; pytest's exit code."""
    # Dozens of processes import torch and the studio: with no bytecode kept, compiling takes half of the time.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    bootstrap.start("tests", sys.argv[1:], needs="pytest")
    import pytest

    workers = min(os.cpu_count() or 1, _MOST)
    return int(pytest.main([f"--numprocesses={workers}", "--dist=worksteal", *sys.argv[1:]]))


if __name__ == "__main__":
    sys.exit(main())
