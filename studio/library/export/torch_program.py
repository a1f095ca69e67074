"""A run's generator, decoder, denoiser or energy as a program of `torch.export` (.pt2), which runs without the studio.

What its user should know lies in it under about.json.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

from studio.files import whole_file
from studio.library.export.network import Network, results
from studio.progress import Progress

if TYPE_CHECKING:
    from torch.export import ExportedProgram


def write_program(folder: Path, out: Path, progress: Progress | None = None, *, averaged: bool = True) -> str:
    """Save it, checked against the original.

    Args:
        folder: the run's.
        out: the file, written whole.
        progress: told how far it is; may cancel between its parts.
        averaged: by the moving average of the weights, or as they are.

    Returns:
        what was saved, and its error.

    Raises:
        UserError: the run cannot be read, its model has nothing to save, what was made does not agree with it, or the
            file cannot be written.
        Cancelled: the person cancelled.
    """
    import torch

    progress = progress or Progress()
    progress.report("Reading the model", 0.0)
    network = Network.of(folder, averaged=averaged)
    progress.report("Translating the model", 0.1)
    content = io.BytesIO()
    about = json.dumps(network.about, ensure_ascii=False, indent=2)
    torch.export.save(translated(network), content, extra_files={"about.json": about})
    progress.report("Checking what was made", 0.7)
    program = torch.export.load(io.BytesIO(content.getvalue())).module()
    error = network.check(lambda arguments: results(program(*arguments)))
    with whole_file(out) as file:
        file.write(content.getvalue())
    return network.said(error)


def translated(network: Network) -> ExportedProgram:
    """The function as a program for any number of examples."""
    import torch

    batch = torch.export.Dim("batch", min=1)
    shapes = tuple({0: batch} for _ in network.portable.takes)
    with torch.no_grad():
        program = torch.export.export(network.portable.network, network.arguments(), dynamic_shapes=shapes)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # where in the source it comes from, with this machine's folders
    return program
