"""Which files of a folder belong to which class: one class per sub-folder, named after it.

Where no two sub-folders do, a file ``labels.csv`` names the classes of images anywhere in the folder. Without it, and
without a file in a sub-folder, the files of the folder itself are images without labels: one class of them all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from studio.data.clutter import is_no_image
from studio.data.example_set import SkippedFile, some
from studio.data.folder_level import BetterLevel, better_level
from studio.data.folder_walk import Entries, FolderWalk, natural_key, shown_path
from studio.data.label_table import is_label_table, read_labels
from studio.errors import UserError
from studio.names import shown_name
from studio.progress import Progress

__all__ = ["ALL_IMAGES", "ClassFolder", "FolderListing", "natural_key", "scan_folder"]

ALL_IMAGES = "all images"
"""Name of the one class of images without labels."""
_LAYOUT = (
    "Put the images of each class into a sub-folder of its own, named after the class, and choose the folder above; "
    "or choose a folder of images without classes."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFolder:
    """All files in a class's sub-folder, or of `ALL_IMAGES`, at any depth, in natural order; some may be no images."""

    name: str
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderListing:
    """What lies in a folder of images.

    Attributes:
        classes: one at least, in natural order (``class 2`` before ``class 10``); some may have no file, but not all.
        skipped: sub-folders that could not be entered.
        loose: files beside the sub-folders, which belong to no class.
        notes: what else was left out or decided, each a sentence.
        better: folders that look more like what is wanted.
        unlabelled: files in a sub-folder of that name, beside classes; or whose class a table does not tell.
    """

    root: Path
    classes: tuple[ClassFolder, ...]
    skipped: tuple[SkippedFile, ...]
    loose: tuple[Path, ...]
    notes: tuple[str, ...]
    better: BetterLevel | None
    unlabelled: tuple[Path, ...] = ()

    @property
    def count(self) -> int:
        return sum(len(folder.files) for folder in self.classes) + len(self.unlabelled)

    @property
    def loose_images(self) -> bool:
        """Whether there are files beside the sub-folders that may be images."""
        return any(not is_no_image(path.name) for path in self.loose)

    @property
    def names(self) -> tuple[str, ...]:
        """Each file in classes as it is shown, all different; a file's number is its place here."""
        names: dict[str, None] = {}
        for path in (path for folder in self.classes for path in folder.files):
            name = shown_path(path, self.root)
            while name in names:  # the same letters in another spelling
                name += "′"
            names[name] = None
        return tuple(names)


def scan_folder(path: str, progress: Progress, *, flat: bool = False) -> FolderListing:
    """List the classes of a folder and their files, without opening any.

    What systems leave behind, captions and masks are left out. Links to files and folders are followed, but to no
    folder twice within a class, nor to one that the folder itself lies in. `flat` takes the images beside the
    sub-folders though these hold files, too. Raises UserError if the folder cannot be read, or there is no file in it.
    """
    root = _root(path)
    walk = FolderWalk(root, progress)
    try:
        entries = walk.entries(root)
    except OSError as error:
        raise _error("The folder cannot be read", f"{root}: {error.strerror or error}.") from error
    found = {}
    for folder in entries.folders:
        progress.report(f"Looking through {shown_name(folder.name)}")
        if (files := walk.files(folder)) is not None:
            found[folder] = files
    better = better_level(found)
    classes, doubles = _classes(found)
    several = better is None and sum(bool(each.files) for each in classes if not _no_label(each)) > 1
    table = next((path for path in entries.others if is_label_table(path)), None)
    if table is not None and not several and (entries.files or any(found.values())):
        return _by_table(table, FolderWalk(root, progress))
    if flat or not any(found.values()):
        return _flat(walk, entries, [shown_name(folder.name) for folder, places in found.items() if places])
    unlabelled: tuple[Path, ...] = ()
    if several:
        unlabelled = tuple(path for each in classes if _no_label(each) for path in each.files)
        classes = tuple(each for each in classes if not _no_label(each))
    advice = (better.advice,) if better else ()
    unread = (f"{table.name} is not read: the sub-folders are classes.",) if table else ()
    return FolderListing(
        root=root,
        classes=classes,
        skipped=tuple(walk.skipped),
        loose=(*entries.files, *entries.others),
        notes=(*advice, *doubles, *unread, *_told(unlabelled), *walk.notes()),
        better=better,
        unlabelled=unlabelled,
    )


def _by_table(table: Path, walk: FolderWalk) -> FolderListing:
    """The images anywhere in the folder, by the classes that its table gives them."""
    places = walk.files(walk.root) or {}
    walk.captions.remove(shown_path(table, walk.root))
    files = [path for paths in places.values() for path in paths]
    labels = read_labels(table, [shown_path(path, walk.root) for path in files], walk.progress)
    of: dict[str | None, list[Path]] = {}
    for path, label in zip(files, labels, strict=True):
        of.setdefault(label, []).append(path)
    unlabelled = tuple(of.pop(None, ()))
    rest = f"; only conditional models learn from the other {len(unlabelled):,}" if unlabelled else ""
    told = f"{table.name} tells the class of {len(files) - len(unlabelled):,} of {len(files):,} files{rest}."
    names = sorted((label for label in of if label is not None), key=natural_key)
    return FolderListing(
        root=walk.root,
        classes=tuple(ClassFolder(name=name, files=tuple(of[name])) for name in names),
        skipped=tuple(walk.skipped),
        loose=(),
        notes=(told, *walk.notes()),
        better=None,
        unlabelled=unlabelled,
    )


def _told(unlabelled: tuple[Path, ...]) -> tuple[str, ...]:
    count = len(unlabelled)
    return (
        (f"{count:,} files in “unlabelled” are of no class: only conditional models learn from them.",) if count else ()
    )


def _no_label(folder: ClassFolder) -> bool:
    return re.fullmatch(r"unlabell?ed", folder.name.lower()) is not None


def _classes(found: Mapping[Path, Mapping[Path, list[Path]]]) -> tuple[tuple[ClassFolder, ...], tuple[str, ...]]:
    """A class for each name, and what to say of names that two folders have."""
    files: dict[str, list[Path]] = {}
    doubles = []
    for folder, places in found.items():
        name = shown_name(folder.name)
        if name in files:
            doubles.append(f"Two folders are called “{name}”, spelt in two ways; they are one class.")
        files.setdefault(name, []).extend(path for paths in places.values() for path in paths)
    return tuple(ClassFolder(name=name, files=tuple(paths)) for name, paths in files.items()), tuple(doubles)


def _flat(walk: FolderWalk, entries: Entries, within: list[str]) -> FolderListing:
    """The images beside the sub-folders, of which some have files, as one class."""
    within = list(dict.fromkeys([*within, *(name.partition("/")[0] for name in walk.captions)]))
    images = walk.images(entries)
    if not images:
        message = " ".join((f"There is no image in {walk.root}.", *walk.notes()))
        raise _error("The folder holds no images", message, _LAYOUT)
    note = f"No image was found in the sub-folders ({some(within)}); those beside them are read, as one class."
    return FolderListing(
        root=walk.root,
        classes=(ClassFolder(name=ALL_IMAGES, files=tuple(images)),),
        skipped=tuple(walk.skipped),
        loose=(),
        notes=(*((note,) if within else ()), *walk.notes()),
        better=None,
    )


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


def _error(title: str, message: str, hint: str = "Choose another folder, or mend this one.") -> UserError:
    return UserError(title, message, hint, field="dataset.path")
