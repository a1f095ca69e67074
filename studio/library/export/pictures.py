"""Sample grids as pictures: one as PNG, or all of them with step and ΔH drawn in, for a time-lapse."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from studio.errors import UserError
from studio.files import whole_file
from studio.progress import Progress
from studio.training.storage.frames import Frame, FrameStore
from studio.training.storage.sample_strips import tiled

_LEAST_SIDE = 320  # pixels; smaller grids are enlarged by whole factors
_MOST_FRAMES = 400
_TEXT, _LEAST_TEXT = 14, 8  # pixels; long captions are set smaller
_SHOWN = 3  # classes whose ΔH is drawn in


def write_grid(folder: Path, out: Path, step: int | None = None, *, averaged: bool = True) -> int:
    """Save a sample grid, the newest at or before a step, enlarged by a whole factor, as PNG; its step.

    It is that of the averaged weights, or of the weights as they were. Raises UserError if the run has no grid there,
    is damaged, or the file cannot be written.
    """
    frame = FrameStore(folder).at(2**62 if step is None else step)
    if frame is None:
        raise _none(folder)
    with whole_file(out) as file:
        _picture(frame, averaged=averaged).save(file, format="PNG")
    return frame.step


def captioned_grids(folder: Path, progress: Progress, *, averaged: bool) -> list[Image.Image]:
    """All sample grids of a run in the order of steps, RGB and of one size, each with its step and ΔH below.

    Of more than 400 some are left out, evenly.

    Raises:
        UserError: the run has no grids, or is damaged.
    """
    store = FrameStore(folder)
    if not len(store):
        raise _none(folder)
    chosen = np.unique(np.linspace(0, len(store) - 1, min(len(store), _MOST_FRAMES)).round().astype(int))
    pictures = []
    for place, step in enumerate(store.steps[chosen]):
        progress.report(f"Drawing step {step:,}", place / len(chosen))
        frame = store.at(int(step))
        if frame is not None:
            pictures.append(_captioned(frame, int(store.steps[-1]), averaged=averaged))
    size = pictures[-1].size
    return [picture if picture.size == size else picture.resize(size) for picture in pictures]


def caption(step: int, offsets: Mapping[str, float]) -> str:
    """What a picture says of its moment: "step 1,200   ΔH 2 -1.36"."""
    strongest = sorted(((name, value) for name, value in offsets.items() if value), key=lambda item: -abs(item[1]))
    words = [f"{name[:12]} {value:+.3g}" for name, value in strongest[:_SHOWN]]
    more = ", …" if len(strongest) > _SHOWN else ""
    return f"step {step:,}   ΔH {', '.join(words)}{more}" if words else f"step {step:,}   ΔH 0"


def _picture(frame: Frame, *, averaged: bool) -> Image.Image:
    grid = tiled(frame.grid.averaged if averaged else frame.grid.raw)
    factor = max(1, -(-_LEAST_SIDE // max(grid.shape[:2])))
    picture = Image.fromarray(grid[..., 0] if grid.shape[2] == 1 else grid)
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)


def _captioned(frame: Frame, last: int, *, averaged: bool) -> Image.Image:
    """A grid over a band with its step and ΔH, and a line that shows how far the run is."""
    picture = _picture(frame, averaged=averaged).convert("RGB")
    band = 2 * _TEXT
    whole = Image.new("RGB", (picture.width, picture.height + band), "black")
    whole.paste(picture, (0, 0))
    pen = ImageDraw.Draw(whole)
    _write(pen, (6, picture.height + 5), caption(frame.step, frame.offsets))
    pen.line((0, whole.height - 2, whole.width * frame.step / max(1, last), whole.height - 2), fill="#5aa0f0", width=2)
    return whole


def _write(pen: ImageDraw.ImageDraw, place: tuple[int, int], text: str) -> None:
    """Text with Pillow's own font, which lacks the letter Δ: that is drawn as the triangle it is."""
    x, y, size = float(place[0]), place[1], _TEXT
    font = ImageFont.load_default(size=size)
    while size > _LEAST_TEXT and pen.textlength(text, font=font) > pen.im.size[0] - 2 * x:
        size -= 1
        font = ImageFont.load_default(size=size)
    for index, part in enumerate(text.replace("…", "...").split("Δ")):
        if index:
            foot, wide = y + size, 0.75 * size
            pen.polygon([(x + 1, foot), (x + wide / 2, y + 3), (x + wide - 1, foot)], outline="white")
            x += wide + 1
        pen.text((x, y), part, fill="white", font=font)
        x += pen.textlength(part, font=font)


def _none(folder: Path) -> UserError:
    return UserError("The run has no sample grids there", f"{folder}.", "Choose a later step, or another run.")
