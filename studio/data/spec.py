"""What the studio knows of a data set before it is loaded: its settings, its size and how to load it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from studio.data.example_set import ExampleSet
from studio.progress import Progress
from studio.settings import Settings


class DatasetConfig(Settings):
    """Base of the data sets' settings; every subclass has a literal ``kind``."""

    judged: ClassVar[bool] = True
    """Whether a judge can tell the class of a sample."""

    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSpec:
    """What the studio knows of a data set before it is loaded.

    Attributes:
        summary: one sentence: what is in it, how many, how large.
        config: its settings; the class's ``kind`` default names the data set.
        load: (config, data folder, progress) → ExampleSet. Raises UserError or Cancelled.
        download_bytes: bytes still to be fetched into that data folder, 0 if none. Fast: looks at file names only.
        class_names: of a set of images whose classes are always the same; empty where loading it tells.
        memory_bytes: the most it takes in memory while it is loaded, from the config and the data folder. Raises
            UserError if that cannot be told because the data are not there.
    """

    title: str
    summary: str
    config: type[DatasetConfig]
    load: Callable[[Any, Path, Progress], ExampleSet]
    download_bytes: Callable[[Path], int]
    memory_bytes: Callable[[Any, Path], int]
    class_names: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        return str(self.config.model_fields["kind"].default)
