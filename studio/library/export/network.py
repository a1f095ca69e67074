"""The part of a run's model that other programs can use, as ONNX or as a program of `torch.export`, each checked.

Before anything is written, the file's own bytes are opened again and run against the original on random arguments, for
several numbers of examples. The error is max |Δ|/max(1, max |y|) over all results; beyond 10⁻⁴ nothing is written.
What the user of a program should know lies in it under about.json.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio import __version__
from studio.errors import UserError
from studio.files import whole_file
from studio.models.catalog import model_spec
from studio.progress import Progress
from studio.training.storage.run import Run, restore_model

if TYPE_CHECKING:
    from torch import Tensor
    from torch.export import ExportedProgram

    from studio.models.exportable import ExportableModel


TOLERANCE = 1e-4
_COUNTS = (1, 2, 7)
"""Numbers of examples that are tried; those that it was translated with are none of them."""

_TRANSLATED_WITH = 3

Runner = Callable[[Sequence["Tensor"]], Sequence["Tensor"]]
"""From arguments to results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What is written of a run's model, and what its user should know, by name, to be kept in the file as JSON."""

    exportable: ExportableModel
    about: Mapping[str, Any]

    @classmethod
    def of(cls, folder: Path, *, averaged: bool) -> Network:
        """That of a run; raises UserError if it cannot be read, or its model has nothing for other programs to use."""
        run = Run.open(folder)
        exportable = restore_model(run, averaged=averaged).views.exportable()
        spec = model_spec(run.config.model.kind)
        if exportable is None:
            hint = "Save its weights, or samples."
            raise UserError(f"A model of the kind {spec.title} has no part that other programs can use", "", hint)
        about = {
            "studio": __version__,
            **run.record(),
            "model": spec.title,
            "part": exportable.title,
            "weights": "averaged" if averaged else "raw",
            "takes": {name: argument.says for name, argument in exportable.takes.items()},
            "gives": dict(exportable.gives),
            "value": "value = centre + half·x, for x in −1…1",
            "scale": asdict(run.scale),
        }
        return cls(exportable=exportable, about=about)

    def arguments(self, count: int = _TRANSLATED_WITH) -> tuple[Tensor, ...]:
        """Typical arguments for so many examples, the same each time."""
        import torch

        rng = torch.Generator().manual_seed(count)
        return tuple(argument.draw(count, rng) for argument in self.exportable.takes.values())

    def check(self, translated: Runner) -> float:
        """The largest error of what was translated; raises UserError if it is not what the original gives."""
        import torch

        worst = 0.0
        with torch.no_grad():
            for count in _COUNTS:
                arguments = self.arguments(count)
                found, wanted = translated(arguments), results(self.exportable.network(*arguments))
                worst = max(worst, _error(found, wanted))
        if not worst <= TOLERANCE:
            raise UserError(
                "The exported file does not reproduce the model",
                f"The results of the {self.exportable.title} differ by {worst:.2g} of their size, "
                f"where {TOLERANCE:.0e} is allowed. Nothing was saved.",
                "Save the weights instead, or try another version of torch.",
            )
        return worst

    def said(self, error: float) -> str:
        agrees = f"within {error:.0e} of the original" if error else "just as the original"
        return f"The {self.exportable.title} by its {self.about['weights']} weights, {agrees},"


def write_checked(
    folder: Path,
    out: Path,
    progress: Progress | None,
    *,
    averaged: bool,
    translate: Callable[[Network], bytes],
    runner: Callable[[bytes], Runner],
) -> str:
    """Save what other programs can use of a run's model, once its bytes agree with the original; what, and its error.

    `translate` makes the file's bytes, `runner` opens them again, to be run. Raises UserError if the run cannot be
    read, its model has nothing to save, what was made does not agree with it, or the file cannot be written.
    """
    progress = progress or Progress()
    progress.report("Reading the model", 0.0)
    network = Network.of(folder, averaged=averaged)
    progress.report("Translating the model", 0.1)
    content = translate(network)
    progress.report("Checking what was made", 0.7)
    error = network.check(runner(content))
    with whole_file(out) as file:
        file.write(content)
    return network.said(error)


def results(given: Tensor | Iterable[Tensor]) -> tuple[Tensor, ...]:
    """What a network returned, as a tuple."""
    import torch

    return (given,) if isinstance(given, torch.Tensor) else tuple(given)


def _error(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> float:
    """max |Δ|/max(1, max |y|); infinite where shapes differ or a number is none."""
    if [each.shape for each in found] != [each.shape for each in wanted]:
        return math.inf
    pairs = zip(found, wanted, strict=True)
    errors = [float((one - other).abs().max()) / max(1.0, float(other.abs().max())) for one, other in pairs]
    return max(math.inf if math.isnan(error) else error for error in errors)


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


def write_weights(folder: Path, out: Path, progress: Progress | None = None, *, averaged: bool = True) -> int:
    """Save them, or their moving average; how many numbers. Raises UserError if they cannot be read or written."""
    from safetensors.torch import save

    from studio.training.storage.run import restore_model

    (progress or Progress()).report("Reading the weights")
    run = Run.open(folder)
    tensors = restore_model(run, averaged=averaged).state_dict()
    metadata = {
        "run": folder.resolve().name,
        **{name: json.dumps(value, ensure_ascii=False) for name, value in run.record().items() if name != "run"},
        "weights": "averaged" if averaged else "raw",
        "model": run.config.model.model_dump_json(),
        "image_shape": json.dumps(run.image_shape),
        "scale": json.dumps(asdict(run.scale)),
    }
    with whole_file(out) as file:
        file.write(_in_order(save(tensors, metadata=metadata)))
    return sum(tensor.numel() for tensor in tensors.values())


def _in_order(content: bytes) -> bytes:
    """A safetensors file with its metadata by name, which otherwise come in another order each time."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + content[end:]
