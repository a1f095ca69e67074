"""The images of one folder as squares, all on one scale of pixel values, and what was seen on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from studio.data.depth import WHITES, Depth, DepthTally
from studio.data.example_set import SkippedFile, some
from studio.data.folder_walk import shown_path
from studio.data.picture import Square, UnreadableError, read_picture
from studio.errors import UserError
from studio.progress import Progress


@dataclass(slots=True)
class FolderReading:
    """Reads images into places of an array, each a square; what could not be read is `skipped`."""

    root: Path
    square: Square
    skipped: list[SkippedFile] = field(default_factory=list)
    _tally: DepthTally = field(default_factory=DepthTally)
    _deep: dict[Depth, list[tuple[Path, NDArray[np.uint8]]]] = field(default_factory=dict)
    _several: list[str] = field(default_factory=list)
    _odd_profiles: list[str] = field(default_factory=list)

    def read(self, path: Path, into: NDArray[np.uint8]) -> bool:
        """Read one image into its place, shape (size, size, 1 or 3), which is kept until `settle`; whether it could be
        read.

        For now with the white that its kind of file has.
        """
        try:
            picture = read_picture(path, self.square)
        except UnreadableError as error:
            self.skipped.append(SkippedFile(path=shown_path(path, self.root), reason=str(error)))
            return False
        into[...] = picture.pixels
        if picture.depth is not None:
            self._tally.add(picture.depth, picture.extent)
            self._deep.setdefault(picture.depth, []).append((path, into))
        if picture.several:
            self._several.append(shown_path(path, self.root))
        if picture.odd_profile:
            self._odd_profiles.append(shown_path(path, self.root))
        return True

    def settle(self, progress: Progress) -> tuple[str, ...]:
        """Read images again whose white turned out to be another, now that all were seen; what was decided, in
        sentences.

        Raises UserError if an image cannot be read any more.
        """
        whites = self._tally.whites()
        for depth, white in whites.items():
            for place, (path, into) in enumerate(self._deep[depth] if white != WHITES[depth] else ()):
                progress.report("Reading deep images on one scale", place / len(self._deep[depth]))
                try:
                    into[...] = read_picture(path, self.square, whites).pixels
                except UnreadableError as error:
                    raise UserError(
                        "The folder changed while it was read",
                        f"{shown_path(path, self.root)} cannot be read any more: {error}.",
                        "Load it again.",
                        field="dataset.path",
                    ) from error
        return (*self._tally.lines(), *self._told())

    def _told(self) -> tuple[str, ...]:
        found = []
        if names := self._several:
            found.append(f"Only the first image is read of files that hold several: {len(names):,} ({some(names)}).")
        if names := self._odd_profiles:
            found.append(f"Colours whose profile cannot be used are taken for sRGB: {len(names):,} ({some(names)}).")
        return tuple(found)
