"""A run's generator, decoder, denoiser or energy as ONNX, which many programs run; needs the extra `onnx`.

What its user should know lies in the file's metadata.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from studio.library.export.network import Network, Runner, translated, write_checked
from studio.library.export.options import needed_for
from studio.progress import Progress

if TYPE_CHECKING:
    from torch import Tensor


def write_onnx(folder: Path, out: Path, progress: Progress | None = None, *, averaged: bool = True) -> str:
    """Save it, checked against the original; raises UserError as `write_checked`, or if a package is missing."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # nothing is told to anyone; onnxruntime begins as it is imported
    with needed_for("An ONNX file", "onnx"):
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401 - torch writes it through this
    return write_checked(folder, out, progress, averaged=averaged, translate=_content, runner=_runner)


def _content(network: Network) -> bytes:
    import onnx
    import torch

    exportable = network.exportable
    program = torch.onnx.export(
        translated(network),
        dynamo=True,
        verbose=False,
        input_names=list(exportable.takes),
        output_names=list(exportable.gives),
    )
    assert program is not None
    proto = program.model_proto
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    del proto.graph.value_info[:]  # shapes of what is in between, by another name for the batch
    proto.doc_string = f"The {exportable.title} of a run of Perturbation Studio"
    onnx.helper.set_model_props(
        proto, {name: json.dumps(each, ensure_ascii=False) for name, each in network.about.items()}
    )
    for node in proto.graph.node:
        del node.metadata_props[:]  # where in the source it comes from, with this machine's folders
    onnx.checker.check_model(proto)
    return bytes(proto.SerializeToString())


def _runner(content: bytes) -> Runner:
    """Runs the file's bytes."""
    import onnxruntime
    import torch

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # it starts threads of its own, which a moment's check does not pay
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]

    def run(arguments: Sequence[Tensor]) -> list[Tensor]:
        given = {name: argument.numpy() for name, argument in zip(names, arguments, strict=True)}
        return [torch.from_numpy(result) for result in session.run(None, given)]

    return run
