"""The data sets on offer: an explicit tuple of `DatasetSpec`. Adding one is a function and a line here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias, Union

from pydantic import Field

from studio.data.digits import DIGITS
from studio.data.example_set import ExampleSet
from studio.data.folder import FOLDER
from studio.data.idx_sets import EMNIST_BALANCED, FASHION_MNIST, KMNIST, MNIST
from studio.data.memory import ensure_it_fits
from studio.data.planar.sets import PLANAR_SETS
from studio.data.spec import DatasetConfig, DatasetSpec
from studio.data.torchvision_sets import CIFAR10, SVHN
from studio.errors import UserError
from studio.progress import Progress

__all__ = [
    "DATASETS",
    "AnyDataset",
    "DatasetConfig",
    "DatasetSpec",
    "dataset_named",
    "dataset_spec",
    "load_dataset",
    "not_here_yet",
]

DATASETS: tuple[DatasetSpec, ...] = (
    DIGITS,
    MNIST,
    FASHION_MNIST,
    KMNIST,
    EMNIST_BALANCED,
    CIFAR10,
    SVHN,
    FOLDER,
    *PLANAR_SETS,
)
"""In the order in which the list shows them; the first is the default."""

if TYPE_CHECKING:
    AnyDataset: TypeAlias = DatasetConfig
else:
    # Built from the tuple, so that a new data set needs no second line.
    AnyDataset = Annotated[Union[tuple(spec.config for spec in DATASETS)], Field(discriminator="kind")]  # noqa: UP007
"""Type of a configuration field that holds any data set's settings, told apart by ``kind``."""


def dataset_spec(kind: str) -> DatasetSpec:
    """The data set of that name; raises UserError if there is none."""
    for spec in DATASETS:
        if spec.kind == kind:
            return spec
    raise UserError(
        "There is no such data set",
        f"“{kind}” is not one of {', '.join(spec.kind for spec in DATASETS)}.",
        field="dataset.kind",
    )


def dataset_named(name: str) -> DatasetConfig:
    """Settings of a data set from a word, ``KIND`` or, of one in a folder, ``KIND:PATH``; raises UserError if none."""
    kind, _, path = name.partition(":")
    config = dataset_spec(kind).config
    return config.model_validate({"path": path} if "path" in config.model_fields else {})


def not_here_yet(config: DatasetConfig, data_root: Path) -> UserError | None:
    """What to say when loading this data set would begin a download, which the person has to ask for; else None."""
    spec = dataset_spec(config.kind)
    size = spec.download_bytes(data_root)
    if not size:
        return None
    return UserError(
        f"{spec.title} is not in the data folder yet",
        f"{data_root}; {size / 1e6:,.1f} MB are to be downloaded.",
        "Press Download in the set-up panel, or choose the folder that holds it.",
        field="dataset",
    )


def load_dataset(config: DatasetConfig, data_root: Path, progress: Progress | None = None) -> ExampleSet:
    """The data set in memory, downloaded first unless it is in `data_root`, which is laid out as torchvision has it.

    Raises UserError if it cannot be had, is damaged, or does not fit into memory.
    """
    spec = dataset_spec(config.kind)
    progress = progress or Progress()
    progress.report(f"Opening {spec.title}")
    ensure_it_fits(spec.title, spec.memory_bytes(config, data_root))
    data = spec.load(config, data_root, progress)
    progress.report(f"{spec.title}: {len(data):,} {data.noun}", 1.0)
    return data
