"""A run's generator, decoder, denoiser or energy as a program of `torch.export` (.pt2), which runs without the studio.

What its user should know lies in it under about.json.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

from studio.library.export.network import Network, Runner, results, write_checked
from studio.progress import Progress

if TYPE_CHECKING:
    from torch.export import ExportedProgram


def write_program(folder: Path, out: Path, progress: Progress | None = None, *, averaged: bool = True) -> str:
    """Save it, checked against the original, as `write_checked` says."""
    return write_checked(folder, out, progress, averaged=averaged, translate=_content, runner=_runner)


def _content(network: Network) -> bytes:
    import torch

    content = io.BytesIO()
    about = json.dumps(network.about, ensure_ascii=False, indent=2)
    torch.export.save(translated(network), content, extra_files={"about.json": about})
    return content.getvalue()


def _runner(content: bytes) -> Runner:
    """Runs the file's bytes."""
    import torch

    program = torch.export.load(io.BytesIO(content)).module()
    return lambda arguments: results(program(*arguments))


def translated(network: Network) -> ExportedProgram:
    """The function as a program for any number of examples."""
    import torch

    batch = torch.export.Dim("batch", min=1)
    shapes = tuple({0: batch} for _ in network.exportable.takes)
    with torch.no_grad():
        program = torch.export.export(network.exportable.network, network.arguments(), dynamic_shapes=shapes)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # where in the source it comes from, with this machine's folders
    return program
