"""All sample grids of a run, one after another: as GIF, WebP or, with the extra `mp4`, as H.264 video."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from studio.errors import UserError
from studio.files import whole_file
from studio.library.export.extras import needed_for
from studio.library.export.pictures import captioned_grids
from studio.progress import Progress

_LAST_SECONDS = 1.5
_RATE = 25  # pictures per second of a video, whose players expect a steady one; repeating one costs next to nothing
_QUALITY = "18"  # of 0…51, less is better; no loss that can be seen

Pictures = Sequence[Image.Image]


def write_timelapse(
    folder: Path, out: Path, progress: Progress | None = None, *, seconds: float = 10.0, averaged: bool = True
) -> int:
    """Save a time-lapse of so many seconds, whole, in the format of its ending; how many grids are in it.

    Its last grid stays a little longer; of more than 400 some are left out, evenly. They are of the averaged weights,
    or of the weights as they were.

    Raises:
        UserError: the run has no grids, is damaged, a package is missing, or the file cannot be written.
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
