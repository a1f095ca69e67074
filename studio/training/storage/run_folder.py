"""Run folders: everything a run leaves behind, readable without the studio.

    config.json            the run configuration
    checkpoints/           the last three moments from which the run can go on, see `studio.training.storage.checkpoint`
    metrics.sqlite         what was logged and evaluated, and what happened when: see `studio.training.storage.metrics`
    frames.sqlite          all sample grids: see `studio.training.storage.frames`
    latents.json           samples that grids show, and favourites of them: see `studio.training.messages.latents`
    summary.json           status, numbers of the run, the image shape and class names
    sweep.json             which sweep it belongs to, if to any: see `studio.training.config.sweep_mark`
    .owner                 locked by the process that writes here: see `studio.training.storage.folder_lock`
    weights.safetensors    the model's weights and their moving average, "model.…" and "average.…", and their step

Each file, and each batch that is added to one, is written whole or not at all. Nothing here can execute code when it is
opened.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.errors import UserError, reporting
from studio.files import remove_left_overs, whole_file
from studio.records import json_text
from studio.training.config.run_config import RunConfig
from studio.training.config.run_title import own_name
from studio.training.config.sweep_mark import FILE as SWEEP
from studio.training.storage.data_paths import made_absolute
from studio.training.storage.folder_lock import FILE as OWNER
from studio.training.storage.folder_lock import FolderLock
from studio.training.storage.frames import append_frames
from studio.training.storage.metrics import append_metrics

if TYPE_CHECKING:
    from torch import Tensor

_PARTS = ("checkpoints", "checkpoints/pinned", "checkpoints/undone", "metrics.sqlite", "frames.sqlite")
"""What a run adds to; all else it replaces."""
_NO_LIMIT = 2**62
_HINT = "Make room there, and check that you may write there."


class RunFolder:
    """The folder of one run while it is written, by its owner alone, if it has one, until that releases it."""

    def __init__(self, path: Path, owner: FolderLock | None = None) -> None:
        self.path = path
        self._owner = owner

    def release(self) -> None:
        """Let others write into it; nothing is written from here after that."""
        if self._owner is not None:
            self._owner.release()

    @classmethod
    def create(cls, root: Path, config: RunConfig) -> RunFolder:
        """A new folder under `root`, named by time and run, with config.json; raises UserError if it cannot be made."""
        title = own_name(config) or f"{config.dataset.kind}-{config.model.kind}"
        stem = f"{datetime.now():%Y-%m-%d_%H-%M-%S}_{safe_name(title)}"
        return cls._begin(root, config, lambda: _new_folder(root, stem))

    @classmethod
    def at(cls, path: Path, config: RunConfig) -> RunFolder:
        """Exactly that folder, new or with a sweep's mark alone, with config.json in it; UserError if it cannot be."""
        return cls._begin(path, config, lambda: _empty_folder(path))

    @classmethod
    def owned(cls, path: Path) -> RunFolder:
        """The folder of a run that is there; raises UserError if it cannot be written, or somebody else writes it."""
        return cls(path, FolderLock(path))

    def go_back_to(self, step: int, revision: int) -> None:
        """Take away what is of later steps, and found of targets after this revision; raises UserError if it cannot be
        written, or parts are links elsewhere.
        """
        path = self.path
        for name in _PARTS:
            if (path / name).is_symlink():
                raise UserError(
                    "Parts of the run folder lie elsewhere",
                    f"{path / name} is a link.",
                    "Replace the link with what it points to: a run writes only into its own folder.",
                )
        for place in (path, *(path / name for name in _PARTS)):
            remove_left_overs(place)
        append_metrics(path, back_to=step, revision=revision)
        append_frames(path, (), _NO_LIMIT, back_to=step)

    def copied_under(self, root: Path, config: RunConfig) -> RunFolder:
        """A new folder under `root` of the same name, with what can be read of this one; raises UserError if it cannot
        be.
        """
        files = [
            path for path in self.path.rglob("*") if path.is_file() and not path.is_symlink() and path.name != OWNER
        ]
        folder = self._begin(root, config, lambda: _new_folder(root, self.path.name))
        try:
            for path in files:
                with suppress(OSError):  # what cannot be read any more must not keep the rest from being saved
                    content = path.read_bytes()
                    with whole_file(folder.path / path.relative_to(self.path)) as file:
                        file.write(content)
        except UserError:
            shutil.rmtree(folder.path, ignore_errors=True)
            raise
        return folder

    @classmethod
    def _begin(cls, place: Path, config: RunConfig, make: Callable[[], Path]) -> RunFolder:
        with reporting("The run folder cannot be made", place, _HINT, field="run_dir"):
            path = make()
        folder = cls.owned(path)
        try:
            if has_anything(path):
                raise _not_empty(path)
            folder.write_text("config.json", made_absolute(config).to_json())
        except BaseException:
            folder.release()
            raise
        return folder

    def write_text(self, name: str, text: str) -> None:
        """Write a text file whole; raises UserError if the folder cannot be written."""
        with whole_file(self.path / name) as file:
            # A path that is no Unicode keeps its odd bytes as escapes, which JSON reads back.
            file.write(text.encode(errors="backslashreplace"))

    def save_weights(self, tensors: Mapping[str, Tensor], step: int | None = None) -> Path:
        """Write weights.safetensors, tensors by name, "model.…" and "average.…", with the step that they are of."""
        from safetensors.torch import save

        path = self.path / "weights.safetensors"
        with whole_file(path) as file:
            metadata = {"step": str(step)} if step is not None else None
            file.write(save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, metadata))
        return path

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        self.write_text("summary.json", json_text(summary, indent=2) + "\n")


def _empty_folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    if has_anything(path):  # before a lock is left in somebody's folder
        raise _not_empty(path)
    return path


def _not_empty(path: Path) -> UserError:
    return UserError(
        "The run folder is not empty", f"{path}.", "Choose a new folder: no run is overwritten.", field="run_dir"
    )


def _new_folder(root: Path, stem: str) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for attempt in range(1000):
        path = root / (stem if not attempt else f"{stem}-{attempt + 1}")
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise FileExistsError(17, "there are a thousand runs of that name already", str(root / stem))


def has_anything(path: Path) -> bool:
    """Whether a run has begun in a folder, which may not be there; or anything else lies in it."""
    return path.is_dir() and any(each.name not in (SWEEP, OWNER) for each in path.iterdir())


def safe_name(title: str) -> str:
    """`title` as part of a folder's name on any system: at most 120 bytes, no separators, no point at the end."""
    short = re.sub(r"[^\w.+-]+", "-", title).encode()[:120].decode(errors="ignore")
    return short.strip("-.") or "run"
