"""The built-in digits: 1,797 real 8×8 scans, there without a download.

Source: the test part of "Optical Recognition of Handwritten Digits" (Alpaydin & Kaynak 1998, UCI Machine Learning
Repository, CC BY 4.0), which scikit-learn's ``load_digits`` holds too. Its counts of 0…16 are scaled to 0…255. A file
of 46 kB is shipped, so that scikit-learn is not needed to run and the set opens at once.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Literal

import numpy as np

from studio.data.image_set import ImageSet
from studio.data.spec import DatasetConfig, DatasetSpec
from studio.errors import UserError
from studio.paths import resources
from studio.progress import Progress


class DigitsConfig(DatasetConfig):
    """The built-in digits have nothing to set."""

    kind: Literal["digits"] = "digits"


_CLASSES = tuple("0123456789")


def load_digits(config: DigitsConfig, data_root: Path, progress: Progress) -> ImageSet:
    """The digits, images of shape (1797, 8, 8, 1); raises UserError if the studio's own file is gone or damaged."""
    path = resources() / "digits.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            images, labels = arrays["images"], arrays["labels"]
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(
            "The built-in digits cannot be read", f"{path}: {error}.", "Install the studio again."
        ) from error
    return ImageSet(
        name="Digits",
        images=np.ascontiguousarray(images[..., np.newaxis]),
        labels=labels.astype(np.int64),
        class_names=_CLASSES,
    )


DIGITS = DatasetSpec(
    title="Digits",
    summary="1,797 real scans of handwritten digits, 8×8 grey; built in.",
    config=DigitsConfig,
    load=load_digits,
    download_bytes=lambda data_root: 0,
    memory_bytes=lambda config, data_root: 1797 * (64 * 2 + 8),
    class_names=_CLASSES,
)
