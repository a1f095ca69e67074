"""Folders of images on disk, for tests."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.data.catalog import load_dataset
from studio.data.folder import FolderConfig
from studio.data.image_set import ImageSet


def loaded(root: Path, **fields: object) -> ImageSet:
    """The images of a folder, with these settings."""
    found = load_dataset(FolderConfig.model_validate({"path": str(root), **fields}), root)
    assert isinstance(found, ImageSet)
    return found


def write_image(path: Path, colour: tuple[int, int, int] = (200, 30, 30), size: tuple[int, int] = (12, 12)) -> Path:
    """A PNG of one colour; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


def write_image_folder(root: Path, classes: int = 3, per_class: int = 4, size: int = 12, seed: int = 0) -> Path:
    """Noisy PNGs in sub-folders ``class 1``, ``class 2``, …, each class of another colour; returns the folder."""
    rng = np.random.default_rng(seed)
    for label in range(classes):
        folder = root / f"class {label + 1}"
        folder.mkdir(parents=True)
        for index in range(per_class):
            pixels = rng.integers(0, 60, (size, size, 3), dtype=np.uint8)
            pixels[..., label % 3] += 180
            Image.fromarray(pixels).save(folder / f"{index + 1}.png")
    return root


def write_loose_images(root: Path, images: NDArray[np.uint8]) -> Path:
    """PNGs of grey images, uint8, shape (n, H, W, 1), in no sub-folder, ``000.png``, …; returns the folder."""
    root.mkdir(parents=True)
    for index, pixels in enumerate(images):
        Image.fromarray(pixels[..., 0]).save(root / f"{index:03d}.png")
    return root
