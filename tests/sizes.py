"""How often a test of chance repeats itself: as often as a check has time for, or as its claim says."""

import pytest


def sizes(slow: int, long: int, timeout_s: int = 1800) -> pytest.MarkDecorator:
    """A test with an argument `count`: `slow` of what it counts under ``-m slow``, `long` of them under ``-m long``.

    Args:
        slow: what a check has time for.
        long: what its claim names.
        timeout_s: seconds that the long one may take.
    """
    marks = [pytest.mark.long, pytest.mark.timeout(timeout_s)]
    return pytest.mark.parametrize(
        "count", [pytest.param(slow, marks=pytest.mark.slow), pytest.param(long, marks=marks)]
    )
