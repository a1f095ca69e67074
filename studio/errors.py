"""Errors a person can act on: what happened and what to do next.

A `UserError` is shown as it is: beside the field it names, in the log panel, or as one line on stderr (exit code 2).
Every other exception is a bug: it ends the run, not the application.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class UserError(Exception):
    """Something the person can mend.

    Args:
        title: what happened, a short sentence without a full stop.
        message: the particulars: which file, which value, which limit.
        hint: what to do next.
        field: dotted path of the configuration field at fault, if there is one (``"model.latent_size"``).
    """

    def __init__(self, title: str, message: str = "", hint: str = "", *, field: str = "") -> None:
        super().__init__(title, message, hint)
        self.title = title
        self.message = message
        self.hint = hint
        self.field = field

    def __str__(self) -> str:
        parts = [part.strip() for part in (self.title, self.message, self.hint) if part.strip()]
        text = " ".join(part if part.endswith((".", "!", "?", ":")) else part + "." for part in parts)
        return " ".join(text.split())  # a path or a value may bring line breaks along


def other_version(what: str, place: object, version: int, known: int, *, field: str = "") -> UserError:
    """The error of a file in another form than the one read here; `what` has its verb, as “The queue comes”."""
    newer = version > known
    return UserError(
        f"{what} from {'a newer' if newer else 'an older'} version of the studio",
        f"{place} has version {version}; this studio reads {known}.",
        "Update the studio." if newer else "Open it with the version that wrote it.",
        field=field,
    )


@contextmanager
def reporting(title: str, place: object, hint: str = "", *, field: str = "") -> Iterator[None]:
    """Have what the system refuses within, of a file or folder, be a UserError of that title."""
    try:
        yield
    except OSError as error:
        raise UserError(title, f"{place}: {error.strerror or error}.", hint, field=field) from error


class Cancelled(Exception):  # noqa: N818 - it reports a wish, not a fault
    """The person cancelled a long operation; nothing was kept of it."""
