"""A tiny MNIST on disk, for tests that want a data folder without real data in it."""

import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def idx_bytes(values: NDArray[np.uint8]) -> bytes:
    """An IDX file of unsigned bytes, header included."""
    header = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, dtype=">u4").tobytes()
    return header + np.ascontiguousarray(values, dtype=np.uint8).tobytes()


def tiny_images(per_class: int = 6, classes: int = 10, size: int = 28, seed: int = 0) -> NDArray[np.uint8]:
    """Noisy bars at a height that tells the class (i mod classes), shape (per_class · classes, size, size)."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 40, (per_class * classes, size, size), dtype=np.uint8)
    for index, image in enumerate(images):
        row = (index % classes) * size // classes
        image[row : row + max(size // classes, 1)] = 255
    return images


def tiny_labels(per_class: int = 6, classes: int = 10) -> NDArray[np.uint8]:
    """The class of each of the `tiny_images`, shape (per_class · classes,)."""
    return np.tile(np.arange(classes, dtype=np.uint8), per_class)


def write_idx_set(
    root: Path,
    *,
    folder: str = "MNIST",
    prefix: str = "train",
    per_class: int = 6,
    classes: int = 10,
    size: int = 28,
    compressed: bool = False,
) -> Path:
    """Write a set of images and labels where torchvision's classes look for it; returns the folder of the two files.

    ``load_dataset(MnistConfig(), root)`` then gives 10 · per_class images with a bar at a height that tells the class.
    """
    raw = root / folder / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    contents = {
        f"{prefix}-images-idx3-ubyte": idx_bytes(tiny_images(per_class, classes, size)),
        f"{prefix}-labels-idx1-ubyte": idx_bytes(tiny_labels(per_class, classes)),
    }
    for name, content in contents.items():
        if compressed:
            (raw / f"{name}.gz").write_bytes(gzip.compress(content, mtime=0))
        else:
            (raw / name).write_bytes(content)
    return raw
