"""Sample grids of a run as pictures: one as PNG; or all, with step and ΔH drawn in, as GIF, WebP or H.264 video.

Video needs the extra `mp4`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from studio.errors import UserError
from studio.files import whole_file
from studio.library.export.options import needed_for
from studio.progress import Progress
from studio.training.config.run_config import PerturbationConfig
from studio.training.config.run_title import tilt_words
from studio.training.storage.frames import Frame, FrameStore
from studio.training.storage.run_identity import RunIdentity, no_summary, noted_targets, read_summary
from studio.training.storage.sample_strips import picture_of, png_text, tiled

_LEAST_SIDE = 320  # pixels; smaller grids are enlarged by whole factors
_MOST_FRAMES = 400
_TEXT, _LEAST_TEXT = 14, 8  # pixels; long captions are set smaller
_LAST_SECONDS = 1.5
_RATE = 25  # pictures per second of a video, whose players expect a steady one; repeating one costs next to nothing
_QUALITY = "18"  # of 0…51, less is better; no loss that can be seen

Pictures = Sequence[Image.Image]


def write_grid(
    folder: Path, out: Path, progress: Progress | None = None, *, step: int | None = None, averaged: bool = True
) -> int:
    """Save a sample grid, the newest at or before a step, enlarged by a whole factor, as PNG; its step.

    It is of the averaged weights, or of the weights as they were. UserError if there is none, or it cannot be written.
    """
    (progress or Progress()).report("Drawing the grid")
    frame = FrameStore(folder).at(2**62 if step is None else step)
    if frame is None:
        raise _none(folder)
    with whole_file(out) as file:
        target = Captions(folder).target(frame).model_dump(mode="json")
        how = {"run": folder.resolve().name, "step": frame.step, "averaged": averaged, "target": target}
        _picture(frame, averaged=averaged).save(file, format="PNG", pnginfo=png_text(how))
    return frame.step


def captioned_grids(folder: Path, progress: Progress, *, averaged: bool) -> list[Image.Image]:
    """All sample grids of a run in the order of steps, RGB and of one size, each with its step and ΔH below.

    Of more than 400 some are left out, evenly. Raises UserError if the run has no grids, or is damaged.
    """
    store = FrameStore(folder)
    if not len(store):
        raise _none(folder)
    chosen = np.unique(np.linspace(0, len(store) - 1, min(len(store), _MOST_FRAMES)).round().astype(int))
    pictures, captions = [], Captions(folder)
    for place, step in enumerate(store.steps[chosen]):
        progress.report(f"Drawing step {step:,}", place / len(chosen))
        frame = store.at(int(step))
        if frame is not None:
            pictures.append(_captioned(frame, captions.of(frame), int(store.steps[-1]), averaged=averaged))
    size = pictures[-1].size
    return [picture if picture.size == size else picture.resize(size) for picture in pictures]


class Captions:
    """What pictures of a run say of their moment: "step 1,200   ΔH 2 −1.36, 1 term"; UserError if it is damaged.

    Attributes:
        known: what the run was trained towards, by revision, as far as it was noted.
    """

    def __init__(self, folder: Path) -> None:
        summary = read_summary(folder) if (folder / "summary.json").exists() else {}
        self._energy = RunIdentity.read(folder).trained.perturbation.energy_part()
        try:
            self.known = noted_targets(summary)
        except (KeyError, TypeError, ValueError) as error:
            raise no_summary(folder, error) from error

    def target(self, frame: Frame) -> PerturbationConfig:
        """In force then; of a run that noted none, the one that it ended with, by the offsets of the moment."""
        offsets = {name: value for name, value in frame.offsets.items() if value}
        return self.known.get(frame.revision, PerturbationConfig(offsets=offsets).with_energy(self._energy))

    def of(self, frame: Frame) -> str:
        return f"step {frame.step:,}   ΔH {tilt_words(self.target(frame)) or '0'}"


def _picture(frame: Frame, *, averaged: bool) -> Image.Image:
    grid = tiled(frame.grid.averaged if averaged else frame.grid.raw)
    factor = max(1, -(-_LEAST_SIDE // max(grid.shape[:2])))
    picture = picture_of(grid)
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)


def _captioned(frame: Frame, caption: str, last: int, *, averaged: bool) -> Image.Image:
    """A grid over a band with its step and ΔH, and a line that shows how far the run is."""
    picture = _picture(frame, averaged=averaged).convert("RGB")
    band = 2 * _TEXT
    whole = Image.new("RGB", (picture.width, picture.height + band), "black")
    whole.paste(picture, (0, 0))
    pen = ImageDraw.Draw(whole)
    _write(pen, (6, picture.height + 5), caption)
    pen.line((0, whole.height - 2, whole.width * frame.step / max(1, last), whole.height - 2), fill="#5aa0f0", width=2)
    return whole


def _write(pen: ImageDraw.ImageDraw, place: tuple[int, int], text: str) -> None:
    """Text with Pillow's own font, which lacks …, − and the letter Δ: that is drawn as the triangle it is."""
    x, y, size, text = float(place[0]), place[1], _TEXT, text.replace("…", "...").replace("−", "-")
    font = ImageFont.load_default(size=size)
    while size > _LEAST_TEXT and pen.textlength(text, font=font) > pen.im.size[0] - 2 * x:
        size -= 1
        font = ImageFont.load_default(size=size)
    for index, part in enumerate(text.split("Δ")):
        if index:
            foot, wide = y + size, 0.75 * size
            pen.polygon([(x + 1, foot), (x + wide / 2, y + 3), (x + wide - 1, foot)], outline="white")
            x += wide + 1
        pen.text((x, y), part, fill="white", font=font)
        x += pen.textlength(part, font=font)


def _none(folder: Path) -> UserError:
    return UserError("The run has no sample grids there", f"{folder}.", "Choose a later step, or another run.")


def write_timelapse(
    folder: Path, out: Path, progress: Progress | None = None, *, seconds: float = 10.0, averaged: bool = True
) -> int:
    """Save a time-lapse of so many seconds, whole, in the format of its ending; how many grids are in it.

    Its last grid stays a little longer; of more than 400 some are left out, evenly. They are of the averaged weights,
    or of the weights as they were. Raises UserError if there are none, a package is missing, or the file cannot be
    written.
    """
    save = FORMATS.get(out.suffix.lower())
    if save is None:
        raise UserError(
            "A time-lapse cannot be of this format", f"{out.name}.", f"Use a name that ends in {' or '.join(FORMATS)}."
        )
    progress = progress or Progress()
    with whole_file(out) as file:
        pictures = captioned_grids(folder, progress.part(0.0, 0.5), averaged=averaged)
        progress.report("Writing the time-lapse", 0.5)
        save(file, pictures, seconds, progress.part(0.5, 1.0))
    return len(pictures)


def _animate(kind: str, file: BinaryIO, pictures: Pictures, seconds: float, progress: Progress) -> None:
    """As an animated picture."""
    pause = max(20, round(1000 * seconds / len(pictures)))
    pauses = [pause] * (len(pictures) - 1) + [max(pause, round(1000 * _LAST_SECONDS))]
    pictures[0].save(
        file, format=kind, save_all=True, append_images=pictures[1:], duration=pauses, loop=0, lossless=True
    )


def _film(file: BinaryIO, pictures: Pictures, seconds: float, progress: Progress) -> None:
    """As H.264 in an MP4; with a steady rate each grid is shown once or more, or some are passed over."""
    with needed_for("A video", "mp4"):
        import av
        from av.error import FFmpegError
    count = max(1, round(seconds * _RATE))
    order = [place * len(pictures) // count for place in range(count)]
    order += [len(pictures) - 1] * round(_LAST_SECONDS * _RATE)
    try:
        with av.open(file, "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=_RATE, options={"crf": _QUALITY})
            # Colours are kept at half the resolution, so both sides must be even.
            stream.width, stream.height = (side + side % 2 for side in pictures[0].size)
            stream.pix_fmt = "yuv420p"
            for place, index in enumerate(order):
                if place % _RATE == 0:
                    progress.report("Writing the time-lapse", place / len(order))
                frame = av.VideoFrame.from_ndarray(_even(pictures[index]), format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    except FFmpegError as error:
        raise UserError("The video cannot be made", f"{error}.", "Save a GIF or a WebP instead.") from error


def _even(picture: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The picture with sides made even by a black edge, uint8, shape (height, width, 3)."""
    pixels = np.asarray(picture)
    return np.pad(pixels, ((0, pixels.shape[0] % 2), (0, pixels.shape[1] % 2), (0, 0)))


FORMATS: dict[str, Callable[[BinaryIO, Pictures, float, Progress], None]] = {
    ".gif": partial(_animate, "GIF"),
    ".webp": partial(_animate, "WEBP"),
    ".mp4": _film,
}
"""What writes a file with this ending."""
