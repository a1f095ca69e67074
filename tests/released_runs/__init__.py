"""A small run of every released version, as `studio export --zip` packed it.

Later versions must open, resume, compare and export each of them: tests/library/test_released_runs.py. Before a
release, ``python -m tests.released_runs`` writes the one of the present version; it stays as it is from then on.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
RUNS = sorted(FOLDER.glob("*.zip"))
