"""Which files of a folder belong to which class: one class per sub-folder, named after it.

Where no sub-folder holds a file, the files of the folder itself are images without labels: one class of them all.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from studio.data.image_set import SkippedFile
from studio.data.names import composed
from studio.errors import UserError
from studio.progress import Progress

_CLUTTER = frozenset({"thumbs.db", "desktop.ini", "__macosx"})
ALL_IMAGES = "all images"
"""Name of the one class of images without labels."""
_LAYOUT = (
    "Put the images of each class into a sub-folder of its own, named after the class, and choose the folder above; "
    "or choose a folder of images without classes."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFolder:
    """The files of one class.

    Attributes:
        name: what the sub-folder is called; `ALL_IMAGES` where there is none.
        files: all files in it, at any depth, in natural order; whether they are images is not known yet.
    """

    name: str
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderListing:
    """What lies in a folder of images.

    Attributes:
        root: the folder.
        classes: one at least, in natural order (``class 2`` before ``class 10``); some may have no file, but not all.
        skipped: sub-folders that could not be entered.
        loose_files: number of files beside the sub-folders, which belong to no class.
    """

    root: Path
    classes: tuple[ClassFolder, ...]
    skipped: tuple[SkippedFile, ...]
    loose_files: int

    @property
    def count(self) -> int:
        """Number of files in classes."""
        return sum(len(folder.files) for folder in self.classes)


def natural_key(name: str) -> tuple[object, ...]:
    """Sort key in which numbers count as numbers: ``img2`` comes before ``img10``."""
    pieces = re.split(r"([0-9]+)", name.casefold())
    return tuple(int(piece) if index % 2 else piece for index, piece in enumerate(pieces)), name


def shown_path(path: Path, root: Path) -> str:
    """A path below the folder as text that can be shown, saved and compared, whatever bytes its name has."""
    return composed(os.fsencode(path.relative_to(root).as_posix()).decode("utf-8", "backslashreplace"))


def scan_folder(path: str, progress: Progress) -> FolderListing:
    """List the classes of a folder and their files, without opening any.

    Hidden files and folders are left out. Links to files are followed, and so are links to folders at the top, where
    they stand for classes kept elsewhere; none further down, so that a loop of links ends.

    Args:
        path: the folder; ``~`` is the home folder.
        progress: told each class; may cancel.

    Raises:
        UserError: there is no such folder, it cannot be read, or there is no file in it.
        Cancelled: the person cancelled.
    """
    root = _root(path)
    skipped: list[SkippedFile] = []
    classes: list[ClassFolder] = []
    folders, loose = _entries(root)
    for entry in folders:
        if entry.is_symlink() and root.resolve().is_relative_to(entry.resolve()):
            skipped.append(SkippedFile(path=shown_path(entry, root), reason="a link back to the folder it lies in"))
        else:
            progress.report(f"Looking through {shown_path(entry, root)}")
            files = _files(entry, root, skipped, progress)
            classes.append(ClassFolder(name=shown_path(entry, root), files=files))
    if not any(folder.files for folder in classes):
        if not loose:
            raise _error("The folder holds no images", f"There is no file in {root}.", _LAYOUT)
        classes, loose = [ClassFolder(name=ALL_IMAGES, files=loose)], ()
    return FolderListing(root=root, classes=tuple(classes), skipped=tuple(skipped), loose_files=len(loose))


def _root(path: str) -> Path:
    if not path.strip():
        raise _error("No folder is chosen", "", f"{_LAYOUT} On the command line, add --set dataset.path=FOLDER.")
    try:
        root = Path(path).expanduser().absolute()
        if not root.exists():
            raise _error("The folder does not exist", f"{root}.", "Choose another, or connect the drive it is on.")
        if not root.is_dir():
            raise _error("This is not a folder", f"{root}.", _LAYOUT)
    except (OSError, ValueError, RuntimeError) as error:  # a null character, a name too long, an unknown ~person
        raise _error("The folder cannot be read", f"{path!r}: {error}.") from error
    return root


def _entries(root: Path) -> tuple[list[Path], tuple[Path, ...]]:
    """Sub-folders and the files beside them, each in natural order."""
    try:
        entries = [entry for entry in root.iterdir() if not _is_hidden(entry.name)]
        entries.sort(key=lambda entry: natural_key(entry.name))
        folders: list[Path] = []
        files: list[Path] = []
        for entry in entries:
            (folders if entry.is_dir() else files).append(entry)
    except OSError as error:
        raise _error("The folder cannot be read", f"{root}: {error.strerror or error}.") from error
    return folders, tuple(files)


def _files(folder: Path, root: Path, skipped: list[SkippedFile], progress: Progress) -> tuple[Path, ...]:
    def refused(error: OSError) -> None:
        place = shown_path(Path(error.filename), root)
        skipped.append(SkippedFile(path=place, reason=f"the folder cannot be read ({error.strerror})"))

    found: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=refused, followlinks=False):
        progress.check()
        folders[:] = sorted((name for name in folders if not _is_hidden(name)), key=natural_key)
        found += [Path(place, name) for name in sorted(names, key=natural_key) if not _is_hidden(name)]
    return tuple(found)


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.casefold() in _CLUTTER


def _error(title: str, message: str, hint: str = "Choose another folder, or mend this one.") -> UserError:
    return UserError(title, message, hint, field="dataset.path")
