"""Run folders: everything a run leaves behind, readable without the studio.

    config.json            the run configuration
    evaluations.jsonl      a line per evaluation, if there was one
    metrics.csv            a row per logged step
    samples/               sample grids as PNG, step-NNNNNNNN.png
    summary.json           status, numbers of the run, the image shape and class names
    weights.safetensors    the model's weights and their moving average, "model.…" and "average.…"

Every file but the two that grow is written whole or not at all. Nothing here can execute code when it is opened.
"""

from __future__ import annotations

import csv
import errno
import io
import json
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.data.scale import PIXELS, Scale
from studio.errors import UserError
from studio.files import whole_file
from studio.training.config import RunConfig
from studio.training.config_file import read_config
from studio.training.events import Logged
from studio.training.snapshot import Images

if TYPE_CHECKING:
    from torch import Tensor

_LARGEST_SIDE = 1024
_HINT = "Make room there, and see that you may write there."


class RunFolder:
    """The folder of one run while it is written.

    Args:
        path: an existing folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._columns: list[str] = []

    @classmethod
    def create(cls, root: Path, config: RunConfig) -> RunFolder:
        """A new folder under `root`, named by time and run, with config.json in it.

        Raises:
            UserError: it cannot be written.
        """
        title = config.name or f"{config.dataset.kind}-{config.model.kind}"
        stem = f"{datetime.now():%Y-%m-%d_%H-%M-%S}_{_safe(title)}"
        return cls._begin(root, config, lambda: _new_folder(root, stem))

    @classmethod
    def at(cls, path: Path, config: RunConfig) -> RunFolder:
        """Exactly that folder, new or empty, with config.json in it.

        Raises:
            UserError: it cannot be written, or holds something already.
        """
        return cls._begin(path, config, lambda: _empty_folder(path))

    @classmethod
    def _begin(cls, place: Path, config: RunConfig, make: Callable[[], Path]) -> RunFolder:
        try:
            path = make()
            (path / "samples").mkdir()
        except OSError as error:
            raise UserError(
                "The run folder cannot be made", f"{place}: {error.strerror or error}.", _HINT, field="run_dir"
            ) from error
        folder = cls(path)
        folder.write_text("config.json", config.to_json())
        return folder

    def write_text(self, name: str, text: str) -> None:
        """Write a text file whole.

        Raises:
            UserError: the folder cannot be written.
        """
        with whole_file(self.path / name) as file:
            # A path that is no Unicode keeps its odd bytes as escapes, which JSON reads back.
            file.write(text.encode(errors="backslashreplace"))

    def append_metrics(self, points: list[Logged]) -> None:
        """Add rows to metrics.csv, all or none; a value that is new gets a column, empty in the rows before.

        Raises:
            UserError: the file cannot be written.
        """
        if not points:
            return
        columns = list(dict.fromkeys([*self._columns, "step", "seconds", *(name for p in points for name in p.values)]))
        text = _rows(columns, points)
        path = self.path / "metrics.csv"
        try:
            if columns == self._columns:
                _append(path, text.encode())
            else:
                # Rare: the first rows, or a phase that is due for the first time brings its loss along.
                before = _widened(path, columns) if self._columns else _rows(columns, [], header=True)
                self.write_text("metrics.csv", before + text)
        except OSError as error:
            raise UserError("The metrics cannot be written", f"{path}: {error.strerror or error}.", _HINT) from error
        self._columns = columns

    def save_grid(self, step: int, images: Images) -> Path:
        """Write a sample grid as samples/step-NNNNNNNN.png.

        Args:
            step: training steps taken.
            images: uint8, shape (n, H, W, C).
        """
        path = self.path / "samples" / f"step-{step:08d}.png"
        with whole_file(path) as file:
            save_png(tiled(images), file)
        return path

    def save_weights(self, tensors: Mapping[str, Tensor]) -> Path:
        """Write weights.safetensors.

        Args:
            tensors: by name; "model.…" and "average.…".
        """
        from safetensors.torch import save

        path = self.path / "weights.safetensors"
        with whole_file(path) as file:
            file.write(save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}))
        return path

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Write summary.json."""
        self.write_text("summary.json", json.dumps(summary, indent=2, ensure_ascii=False) + "\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedRun:
    """A run folder as it lies on disk.

    Attributes:
        image_shape: (C, H, W).
        scale: from what the model makes to what its data set stores.
        class_names: in label order.
    """

    path: Path
    config: RunConfig
    image_shape: tuple[int, int, int]
    scale: Scale
    class_names: tuple[str, ...]
    summary: Mapping[str, Any]

    @classmethod
    def open(cls, path: Path) -> SavedRun:
        """Read a run folder's configuration and summary.

        Raises:
            UserError: it is no run folder, or one that is damaged.
        """
        if not os.path.isfile(path / "config.json"):
            raise UserError("This is not a run folder", f"{path} holds no config.json.", "Choose the folder of a run.")
        config = read_config(path / "config.json")
        try:
            summary = json.loads((path / "summary.json").read_bytes())
            shape = _image_shape(summary["image_shape"])
            scale = _scale(summary["scale"]) if "scale" in summary else PIXELS
            names = tuple(str(name) for name in summary["class_names"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise UserError(
                "The run's summary cannot be read",
                f"{path / 'summary.json'}: {error}.",
                "The run may have been cut off before its first save.",
            ) from error
        return cls(path=path, config=config, image_shape=shape, scale=scale, class_names=names, summary=summary)

    def weights(self, part: str) -> dict[str, Tensor]:
        """The state of one part of weights.safetensors.

        Args:
            part: "model" or "average".

        Raises:
            UserError: the file is missing or damaged.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        path = self.path / "weights.safetensors"
        try:
            tensors = load_file(path)
        except (OSError, SafetensorError) as error:
            raise UserError(
                "The run's weights cannot be read", f"{path}: {error}.", "Weights are saved when a run stops."
            ) from error
        return {
            name.removeprefix(f"{part}."): tensor for name, tensor in tensors.items() if name.startswith(f"{part}.")
        }


def tiled(images: Images, gap: int = 1) -> Images:
    """Images side by side in a nearly square grid, uint8, shape (height, width, C), on black.

    Args:
        images: uint8, shape (n, H, W, C).
        gap: pixels between them.
    """
    number, height, width, channels = images.shape
    columns = int(np.ceil(np.sqrt(number)))
    rows = -(-number // columns)
    canvas = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap, channels), np.uint8)
    for index, image in enumerate(images):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        canvas[top : top + height, left : left + width] = image
    return canvas


def save_png(image: Images, file: Any) -> None:
    """Write an image, uint8, shape (height, width, 1 or 3), as PNG into an open binary file."""
    from PIL import Image

    Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(file, format="PNG")


def _empty_folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    if any(path.iterdir()):
        raise UserError(
            "The run folder is not empty", f"{path}.", "Choose a new folder: no run is overwritten.", field="run_dir"
        )
    return path


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


def _safe(title: str) -> str:
    """`title` as part of a folder's name on any system: at most 120 bytes, no separators, no point at the end."""
    short = re.sub(r"[^\w.+-]+", "-", title).encode()[:120].decode(errors="ignore")
    return short.strip("-.") or "run"


def _image_shape(sizes: Any) -> tuple[int, int, int]:
    """(C, H, W) as a summary holds it.

    Raises:
        TypeError, ValueError: it is no shape of images.
    """
    channels, height, width = sizes
    largest = (3, _LARGEST_SIDE, _LARGEST_SIDE)
    for size, most in zip(sizes, largest, strict=True):
        if type(size) is not int or not 1 <= size <= most:
            raise ValueError(f"{sizes!r:.60} is no shape of images")
    return channels, height, width


def _scale(given: Any) -> Scale:
    """A scale as a summary holds it.

    Raises:
        TypeError, ValueError: it is none.
    """
    scale = Scale(centre=float(given["centre"]), half=float(given["half"]), whole=given["whole"] is True)
    if (scale.whole and scale != PIXELS) or not (abs(scale.centre) < math.inf and 0 < scale.half < math.inf):
        raise ValueError(f"{given!r:.80} is no scale")
    return scale


def _rows(columns: list[str], points: Sequence[Logged], *, header: bool = False) -> str:
    """`points` as lines of a CSV file."""
    text = io.StringIO()
    writer = csv.writer(text)
    if header:
        writer.writerow(columns)
    for point in points:
        row = {"step": point.step, "seconds": round(point.seconds, 3), **point.values}
        writer.writerow([_cell(row.get(column)) for column in columns])
    return text.getvalue()


def _widened(path: Path, columns: list[str]) -> str:
    """The file's lines with more columns, which are empty but for their names."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    text = io.StringIO()
    csv.writer(text).writerows([columns, *([*row, *[""] * (len(columns) - len(row))] for row in rows)])
    return text.getvalue()


def _append(path: Path, lines: bytes) -> None:
    """Add to a file, or leave it as it was: half a row would spoil those that follow."""
    with path.open("ab", buffering=0) as file:
        size = file.tell()
        try:
            written = file.write(lines)
            if written < len(lines):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            file.truncate(size)
            raise


def _cell(value: float | None) -> str:
    if value is None or value != value:
        return ""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{value:.7g}"
