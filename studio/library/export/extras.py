"""Packages that only some exports need, and what to say where one is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from studio.errors import UserError


@contextmanager
def needed_for(what: str, extra: str) -> Iterator[None]:
    """Import optional packages within for `what`, such as "A video"; UserError, with the extra, if one is missing."""
    try:
        yield
    except ImportError as error:
        raise UserError(
            f"{what} needs a package that is not installed",
            f"{error}.",
            f'Install it: pip install "perturbation-studio[{extra}]".',
        ) from error
