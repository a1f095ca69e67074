"""Damaged files of a run and of the index: each is read, listed as damaged, or told of; none does more."""

import random
from collections import Counter
from contextlib import suppress
from pathlib import Path

from studio.errors import UserError
from studio.library.index import FILE as INDEX
from studio.library.index import RunIndex
from studio.library.notes import RunNotes, write_notes
from studio.library.run_summary import summary_of
from studio.training.storage.frames import FrameStore
from studio.training.storage.metrics import newest_evaluation, read_metrics
from tests.library.made_runs import make_config, make_run, record_evaluation
from tests.sizes import sizes

FILES = ("config.json", "summary.json", "notes.json", "metrics.sqlite", "frames.sqlite", INDEX)


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Bytes flipped, cut off, doubled, moved or replaced by something that means something."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 5, 40))):
        place = chance.randrange(len(data))
        end = min(len(data), place + chance.choice((1, 4, 16, 200)))
        match chance.randrange(6):
            case 0:
                data[place] ^= 1 << chance.randrange(8)
            case 1:
                data[place:end] = bytes(chance.randrange(256) for _ in range(end - place))
            case 2:
                data[place:end] = data[place:end] * 2
            case 3:
                del data[place:end]
            case 4:
                data[place:end] = chance.choice((b"\xff" * 8, b"\0" * 8, b"NaN", b"1e999", b'"', b"[[", b"null"))
            case _:
                del data[place if chance.random() < 0.1 else len(data) :]
        if not data:
            return b""
    return bytes(data)


@sizes(150, 1_700)
def test_that_damage_of_any_kind_is_survived(count: int, tmp_path: Path) -> None:
    chance, outcomes = random.Random(0), Counter[str]()
    root = tmp_path / "runs"
    run = make_run(root, "run", make_config("a run", offsets={"2": -1.36}), steps=200)
    record_evaluation(run, 200, 0.03, 12.0)
    write_notes(run, RunNotes(name="ours", tags=("a", "b"), notes="Δ"))
    RunIndex(root).refresh()
    for name in FILES:
        path = root / INDEX if name == INDEX else run / name
        whole = path.read_bytes()
        for _ in range(count):
            path.write_bytes(mutated(whole, chance))
            outcomes[_read(root, run, name)] += 1
        path.write_bytes(whole)
        for left in path.parent.glob(f"{name}-*"):
            left.unlink()
        RunIndex(root).refresh()
    assert not summary_of(run).fault
    assert sorted(each.name for each in root.iterdir()) == ["run", INDEX]
    print(f"{sum(outcomes.values()):,} mutations: {dict(outcomes)}")


def _read(root: Path, run: Path, name: str) -> str:
    if name == INDEX:
        for each in RunIndex(root).entries():
            assert isinstance(each.steps, int)
            assert isinstance(each.seconds, int | float)
            assert isinstance(each.name, str)
        return "remade" if len(RunIndex(root).refresh()) == 1 else "lost"
    entry = summary_of(run)
    assert len(entry.fault) < 700
    if name == "metrics.sqlite":
        with suppress(UserError):
            read_metrics(run)
        with suppress(UserError):
            newest_evaluation(run)
    if name == "frames.sqlite":
        with suppress(UserError):
            store = FrameStore(run)
            for step in (0, 100, 10**9):
                store.at(step)
    return "damaged" if entry.fault else "read"
