"""``python3 -m studio``: set up on first use, then the window, or a run without one."""

from __future__ import annotations

import sys

from studio import bootstrap


def main() -> int:
    """Run the studio in this Python, or hand over to the one that can; the exit code."""
    bootstrap.start("studio", sys.argv[1:])
    from studio.cli.main import main as run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
