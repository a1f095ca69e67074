"""The weights of a run's model as safetensors, for whoever builds the model anew.

Tensors have the names that they have in the model; its configuration lies in the file's metadata, as JSON.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from studio.files import whole_file
from studio.progress import Progress
from studio.training.storage.run import Run


def write_weights(folder: Path, out: Path, progress: Progress | None = None, *, averaged: bool = True) -> int:
    """Save them, or their moving average; how many numbers. Raises UserError if they cannot be read or written."""
    from safetensors.torch import save

    from studio.training.storage.run import restore_model

    (progress or Progress()).report("Reading the weights")
    run = Run.open(folder)
    tensors = restore_model(run, averaged=averaged).state_dict()
    metadata = {
        "model": run.config.model.model_dump_json(),
        "image_shape": json.dumps(run.image_shape),
        "scale": json.dumps(asdict(run.scale)),
    }
    with whole_file(out) as file:
        file.write(save(tensors, metadata=metadata))
    return sum(tensor.numel() for tensor in tensors.values())
