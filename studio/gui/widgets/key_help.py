"""What the keys of a widget do, declared beside the code that takes them, so that the list of all cannot go stale."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyHelp:
    """Keys of a kind of widget, which has it as its class attribute ``KEYS``.

    Attributes:
        where: the keyboard must be, such as "In a plot".
        keys: what is done, and by which keys.
    """

    where: str
    keys: tuple[tuple[str, str], ...]
