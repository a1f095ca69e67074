"""The checkpoints of one run folder: which are there, which stay.

checkpoints/step-NNNNNNNN.safetensors           the last three
checkpoints/pinned/step-NNNNNNNN.safetensors    those that a person wants to keep
checkpoints/undone/step-NNNNNNNN.safetensors    likewise, of steps that the run went back behind: none of its steps now
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

from studio.errors import UserError, reporting
from studio.files import whole_file

KEPT = 3
_NAME = re.compile(r"step-(\d{8,18})\.safetensors")
_HINT = "Check that you may write there."


class CheckpointStore:
    """Keeps checkpoints of a run."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self._folder = run / "checkpoints"
        self._pinned, self._undone = self._folder / "pinned", self._folder / "undone"

    @property
    def steps(self) -> list[int]:
        """Steps with a checkpoint, ascending, pinned ones included."""
        return sorted({*_steps(self._folder), *_steps(self._pinned)})

    @property
    def pinned(self) -> list[int]:
        return _steps(self._pinned)

    def find(self, step: int | None = None) -> Path:
        """The file of a checkpoint: of that step, or else the newest; of two, the one that stays. Raises UserError if
        there is none.
        """
        steps = self.steps
        if step is None:
            last = _steps(self._folder) or steps
            step = last[-1] if last else None
        if step is None or step not in steps:
            there = f"There are some of {', '.join(f'{each:,}' for each in steps)}." if steps else "There are none."
            raise UserError(
                "The run has no such checkpoint" if steps else "The run has no checkpoint",
                f"{self.run}: {there}",
                "Choose one of those." if steps else "A run saves one every few minutes and when it stops.",
            )
        return (self._pinned if step in self.pinned else self._folder) / _file(step)

    def put(self, step: int, content: bytes) -> None:
        """Write a checkpoint, whole, then drop what is too old or undone; UserError, and drops none, if it cannot."""
        for folder in (self._folder, *([self._pinned] if step in self.pinned else [])):
            with whole_file(folder / _file(step), durable=True) as file:
                file.write(content)
        for each in (each for each in self.pinned if each > step):
            with reporting("The checkpoint cannot be kept", self._undone / _file(each), _HINT):
                self._undone.mkdir(exist_ok=True)
                (self._pinned / _file(each)).replace(self._undone / _file(each))
        steps = _steps(self._folder)
        before = [each for each in steps if each <= step]
        for each in {*steps} - {*before[-KEPT:]}:
            with suppress(OSError):  # one too many does no harm
                (self._folder / _file(each)).unlink()

    def pin(self, step: int) -> None:
        """Have a checkpoint stay; raises UserError if there is none, or it cannot be kept."""
        source, target = self.find(step), self._pinned / _file(step)
        if target != source and not target.exists():
            with reporting("The checkpoint cannot be kept", target, _HINT):
                _link(source, target)

    def unpin(self, step: int) -> None:
        """Let a checkpoint go when its time has come; raises UserError if it cannot be let go."""
        target = self._pinned / _file(step)
        with reporting("The checkpoint cannot be kept", target, _HINT):
            target.unlink(missing_ok=True)


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        with source.open("rb") as file, whole_file(target, durable=True) as copy:
            shutil.copyfileobj(file, copy)


def _file(step: int) -> str:
    return f"step-{step:08d}.safetensors"


def _steps(folder: Path) -> list[int]:
    """Steps that have a file there, ascending; a folder that lies elsewhere counts for none."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    with suppress(OSError):
        found = (_NAME.fullmatch(entry.name) for entry in os.scandir(folder) if entry.is_file(follow_symlinks=False))
        return sorted(step for step in (int(match[1]) for match in found if match) if _NAME.fullmatch(_file(step)))
    return []
