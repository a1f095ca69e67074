"""Names that a file may have on every system, and those that files get which have others."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from studio.names import composed, file_system_key, is_reserved

_FORBIDDEN = r"\x00-\x1f<>:\"/\\|?*"
_LONGEST = 200
_ROOM, _MOST_BYTES = 190, 240  # what is given, of a system's 255 bytes; a number may follow
_LONGEST_ENDING = 16
_PLAIN = re.compile(rf"(?!\.)[^{_FORBIDDEN}]{{1,{_LONGEST}}}(?<![. ])")


def is_portable(name: str) -> bool:
    """Whether any system takes a file of that name."""
    return _PLAIN.fullmatch(name) is not None and not is_reserved(name)


def portable(name: str) -> str:
    """The name, or where it is not portable one that is and looks like it."""
    plain = composed(name.encode(errors="replace").decode())  # bytes that are no Unicode become question marks
    plain = re.sub(rf"[{_FORBIDDEN}]", "-", plain).lstrip(".").rstrip(". ")
    stem, dot, ending = plain.rpartition(".")
    if not stem or len(ending) > _LONGEST_ENDING:
        stem, dot, ending = plain, "", ""
    tail = dot + ending
    stem = stem[: _ROOM - len(tail)].encode()[: _MOST_BYTES - len(tail.encode())].decode(errors="ignore")
    plain = stem.rstrip(". ") + tail
    return plain if is_portable(plain) else f"_{plain}"


class PortablePaths:
    """Gives the files below a folder paths that are portable, and that no system takes for one another."""

    def __init__(self) -> None:
        self._given: dict[PurePosixPath, PurePosixPath] = {PurePosixPath(): PurePosixPath()}
        self._taken: set[str] = set()

    def of(self, path: Path) -> PurePosixPath:
        return self._of(PurePosixPath(path.as_posix()))

    def _of(self, path: PurePosixPath) -> PurePosixPath:
        if path not in self._given:
            within, name, number = self._of(path.parent), portable(path.name), 1
            found = within / name
            while file_system_key(str(found)) in self._taken:
                number += 1
                stem, _, ending = name.rpartition(".")
                found = within / (f"{stem}-{number}.{ending}" if stem else f"{name}-{number}")
            self._taken.add(file_system_key(str(found)))
            self._given[path] = found
        return self._given[path]
