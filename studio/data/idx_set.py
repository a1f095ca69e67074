"""A training split kept as IDX files: where they lie, and what torchvision calls them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class IdxSet:
    """A training split that is a file of images and a file of labels.

    Attributes:
        torchvision: name of torchvision's class, which is also the name of its folder in the data folder.
        prefix: how the two file names begin.
        count: number of images.
        download_bytes: size of what is downloaded if the files are missing.
        transposed: rows and columns are swapped in the file.
    """

    title: str
    torchvision: str
    prefix: str = "train"
    class_names: tuple[str, ...]
    count: int = 60_000
    download_bytes: int
    transposed: bool = False

    def folder(self, data_root: Path) -> Path:
        return data_root / self.torchvision / "raw"

    def images_file(self, data_root: Path) -> Path:
        return self.folder(data_root) / f"{self.prefix}-images-idx3-ubyte"

    def labels_file(self, data_root: Path) -> Path:
        return self.folder(data_root) / f"{self.prefix}-labels-idx1-ubyte"

    def is_present(self, data_root: Path) -> bool:
        """Whether nothing needs to be downloaded; a folder that may not be entered counts as empty."""
        return os.path.isfile(self.images_file(data_root)) and os.path.isfile(self.labels_file(data_root))
