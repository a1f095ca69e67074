"""``studio doctor``: whether this machine is fit for the studio, how fast it trains, and what would help."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from studio.bootstrap.system import apt_command, missing_libraries
from studio.bug_report import versions, without_private_paths
from studio.paths import default_data_root, default_runs_root, state_dir

if TYPE_CHECKING:
    from studio.cli.speed import Speed

_SECONDS = 10.0
_GIB = 2**30
_LITTLE_MEMORY, _LITTLE_DISK = 2 * _GIB, 2 * _GIB
_WORTH = 1.1


def examine(seconds: float = _SECONDS) -> Iterator[str]:
    """The report line by line, as it is found out, speed for so long on each device; it names no private path."""
    yield from (f"{name:20} {value}" for name, value in versions().items())
    missing = missing_libraries()
    memory = psutil.virtual_memory()
    yield ""
    yield f"{'Cores':20} {psutil.cpu_count(logical=False) or os.cpu_count()} ({os.cpu_count()} threads of hardware)"
    yield f"{'Memory':20} {memory.total / _GIB:.1f} GiB, {memory.available / _GIB:.1f} GiB of it free"
    yield f"{'System libraries':20} {'missing: ' + ', '.join(sorted(missing)) if missing else 'all there'}"
    places = {"Runs": default_runs_root(), "Data sets": default_data_root(), "State": state_dir()}
    yield from (f"{name:20} {_place(path)}" for name, path in places.items())
    yield ""
    measured: list[Speed] = []
    for speed in _speeds(seconds):
        measured.append(speed)
        yield _line(speed)
    yield ""
    yield from _advice(missing, memory.available, places.values(), measured)


def _place(path: Path) -> str:
    there = _nearest(path)
    able = "writable" if os.access(there, os.W_OK) else "NOT writable"
    return without_private_paths(f"{path}: {able}, {shutil.disk_usage(there).free / _GIB:.0f} GiB free")


def _nearest(path: Path) -> Path:
    """The folder itself, or the nearest one above it that exists."""
    return next(each for each in (path, *path.parents) if each.exists())


def _speeds(seconds: float) -> Iterator[Speed]:
    from studio.cli.speed import speeds
    from studio.training.engine.devices import available_devices

    for device, _ in available_devices():
        if device != "auto":
            yield from speeds(device, seconds)


def _line(speed: Speed) -> str:
    threads = "1 thread" if speed.threads == 1 else f"{speed.threads} threads"
    how = f"{threads}, {speed.precision}" if speed.device == "cpu" else str(speed.precision)
    return f"{f'{speed.device}, {how}':28} {speed.steps_per_second:7.1f} steps/s of a WGAN-GP on 28×28 images"


def _advice(missing: dict[str, str], free: float, places: Iterable[Path], measured: Sequence[Speed]) -> Iterator[str]:
    given = [*_mend(missing, free, places), *_faster(measured)]
    yield from given or ["Nothing to mend."]


def _mend(missing: dict[str, str], free: float, places: Iterable[Path]) -> Iterator[str]:
    if missing:
        yield f"Install the libraries that Qt needs: {apt_command(missing, sudo=True)}"
    if free < _LITTLE_MEMORY:
        yield f"Close other programs: only {free / _GIB:.1f} GiB of memory are free."
    for path in places:
        there = _nearest(path)
        if not os.access(there, os.W_OK):
            yield without_private_paths(f"See that you may write to {path}, or choose another folder.")
        elif shutil.disk_usage(there).free < _LITTLE_DISK:
            yield without_private_paths(f"Make room: less than {_LITTLE_DISK / _GIB:.0f} GiB are free at {path}.")


def _faster(measured: Sequence[Speed]) -> Iterator[str]:
    best = max(measured, key=lambda speed: speed.steps_per_second)
    yield f"The fastest here is {_line(best).split('  ')[0]}."
    one = [s for s in measured if s.device == best.device == "cpu" and s.precision == best.precision and s.threads == 1]
    if one and best.threads > 1 and best.steps_per_second < _WORTH * one[0].steps_per_second:
        yield "More threads gain little: other programs may be using the processor. Set “Threads” to 1 while they do."
    if best.threads == 1 and any(s.threads > 1 for s in measured):
        yield "One thread is faster than more: set “Threads” to 1, or close what else uses the processor."
    if best.precision != "float32":
        yield "Leave “Precision” at auto: this machine computes in bfloat16 itself."
