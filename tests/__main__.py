"""``python3 -m tests [pytest's arguments]``: set up on first use, then run pytest on all cores (``-n0``: on one)."""

from __future__ import annotations

import sys

from studio import bootstrap


def main() -> int:
    """Run pytest in this Python, or hand over to the one that can; pytest's exit code."""
    bootstrap.start("tests", sys.argv[1:], needs="pytest")
    import pytest

    return int(pytest.main(["--numprocesses=auto", "--dist=worksteal", *sys.argv[1:]]))


if __name__ == "__main__":
    sys.exit(main())
