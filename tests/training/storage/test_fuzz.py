"""Files from strangers: whatever was done to a run folder, it is refused with a message or opened."""

import json
import os
import random
import resource
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from studio.errors import UserError
from studio.training.config.run_config import StopCondition
from studio.training.engine.trainer import Trainer
from studio.training.storage.checkpoint import Checkpoint, packed, read_checkpoint
from studio.training.storage.resumption import fork, resume
from studio.training.storage.run import Run
from tests.sizes import sizes
from tests.training.conftest import CLASSES, steps, tiny_config, tiny_images
from tests.training.played import Played

DATA = tiny_images(40)
CONFIG = tiny_config("rbm")
TEXTS = ["", "x" * 10_000, "../../../evil", "/etc/passwd", "\0"]
EVIL: list[Any] = [None, True, -1, 0.5, 1e308, 2**63, 2**200, [], {}, [[]] * 50, *TEXTS]


def changed_bytes(content: bytes, rng: random.Random) -> bytes:
    """Cut off, with bits turned, with a part taken out, doubled, or replaced."""
    data = bytearray(content)
    start = rng.randrange(len(data))
    if rng.random() < 0.5:
        start = rng.randrange(min(len(data), 4096))
    end = min(len(data), start + rng.randrange(1, 64))
    match rng.randrange(6):
        case 0:
            return bytes(data[:start])
        case 1:
            for _ in range(rng.randrange(1, 8)):
                data[rng.randrange(len(data)) if rng.random() < 0.5 else start] ^= 1 << rng.randrange(8)
        case 2:
            del data[start:end]
        case 3:
            data[start:start] = data[start:end]
        case 4:
            data[start:end] = rng.randbytes(end - start)
        case _:
            data[:8] = rng.choice([0, 2**40, 2**63, len(data), 100_000_000]).to_bytes(8, "little")
    return bytes(data)


def changed_json(value: Any, rng: random.Random) -> Any:
    """One place of it, anywhere, is something else, gone, or has company."""
    if isinstance(value, dict) and value and rng.random() < 0.85:
        key = rng.choice(list(value))
        if rng.random() < 0.1:
            return {name: each for name, each in value.items() if name != key}
        if rng.random() < 0.05:
            return value | {"../../evil": 1}
        return value | {key: changed_json(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.85:
        place = rng.randrange(len(value))
        return [*value[:place], changed_json(value[place], rng), *value[place + 1 :]]
    return rng.choice(EVIL)


def changed_file(content: bytes, rng: random.Random) -> bytes:
    """A JSON file: its values, or else its bytes."""
    if rng.random() < 0.4:
        return changed_bytes(content, rng)
    return json.dumps(changed_json(json.loads(content), rng)).encode()


def changed_checkpoint(checkpoint: Checkpoint, rng: random.Random) -> bytes:
    """As a forger would make it who knows the format: its checksum is right."""
    from safetensors.torch import load, save

    from studio.training.storage.checkpoint import _checksum

    content = packed(checkpoint)
    if rng.random() < 0.4:
        return changed_bytes(content, rng)
    length = int.from_bytes(content[:8], "little")
    text = json.loads(content[8 : 8 + length])["__metadata__"]["record"]
    tensors = load(content)
    if rng.random() < 0.5:
        text = json.dumps(changed_json(json.loads(text), rng))
    else:
        tensors = changed_tensors(tensors, rng)
    return save(tensors, metadata={"record": text, "checksum": _checksum(text, tensors)})


def changed_tensors(tensors: dict[str, torch.Tensor], rng: random.Random) -> dict[str, torch.Tensor]:
    name = rng.choice([each for each in tensors if rng.random() < 0.3 or not each.startswith(("model", "average"))])
    tensor = tensors.pop(name)
    match rng.randrange(7):
        case 0:
            pass
        case 1:
            tensors["../" + name] = tensor
        case 2:
            kinds = [torch.float16, torch.bfloat16, torch.int64, torch.bool, torch.uint8, torch.float64, torch.int8]
            tensors[name] = tensor.to(rng.choice(kinds))
        case 3:
            tensors[name] = tensor.reshape(-1)[: rng.randrange(tensor.numel() + 1)].clone()
        case 4:
            tensors[name] = torch.zeros(*rng.choice([(0,), (1, 1), (3, 0, 2), (1000, 3)]), dtype=tensor.dtype)
        case 5:
            noise = torch.from_numpy(np.frombuffer(rng.randbytes(tensor.nbytes), np.uint8).copy())
            tensors[name] = noise.view(tensor.dtype).reshape(tensor.shape) if tensor.numel() else tensor
        case _:
            tensors[name] = tensor * rng.choice([-1, 10**9, 0])
    return tensors


def link(path: Path, rng: random.Random, outside: Path) -> None:
    """In a file's place a link, a folder or a pipe."""
    path.unlink()
    match rng.randrange(4):
        case 0:
            path.symlink_to(rng.choice([Path("/dev/zero"), outside / "kept.txt", outside, path]))
        case 1:
            path.mkdir()
        case 2:
            os.mkfifo(path)
        case _:
            with path.open("wb") as file:  # huge, with nothing in it
                file.truncate(2**40)


def renew(path: Path, source: Path) -> None:
    """Put the right file back, whatever is in its place."""
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
    shutil.copyfile(source, path)


def open_everything(run: Path) -> None:
    """All that the studio does with a folder that somebody sent; some steps of training, too."""
    saved = Run.open(run)
    saved.weights("average")
    fork(run)
    found = resume(run)
    read_checkpoint(found.file)
    trainer = Trainer(found.config, DATA)
    found.load_into(trainer)
    found.folder()
    for _ in range(2):
        trainer.step()


@sizes(400, 10_500)
@pytest.mark.skipif(os.name == "nt", reason="needs pipes and links")
def test_that_changed_folders_are_refused_or_opened(
    count: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.training.played.tiny_images", lambda: DATA)
    played = Played(CONFIG, tmp_path / "whole", StopCondition(steps=3))
    played.run(steps(9))
    state = Checkpoint(
        state=played.trainer.state(),
        resume_state=played.trainer.resume_state(),
        config=CONFIG,
        class_names=CLASSES,
        data=read_checkpoint(resume(tmp_path / "whole").file).data,
    )
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept.txt").write_text("kept")
    names = ("config.json", "summary.json", "checkpoint", "weights.safetensors")
    rng, counts = random.Random(0), Counter[tuple[str, str]]()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run = tmp_path / "run"
    shutil.copytree(tmp_path / "whole", run)
    checkpoint = resume(run).file
    for _ in range(count):
        name = rng.choices(names, (3, 2, 6, 1))[0]
        path = checkpoint if name == "checkpoint" else run / name
        if rng.random() < 0.05:
            link(path, rng, outside)
        elif name == "checkpoint":
            path.write_bytes(changed_checkpoint(state, rng))
        else:
            change = changed_file if path.suffix == ".json" else changed_bytes
            path.write_bytes(change(path.read_bytes(), rng))
        try:
            open_everything(run)
        except UserError:
            counts[name, "refused"] += 1
        else:
            counts[name, "opened"] += 1
        renew(path, tmp_path / "whole" / path.relative_to(run))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert [path.name for path in outside.iterdir()] == ["kept.txt"]
    assert (outside / "kept.txt").read_text() == "kept"
    assert {path.name for path in tmp_path.iterdir()} == {"whole", "outside", "run"}
    with capsys.disabled():
        print(f"\n{counts.total():,} changed folders: {dict(sorted(counts.items()))}; memory grew by {grown:.0f} MiB")
    assert counts.total() == count
    assert grown < 500
