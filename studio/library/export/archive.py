"""A run as one zip that opens on another machine, and back.

An archive comes from anyone. Its members are plain files below one folder, with names that stay below it on any system;
links, odd names, doubles, and members that unfold to more than they say or to more than a run can need are refused.
So a run whose folder or files have other names is packed under names that are portable.
It is unfolded beside the other runs under a hidden name, looked at, and takes its place only when it is a run.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp

from studio.errors import UserError
from studio.files import whole_file
from studio.library.run_summary import summary_of
from studio.names import composed, file_system_key, is_reserved
from studio.progress import Progress
from studio.training.storage.folder_lock import owner_of

_FORBIDDEN = r"\x00-\x1f<>:\"/\\|?*"
_LONGEST = 200
_ROOM, _NAME_BYTES = 190, 240  # what is given, of a system's 255 bytes; a number may follow
_LONGEST_ENDING = 16
_PLAIN = re.compile(rf"(?!\.)[^{_FORBIDDEN}]{{1,{_LONGEST}}}(?<![. ])")
_MOST_MEMBERS = 50_000
_MOST_PARTS = 5  # of a path, the run's folder included
_MOST_BYTES = 64 * 2**30
_MOST_RATIO = 1000  # of unfolded to packed; tables of numbers reach some ten, blank pictures some hundred
_PIECE = 2**20
_HINT = "Ask for the run again, packed by the studio."


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
    stem = stem[: _ROOM - len(tail)].encode()[: _NAME_BYTES - len(tail.encode())].decode(errors="ignore")
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


def pack(folder: Path, out: Path, progress: Progress | None = None) -> int:
    """Save a run's folder, without links and hidden files, as a zip; how many files. UserError if that cannot be, or
    the run is under way: its files would be of different moments, and its databases torn.
    """
    progress = progress or Progress()
    _ensure_at_rest(folder)
    try:
        files = sorted(path for path in folder.rglob("*") if _is_packed(path, folder))
        size = sum(path.stat().st_size for path in files)
    except OSError as error:
        raise UserError("The run folder cannot be read", f"{error.filename}: {error.strerror or error}.") from error
    if not (folder / "config.json").is_file():
        raise UserError("This is not a run folder", f"{folder} holds no config.json.", "Choose the folder of a run.")
    _ensure_it_can_be_unpacked(folder, files, size)
    top, names = PurePosixPath(portable(os.path.basename(os.path.abspath(folder)))), PortablePaths()
    with whole_file(out) as file:
        stored: set[str] = set()
        while True:  # once, unless something is so blank that its archive would be taken for a bomb
            with zipfile.ZipFile(file, "w", strict_timestamps=False) as archive:
                for place, path in enumerate(files):
                    progress.report(f"Packing {path.name}", place / len(files))
                    name = (top / names.of(path.relative_to(folder))).as_posix()
                    archive.write(path, name, zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED)
            blank = {member.filename for member in archive.infolist() if _unfolds_too_far(member)}
            _ensure_at_rest(folder)
            if not blank:
                return len(files)
            stored |= blank
            file.seek(0)
            file.truncate()


def _ensure_at_rest(folder: Path) -> None:
    said = owner_of(folder)
    if said:
        raise UserError("A run that is under way cannot be packed", f"{folder}: {said}.", "Stop it, or let it end.")


def _ensure_it_can_be_unpacked(folder: Path, files: Sequence[Path], size: int) -> None:
    """What no archive may hold is said at once, and not to whoever gets it; `size` in bytes."""
    deep = next((path for path in files if len(path.relative_to(folder).parts) >= _MOST_PARTS), None)
    reason = ""
    if len(files) > _MOST_MEMBERS:
        reason = f"it holds {len(files):,} files; {_MOST_MEMBERS:,} are possible"
    elif size > _MOST_BYTES:
        reason = f"it holds {size / 1e9:,.0f} GB; {_MOST_BYTES / 1e9:,.0f} GB are possible"
    elif deep is not None:
        reason = f"{deep.relative_to(folder)} lies more than {_MOST_PARTS - 2} folders deep"
    if reason:
        hint = "Move what is not the run's own out of its folder."
        raise UserError("The run is too large for an archive", f"{folder}: {reason}.", hint)


def _unfolds_too_far(member: zipfile.ZipInfo) -> bool:
    return member.file_size > _MOST_RATIO * max(member.compress_size, 1000)


def _is_packed(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    return path.is_file() and not path.is_symlink() and not any(part.startswith(".") for part in parts)


def unpack(archive: Path, root: Path, progress: Progress | None = None) -> Path:
    """Put the run of a zip into a workspace, and return its folder; raises UserError if it is none, or means harm."""
    try:
        with zipfile.ZipFile(archive) as zipped:
            members, name = _checked(zipped)
            root.mkdir(parents=True, exist_ok=True)
            place = Path(mkdtemp(prefix=".unpacking-", dir=root))
            try:
                _unfold(zipped, members, place, progress or Progress())
                return _take_place(place / "run", root, name)
            finally:
                shutil.rmtree(place, ignore_errors=True)
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, zlib.error) as error:
        raise UserError("The archive cannot be opened", f"{archive}: {str(error)[:200]}.", _HINT) from error


def _checked(zipped: zipfile.ZipFile) -> tuple[list[zipfile.ZipInfo], str]:
    """Its files, and the name of the one folder that they are in."""
    members = [member for member in zipped.infolist() if not member.is_dir()]
    if not members or len(members) > _MOST_MEMBERS:
        raise _refused(f"it holds {len(members):,} files")
    seen: set[str] = set()
    for member in members:
        parts = member.filename.split("/")
        mode = member.external_attr >> 16
        if not 2 <= len(parts) <= _MOST_PARTS or not all(map(is_portable, parts)):
            raise _refused(f"{member.filename[:80]!r} is no name for a file of a run")
        if mode and not stat.S_ISREG(mode) and stat.S_IFMT(mode):
            raise _refused(f"{member.filename[:80]!r} is no plain file")
        if file_system_key(member.filename) in seen:
            raise _refused(f"{member.filename[:80]!r} is in it twice")
        seen.add(file_system_key(member.filename))
        if _unfolds_too_far(member):
            raise _refused(f"{member.filename[:80]!r} would unfold to {member.file_size / 1e6:,.0f} MB")
    tops = {member.filename.split("/")[0] for member in members}
    if len(tops) != 1:
        raise _refused("it holds more than one folder")
    total = sum(member.file_size for member in members)
    if total > _MOST_BYTES:
        raise _refused(f"it would unfold to {total / 1e9:,.0f} GB")
    return members, tops.pop()


def _unfold(zipped: zipfile.ZipFile, members: list[zipfile.ZipInfo], place: Path, progress: Progress) -> None:
    total, done = sum(member.file_size for member in members) or 1, 0
    for member in members:
        path = place.joinpath("run", *member.filename.split("/")[1:])
        path.parent.mkdir(parents=True, exist_ok=True)
        left = member.file_size
        with zipped.open(member) as source, path.open("xb") as file:
            while piece := source.read(_PIECE):
                left -= len(piece)
                if left < 0:
                    raise _refused(f"{member.filename[:80]!r} is longer than it says")
                file.write(piece)
                done += len(piece)
                progress.report(f"Unpacking {path.name}", min(1.0, done / total))


def _take_place(run: Path, root: Path, name: str) -> Path:
    fault = summary_of(run).fault
    if fault:
        raise UserError("The archive holds no run that can be opened", fault.replace(f"{run}{os.sep}", ""), _HINT)
    for attempt in range(1, 1000):
        path = root / (name if attempt == 1 else f"{name}-{attempt}")
        if not path.exists():
            run.rename(path)
            return path
    raise _refused("there are a thousand runs of that name already")


def _refused(reason: str) -> UserError:
    return UserError("The archive is refused", f"{reason}.", _HINT)
