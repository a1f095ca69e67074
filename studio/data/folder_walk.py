"""The files below a folder, in natural order, through links, each folder once."""

from __future__ import annotations

import os
import re
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from studio.data.clutter import is_clutter, is_image, is_no_image, mask_folders, masks_among
from studio.data.example_set import SkippedFile, some
from studio.names import composed, shown_name
from studio.progress import Progress


def natural_key(name: str) -> tuple[object, ...]:
    """Sort key in which numbers count as numbers: ``img2`` comes before ``img10``."""
    name = composed(name)
    pieces = re.split(r"([0-9]+)", name.casefold())
    return tuple(int(piece) if index % 2 else piece for index, piece in enumerate(pieces)), name


def shown_path(path: Path, root: Path) -> str:
    """A path below the folder as text."""
    return shown_name(path.relative_to(root).as_posix())


@dataclass(frozen=True, slots=True)
class Entries:
    """What lies directly in a folder, in natural order: folders, files that may be images, and other files."""

    folders: list[Path]
    files: list[Path]
    others: list[Path]


@dataclass(slots=True)
class FolderWalk:
    """Looks through one folder of images, and notes what could not be entered, with the reason.

    In the order they were met it keeps captions, which are no images by their names, masks, and folders of masks beside
    images.
    """

    root: Path
    progress: Progress
    skipped: list[SkippedFile] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    masks: list[str] = field(default_factory=list)
    mask_folders: list[str] = field(default_factory=list)

    def entries(self, folder: Path) -> Entries:
        """What lies in a folder, but for what systems leave behind or hide; raises OSError if it cannot be read."""
        found = Entries([], [], [])
        with os.scandir(folder) as scanned:
            entries = sorted(
                (entry for entry in scanned if not is_clutter(entry.name)), key=lambda entry: natural_key(entry.name)
            )
        for entry in entries:
            path = Path(entry.path)
            try:
                is_folder = entry.is_dir()
            except OSError as error:  # a link to where nobody may look, or one to itself
                if is_image(entry.name):  # that it cannot be read is told when it is tried
                    found.files.append(path)
                    continue
                self._skip(path, f"a link that cannot be followed ({error.strerror})")
                continue
            (found.folders if is_folder else found.others if is_no_image(entry.name) else found.files).append(path)
        return found

    def files(self, folder: Path) -> dict[Path, list[Path]] | None:
        """The files below a folder that may be images, by the folder that they lie in; None if it leads back.

        Links are followed, after all else, but into no folder a second time, nor to one that the root lies in, so that
        loops end.
        """
        if self._leads_back(folder):
            return None
        found: dict[Path, list[Path]] = {}
        seen: set[tuple[int, int]] = set()
        waiting, links = [folder], deque[Path]()
        while waiting or links:
            self.progress.check()
            place = waiting.pop() if waiting else links.popleft()
            try:
                if not self._is_new(place, seen):
                    continue
                entries = self.entries(place)
            except OSError as error:
                self._skip(place, f"the folder cannot be read ({error.strerror})")
                continue
            folders = self._without_masks(entries)
            links += [inner for inner in folders if inner.is_symlink()]
            waiting += [inner for inner in reversed(folders) if not inner.is_symlink()]
            if kept := self.images(entries):
                found[place] = kept
        return found

    def images(self, entries: Entries) -> list[Path]:
        """The files that are neither captions nor masks; those are noted."""
        masks = masks_among(path.name for path in entries.files)
        self.captions += [shown_path(path, self.root) for path in entries.others]
        self.masks += [shown_path(path, self.root) for path in entries.files if path.name in masks]
        return [path for path in entries.files if path.name not in masks]

    def _without_masks(self, entries: Entries) -> list[Path]:
        """The folders of a class's folder that do not hold masks of the images beside them; those are noted."""
        beside = ["images"] if entries.files else []
        masks = mask_folders([*beside, *(path.name for path in entries.folders)])
        self.mask_folders += [shown_path(path, self.root) for path in entries.folders if path.name in masks]
        return [path for path in entries.folders if path.name not in masks]

    def notes(self) -> tuple[str, ...]:
        """What was left out by its name, in one sentence."""
        parts = [
            f"{len(names):,} {one if len(names) == 1 else many} ({some(names)})"
            for names, one, many in (
                (self.captions, "file that is no image", "files that are no images"),
                (self.masks, "mask of an image", "masks of images"),
                (self.mask_folders, "folder of masks", "folders of masks"),
            )
            if names
        ]
        return (f"Left out by name: {' and '.join(parts)}.",) if parts else ()

    def _leads_back(self, folder: Path) -> bool:
        back = folder != self.root and folder.is_symlink() and self.root.resolve().is_relative_to(folder.resolve())
        if back:
            self._skip(folder, "a link back to the folder it lies in")
        return back

    def _is_new(self, folder: Path, seen: set[tuple[int, int]]) -> bool:
        if self._leads_back(folder):
            return False
        status = folder.stat()
        identity = (status.st_dev, status.st_ino)
        if identity in seen:
            self._skip(folder, "a link to a folder of this class, which is read once")
            return False
        seen.add(identity)
        return True

    def _skip(self, path: Path, reason: str) -> None:
        self.skipped.append(SkippedFile(path=shown_path(path, self.root), reason=reason))
