"""Memory that nobody uses goes back to the system."""

import sys

import numpy as np
import psutil
import pytest

from studio.training.engine.memory import give_back

CHUNK, CHUNKS = 64_000, 2_000


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="malloc is another there")
def test_that_holes_between_what_is_kept_are_given_back() -> None:
    process = psutil.Process()
    chunks = [np.ones(CHUNK, dtype=np.uint8) for _ in range(CHUNKS)]
    kept = chunks[::50]
    del chunks
    before = process.memory_info().rss
    give_back()
    assert before - process.memory_info().rss > CHUNK * CHUNKS // 2
    assert all(chunk.all() for chunk in kept)
