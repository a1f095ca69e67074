"""Judges on disk, one per data set, so that each is trained once.

Under the cache folder, by the data set's fingerprint: ``judges/FINGERPRINT.safetensors`` (weights, features of the
data, the committee's votes) and ``.json`` (class names, accuracy, what it takes the examples held out for, and a
fingerprint of the weights, as two programs may write at once). What is missing, damaged, of another version or of two
judges is trained anew.
"""

from __future__ import annotations

import json
import math
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from studio.errors import UserError
from studio.evaluation.confusion import HeldOut
from studio.evaluation.judge import CONFIDENCE, Judge, train_judge
from studio.evaluation.judge_network import BUILDS, SEEN, CommitteeNetwork
from studio.files import whole_file
from studio.paths import cache_dir
from studio.progress import Progress
from studio.records import json_text

if TYPE_CHECKING:
    from studio.data.image_set import ImageSet

_VERSION = 4
_HELD_OUT = ("examples", "truth", "judged")
_PATIENCE = 0.1
_one_at_a_time = threading.Lock()


def judge_for(data: ImageSet, progress: Progress, folder: Path | None = None) -> Judge:
    """The judge of this whole set: the one in `folder`, by default the cache, or a new one, kept if the disk allows."""
    progress.report("Looking for the judge of this data set")
    base = (folder or cache_dir() / "judges") / data.fingerprint()
    while not _one_at_a_time.acquire(timeout=_PATIENCE):  # another thread may be training this very judge
        progress.report("Waiting for the judge")
    try:
        kept = _read(base, data)
        if kept is not None:
            return kept
        judge = train_judge(data, progress)
        with suppress(UserError):  # without room on the disk it is trained again next time
            _write(base, judge)
        return judge
    finally:
        _one_at_a_time.release()


def _write(base: Path, judge: Judge) -> None:
    tensors = {f"network.{name}": tensor.contiguous() for name, tensor in judge.network.state_dict().items()}
    with whole_file(base.with_suffix(".safetensors")) as file:
        seen = {"features": torch.from_numpy(judge.features), "votes": torch.from_numpy(judge.votes)}
        file.write(save(tensors | {name: tensor.contiguous() for name, tensor in seen.items()}))
    # Last, for it vouches for the other.
    with whole_file(base.with_suffix(".json")) as file:
        file.write(
            json_text(
                _record(judge.class_names)
                | {
                    "weights": judge.fingerprint,
                    "accuracy": judge.accuracy,
                    "held_out": {name: getattr(judge.held_out, name).tolist() for name in _HELD_OUT},
                },
                indent=1,
            ).encode()
        )


def _record(class_names: tuple[str, ...]) -> dict[str, Any]:
    return {"version": _VERSION, "confidence": CONFIDENCE, "class_names": list(class_names)}


def _read(base: Path, data: ImageSet) -> Judge | None:
    """The judge kept there, if it is whole and fits."""
    classes = len(data.class_names)
    try:
        record = json.loads(base.with_suffix(".json").read_bytes())
        held_out = _held_out(record.pop("held_out"), data)
        accuracy, weights = record.pop("accuracy"), record.pop("weights")
        accuracy = math.nan if accuracy is None else float(accuracy)  # of no examples there is none
        tensors = load(base.with_suffix(".safetensors").read_bytes())
        features, votes = tensors.pop("features").numpy(), tensors.pop("votes").numpy()
        network = CommitteeNetwork(data.image_shape, classes, torch.Generator())
        network.load_state_dict({name.removeprefix("network."): tensor for name, tensor in tensors.items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, RuntimeError, SafetensorError):
        return None
    if (
        record != _record(data.class_names)
        or votes.shape != (len(held_out.truth), len(BUILDS))
        or not np.isin(votes, np.arange(classes + 1)).all()
        or features.shape != (len(data), SEEN)
        or features.dtype != np.float32
        or not np.isfinite(features).all()
    ):
        return None
    judge = Judge(
        network=network.eval().requires_grad_(False),
        class_names=data.class_names,
        held_out=held_out,
        votes=votes,
        features=features,
        labels=data.labels,
        images=data.images,
        accuracy=accuracy,
    )
    return judge if weights == judge.fingerprint else None


def _held_out(kept: Any, data: ImageSet) -> HeldOut:
    """The examples held out, as kept; raises ValueError or KeyError or TypeError if they are not of this data set."""
    found = HeldOut(**{name: np.array(kept[name], dtype=np.int64) for name in _HELD_OUT})
    classes = len(data.class_names)
    if not found.examples.shape == found.truth.shape == found.judged.shape == (len(found.truth),):
        raise ValueError("of different lengths")
    if len(found.examples) and (found.examples.min() < 0 or found.examples.max() >= len(data)):
        raise ValueError("not of this data set")
    if (
        not np.array_equal(found.truth, data.labels[found.examples])
        or not np.isin(found.judged, np.arange(classes + 1)).all()
    ):
        raise ValueError("of other classes")
    return found
