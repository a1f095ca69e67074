"""Many samples of a trained model, a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from studio.data.scale import Scale, Values
from studio.models.base import GenerativeModel
from studio.progress import Progress
from studio.training.memory import out_of_memory
from studio.training.trainer import draw

_PIECE = 500


def drawn_pieces(
    model: GenerativeModel, count: int, rng: torch.Generator, scale: Scale, progress: Progress
) -> Iterator[tuple[int, Values]]:
    """How many were drawn before, and the next of them, shape (n, H, W, C); the same generator gives the same ones.

    Args:
        model: in eval mode.
        count: of all pieces together.
        rng: of the latents.
        scale: of the data set, as which they are stored.
        progress: told how far it is; may cancel.

    Raises:
        UserError: there is too little memory.
        Cancelled: the person cancelled.
    """
    for start in range(0, count, _PIECE):
        progress.report(f"Drawing {count:,} samples", start / count)
        try:
            drawn = draw(model, min(_PIECE, count - start), rng, scale)
        except (MemoryError, RuntimeError) as found:
            error = out_of_memory(found, "Use a smaller model, or close other programs.")
            if error is None:
                raise
            raise error from found
        yield start, drawn
