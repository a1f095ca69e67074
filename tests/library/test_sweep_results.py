"""What is read of a sweep's runs, whatever became of them."""

import csv
import io
import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from studio.errors import UserError
from studio.library.index import RunIndex
from studio.library.run_summary import RunSummary, summary_of
from studio.library.sweep_results import HIGH, LOW, MEASURED, SHARE_ERROR, Member, SweepReader, members_of
from studio.training.config.sweep_mark import FILE, SweepMark, read_mark, title_of, write_mark
from studio.training.messages.events import Logged
from studio.training.storage.metrics import append_metrics
from tests.library.made_runs import make_run
from tests.library.swept_runs import NAME, SETTINGS, make_sweep


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_run(tmp_path, "alone", frames=0)
    make_sweep(tmp_path)
    return tmp_path


def test_that_the_runs_of_a_sweep_are_found_with_their_numbers(root: Path) -> None:
    results = SweepReader().read(members_of(root, NAME))
    assert (results.title, results.settings, len(results.runs)) == ("Tilts", SETTINGS, 12)
    assert results.names[:6] == ("steps", "seconds", SHARE_ERROR, LOW, HIGH, "frechet")
    strong, even = results.runs[0].numbers, results.runs[8].numbers
    assert strong[SHARE_ERROR] > 0.05 > even[SHARE_ERROR]
    assert 0 < strong[LOW] < strong[SHARE_ERROR] < strong[HIGH]
    assert even[LOW] == 0
    assert SHARE_ERROR not in results.runs[-1].numbers
    assert results.runs[0].title == "ΔH(2)=-2, Planner=Error carry, Seed=0"


def test_that_an_evaluation_before_the_last_step_comes_with_its_step(root: Path) -> None:
    append_metrics(root / "tilts_002", [Logged(step=600, seconds=12.0, values={"loss_autoencoder": 0.1})])
    results = SweepReader().read(members_of(root, NAME))
    assert results.names[6] == MEASURED
    assert [run.numbers.get(MEASURED) for run in results.runs[:3]] == [None, 100, None]
    assert results.rows()[1]["measured_step"] == 100


def test_that_a_run_that_was_edited_stands_there_as_it_was_trained(root: Path) -> None:
    summary = json.loads((root / "tilts_002" / "summary.json").read_text())
    summary["config"]["perturbation"]["offsets"]["2"] = -3.0
    (root / "tilts_002" / "summary.json").write_text(json.dumps(summary))
    results = SweepReader().read(members_of(root, NAME))
    assert [row["perturbation.offsets.2"] for row in results.rows()[:3]] == [-2, -3, -2]
    assert results.runs[1].title == "ΔH(2)=-3, Planner=Error carry, Seed=1"


def test_that_a_share_error_of_another_target_is_left_out(root: Path) -> None:
    summary = json.loads((root / "tilts_002" / "summary.json").read_text())
    noted = [{"step": step, "revision": step // 100, "offsets": {"2": float(step)}} for step in (0, 100)]
    summary |= {"began_with": noted[0], "edits": noted[1:], "revision": 1}
    (root / "tilts_002" / "summary.json").write_text(json.dumps(summary))
    rows = SweepReader().read(members_of(root, NAME)).rows()
    assert [row["share_error"] is None for row in rows[:3]] == [False, True, False]
    assert [row["loss_autoencoder"] is None for row in rows[:3]] == [False, True, False]


@pytest.mark.parametrize(
    ("asked", "judge", "left_out"),
    [
        ("", "MNIST", True),
        ("kmnist", "MNIST", True),
        ("kmnist", "KMNIST", False),
        ("folder:/pets", "pets", False),
        ("folder:/pets", "MNIST", True),
        ("folder:/pets", "", True),
        ("folder:/" + 50 * "a", 50 * "a", False),
    ],
)
def test_that_a_share_error_by_another_judge_than_the_run_asks_for_is_left_out(
    asked: str, judge: str, left_out: bool, root: Path
) -> None:
    path = root / "tilts_002" / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"evaluation": config["evaluation"] | {"judge": asked}}))
    with closing(sqlite3.connect(root / "tilts_002" / "metrics.sqlite", isolation_level=None)) as connection:
        connection.execute("UPDATE evaluation SET record = json_set(record, '$.judge', ?)", (judge,))
    rows = SweepReader().read(members_of(root, NAME)).rows()
    assert [row["share_error"] is None for row in rows[:3]] == [False, left_out, False]
    assert rows[1]["loss_autoencoder"] is not None


def test_that_a_copy_of_a_run_counts_once(root: Path) -> None:
    shutil.copytree(root / "tilts_002", root / "a copy of tilts_002")
    results = SweepReader().read(members_of(root, NAME))
    assert [run.member.folder.name for run in results.runs] == [f"tilts_{number:03d}" for number in range(1, 13)]
    assert results.copies == ("a copy of tilts_002",)
    queued = [replace(each, status="completed") if " " in each.folder.name else each for each in members_of(root, NAME)]
    assert SweepReader().read(queued).copies == ("tilts_002",)


def test_that_runs_that_were_moved_are_read_where_they_are_and_not_where_the_queue_had_them(root: Path) -> None:
    here = members_of(root, NAME)
    queued = [replace(each, folder=root.parent / "before" / each.folder.name, status="completed") for each in here]
    results = SweepReader().read([*queued, *here])
    assert results.rows() == SweepReader().read(here).rows()
    assert results.copies == ()


def test_that_results_are_csv_and_json(root: Path) -> None:
    results = SweepReader().read(members_of(root, NAME))
    rows = list(csv.DictReader(io.StringIO(results.to_csv())))
    assert (rows[0]["perturbation.offsets.2"], rows[0]["run"], rows[-1]["share_error"]) == ("-2", "tilts_001", "")
    record = json.loads(results.to_json())
    assert record["sweep"] == NAME
    assert record["runs"][3]["seed"] == 1


def test_that_only_runs_that_have_changed_are_read_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, members = SweepReader(), members_of(root, NAME)
    reader.read(members)
    seen: list[str] = []

    def look(folder: Path) -> RunSummary:
        seen.append(folder.name)
        return summary_of(folder)

    monkeypatch.setattr("studio.library.sweep_results.summary_of", look)
    (members[2].folder / "summary.json").write_text(json.dumps({"status": "stopped"}))
    results = reader.read(members)
    assert seen == ["tilts_003"]
    assert results.runs[2].status == "stopped"


def test_that_runs_that_wait_are_gone_or_are_damaged_stand_there_too(root: Path) -> None:
    members = members_of(root, NAME)
    shutil.rmtree(members[0].folder)
    (members[1].folder / "config.json").write_text("{")
    (members[2].folder / "metrics.sqlite").write_bytes(b"x" * 5000)
    mark = SweepMark(sweep=NAME, number=13, count=13, values={"seed": 9})
    waiting = Member(folder=root / "not yet", mark=mark, status="waiting")
    results = SweepReader().read([*members, waiting])
    assert [run.status for run in (*results.runs[:2], results.runs[-1])] == ["gone", "damaged", "waiting"]
    assert "not valid JSON" in results.runs[1].error
    assert "metrics" in results.runs[2].error


def test_that_the_list_of_runs_knows_and_finds_the_sweep(root: Path) -> None:
    entries = RunIndex(root).refresh()
    assert {entry.sweep for entry in entries} == {"", NAME}
    assert sum(entry.matches(["tilts_2026"]) for entry in entries) == 12
    assert "Tilts: ΔH(2)=-1, Planner=Stratified, Seed=1" in [entry.name for entry in entries]
    assert RunIndex(root).entries() == entries


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"sweep": "a", "number": 0, "count": 1}', '{"sweep": "a", "number": 1, "count": 1, "x": 1}'],
)
def test_that_a_damaged_mark_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(UserError, match="place in its sweep"):
        read_mark(tmp_path)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "1" + "0" * 400])
def test_that_a_mark_holds_no_number_that_cannot_be_drawn(tmp_path: Path, number: str) -> None:
    (tmp_path / FILE).write_text(f'{{"sweep": "a", "number": 1, "count": 1, "values": {{"x": {number}}}}}')
    with pytest.raises(UserError, match="place in its sweep"):
        read_mark(tmp_path)


def test_that_an_evaluation_of_nonsense_gives_no_interval(root: Path) -> None:
    with closing(sqlite3.connect(root / "tilts_001" / "metrics.sqlite", isolation_level=None)) as connection:
        ((text,),) = connection.execute("SELECT record FROM evaluation")
        record = json.loads(text)
        record["classes"]["3"] |= {"target": 1e308, "corrected": -1e308}
        connection.execute("UPDATE evaluation SET record = ?", (json.dumps(record),))
    numbers = SweepReader().read(members_of(root, NAME)).runs[0].numbers
    assert SHARE_ERROR in numbers
    assert LOW not in numbers


def test_that_a_mark_is_what_was_written(tmp_path: Path) -> None:
    mark = SweepMark(sweep="a", title="A", number=2, count=3, settings=("x",), values={"x": [1, "b", None]})
    write_mark(tmp_path, mark)
    assert read_mark(tmp_path) == mark
    kinds = title_of({"perturbation.offsets.a.b": 0.25, "model.kind": "vae", "dataset.kind": "digits"})
    assert kinds == "ΔH(a.b)=0.25, Model=VAE, Data set=Digits"
    deep = title_of({"model.critic_optimiser.learning_rate": 1e-3, "model.critic_optimiser.kind": "sgd"})
    assert deep == "Learning rate (critic optimiser)=0.001, Optimiser (critic optimiser)=SGD"
    plain = title_of({"batch.average_size": 32, "hold.on": True, "name": "my_name", "no.longer_there": "any_text"})
    assert plain == "Batch size B_avg=32, Hold the shares=on, Name=my_name, Longer there=any_text"
