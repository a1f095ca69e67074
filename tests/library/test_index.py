"""The list of all runs: what it says of each, and that nothing in a folder can break it."""

import io
import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from studio.errors import Cancelled
from studio.library import index as index_module
from studio.library.index import FILE, RunIndex
from studio.library.notes import RunNotes, write_notes
from studio.library.run_summary import RunSummary, summary_of
from studio.paths import choose_runs_root, default_runs_root, runs_root, state_dir
from studio.progress import Progress
from studio.training.messages.events import Logged
from studio.training.storage.metrics import append_metrics
from tests.library.made_runs import make_config, make_run, record_evaluation


def by_folder(entries: list[RunSummary]) -> dict[str, RunSummary]:
    return {entry.folder: entry for entry in entries}


def test_that_a_run_is_listed_with_all_that_is_known_of_it(tmp_path: Path) -> None:
    path = make_run(tmp_path, "one", make_config("twos", offsets={"2": -1.36, "7": 0.5}), steps=1000)
    record_evaluation(path, 500, 0.2, 30.0)
    record_evaluation(path, 1000, 0.031, 12.1)
    write_notes(path, RunNotes(tags=("best", "paper"), notes="Looks right."))
    (entry,) = RunIndex(tmp_path).refresh()
    assert replace(entry, thumbnail=b"") == RunSummary(
        folder="one",
        name="twos",
        dataset="Digits",
        model="VAE",
        tilt="2 −1.36, 7 +0.5",
        steps=1000,
        seconds=20.0,
        share_error=0.031,
        frechet=12.1,
        measured_step=1000,
        status="completed",
        tags=("best", "paper"),
        notes="Looks right.",
        started="2026-01-02T03:04:05",
    )
    with Image.open(io.BytesIO(entry.thumbnail)) as picture:
        assert picture.size == (17, 17)  # four samples of 8×8


def test_that_a_distance_is_told_with_its_step_where_that_is_not_the_last(tmp_path: Path) -> None:
    record_evaluation(make_run(tmp_path, "a", steps=600), 100, 0.476, 30.0)
    record_evaluation(make_run(tmp_path, "b", steps=600), 600, 0.1, 30.0)
    RunIndex(tmp_path).refresh()
    found = by_folder(RunIndex(tmp_path).entries())
    assert (found["a"].measured_step, found["a"].measured_at) == (100, " (step 100)")
    assert (found["b"].measured_step, found["b"].measured_at) == (600, "")


def test_that_a_distance_of_points_is_of_the_step_at_which_it_was_measured(tmp_path: Path) -> None:
    path = make_run(tmp_path, "a", steps=100)
    measured = {110: 0.3, 120: 0.2, 130: 0.2, 140: 0.2}
    append_metrics(path, [Logged(step=step, seconds=3.0, values={"plane_tv": tv}) for step, tv in measured.items()])
    append_metrics(path, [Logged(step=150, seconds=3.0, values={"loss": 1.0})])
    (entry,) = RunIndex(tmp_path).refresh()
    assert (entry.share_error, entry.measured_step, entry.measured_at) == (0.2, 120, " (step 120)")


def test_that_the_index_remembers_without_a_look_at_the_folders(tmp_path: Path) -> None:
    for name in ("a", "b"):
        make_run(tmp_path, name)
    seen = RunIndex(tmp_path).refresh()
    shutil.rmtree(tmp_path / "a")
    assert RunIndex(tmp_path).entries() == seen
    assert list(by_folder(RunIndex(tmp_path).refresh())) == ["b"]
    assert list(by_folder(RunIndex(tmp_path).entries())) == ["b"]


def test_that_only_what_has_changed_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        make_run(tmp_path, name)
    RunIndex(tmp_path).refresh()
    read: list[str] = []

    def noted(folder: Path) -> RunSummary:
        read.append(folder.name)
        return summary_of(folder)

    monkeypatch.setattr(index_module, "summary_of", noted)
    write_notes(tmp_path / "b", RunNotes(name="renamed"))
    make_run(tmp_path, "d")
    found = by_folder(RunIndex(tmp_path).refresh())
    assert sorted(read) == ["b", "d"]
    assert found["b"].name == "renamed"


@pytest.mark.parametrize("content", [b"", b"no database", None], ids=["empty", "text", "cut off"])
def test_that_a_damaged_index_is_made_again(content: bytes | None, tmp_path: Path) -> None:
    make_run(tmp_path, "a")
    seen = RunIndex(tmp_path).refresh()
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[: len(whole) // 3] if content is None else content)
    assert RunIndex(tmp_path).entries() == []
    assert RunIndex(tmp_path).refresh() == seen
    assert RunIndex(tmp_path).entries() == seen


@pytest.mark.parametrize("change", ["tags = '{'", "steps = 'many'", "name = x'00'", "frechet = 'far'", "seconds = 'x'"])
def test_that_a_strange_row_makes_the_index_again(change: str, tmp_path: Path) -> None:
    make_run(tmp_path, "a")
    seen = RunIndex(tmp_path).refresh()
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute(f"UPDATE run SET {change}")
    connection.close()
    assert RunIndex(tmp_path).refresh() == seen


def _cut(name: str) -> Callable[[Path], None]:
    def cut(run: Path) -> None:
        content = (run / name).read_bytes()
        (run / name).write_bytes(content[: len(content) // 2])

    return cut


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (_cut("config.json"), "not valid JSON"),
        (lambda run: (run / "config.json").unlink(), "cannot be opened"),
        (lambda run: (run / "config.json").write_text('{"model": {"kind": "oracle"}}'), "oracle"),
        (_cut("summary.json"), "summary cannot be read"),
        (lambda run: (run / "summary.json").write_text("[]"), "no JSON object"),
        (_cut("metrics.sqlite"), "metrics cannot be read"),
        (lambda run: (run / "metrics.sqlite").write_bytes(b"x" * 5000), "metrics cannot be read"),
        (_cut("frames.sqlite"), "sample grids cannot be read"),
        (lambda run: (run / "notes.json").write_text('{"tags": 3}'), "notes cannot be read"),
        (lambda run: (run / "notes.json").mkdir(), "notes cannot be read"),
    ],
)
def test_that_a_damaged_folder_stands_in_the_list_with_its_reason(
    damage: Callable[[Path], None], reason: str, tmp_path: Path
) -> None:
    for name in ("good", "bad"):
        make_run(tmp_path, name)
    damage(tmp_path / "bad")
    found = by_folder(RunIndex(tmp_path).refresh())
    assert (found["bad"].status, found["bad"].name) == ("damaged", "bad")
    assert reason in found["bad"].fault
    assert (found["good"].status, found["good"].fault) == ("completed", "")


def test_that_a_run_that_was_never_saved_is_unfinished(tmp_path: Path) -> None:
    path = make_run(tmp_path, "a", make_config(offsets={"3": 1.0}))
    (path / "summary.json").unlink()
    (entry,) = RunIndex(tmp_path).refresh()
    assert (entry.status, entry.name, entry.tilt, entry.fault) == ("unfinished", "Digits · VAE · 3 +1", "3 +1", "")
    assert (entry.steps, entry.seconds) == (100, 2.0)
    assert entry.started[:2] == "20"


@pytest.mark.parametrize(
    "summary",
    [{"steps": "many"}, {"steps": -1}, {"steps": 1e300}, {"started": "today"}, {"offsets": [1]}, {"status": None}],
    ids=str,
)
def test_that_a_summary_with_odd_values_is_listed_all_the_same(summary: dict[str, object], tmp_path: Path) -> None:
    make_run(tmp_path, "a", summary=summary)
    (entry,) = RunIndex(tmp_path).refresh()
    assert not entry.fault
    assert RunIndex(tmp_path).entries() == [entry]


def test_that_what_is_no_run_is_left_alone(tmp_path: Path) -> None:
    make_run(tmp_path, "run")
    (tmp_path / "empty").mkdir()
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "cat.png").write_bytes(b"")
    (tmp_path / "thesis.txt").write_text("")
    make_run(tmp_path, ".hidden")
    os.symlink(tmp_path / "run", tmp_path / "link")
    assert list(by_folder(RunIndex(tmp_path).refresh())) == ["run"]


def test_that_a_workspace_that_is_not_there_yet_has_no_runs(tmp_path: Path) -> None:
    index = RunIndex(tmp_path / "none")
    assert (index.entries(), index.refresh()) == ([], [])
    assert not (tmp_path / "none").exists()


def test_that_a_workspace_that_cannot_be_written_is_listed(tmp_path: Path) -> None:
    make_run(tmp_path, "a")
    (tmp_path / FILE).mkdir()  # stands in the way
    assert list(by_folder(RunIndex(tmp_path).refresh())) == ["a"]


def test_that_what_was_read_before_a_cancel_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "_BATCH", 2)
    for name in "abcde":
        make_run(tmp_path, name, frames=0)
    told: list[str] = []

    def listen(text: str, fraction: float | None) -> None:
        told.append(text)
        if len(told) == 4:
            progress.cancel()

    progress = Progress(listen)
    with pytest.raises(Cancelled):
        RunIndex(tmp_path).refresh(progress)
    assert len(RunIndex(tmp_path).entries()) == 4
    assert len(RunIndex(tmp_path).refresh()) == 5


def test_that_tags_are_plain_and_each_once() -> None:
    notes = RunNotes(tags=("  best  of  all ", "", "best of all", "x" * 90))
    assert notes.tags == ("best of all", "x" * 40)


def test_that_the_workspace_that_was_chosen_is_remembered(private_home: Path, tmp_path: Path) -> None:
    assert runs_root() == default_runs_root()
    choose_runs_root(tmp_path / "my runs Δ")
    assert runs_root() == tmp_path / "my runs Δ"
    (state_dir() / "workspace").write_bytes(b"\xff\xfe")
    assert runs_root() == default_runs_root()
