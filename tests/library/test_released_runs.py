"""Runs of every released version open in this one."""

from dataclasses import replace
from pathlib import Path

import pytest

from studio import __version__
from studio.cli.main import main
from studio.data.digits import DigitsConfig, load_digits
from studio.errors import UserError
from studio.library.compare import final_numbers, read_runs
from studio.library.export.archive import unpack
from studio.library.export.formats import FORMATS, ExportFormat
from studio.library.export.options import ExportOptions
from studio.library.index import RunIndex
from studio.progress import Progress
from studio.training.storage.checkpoint_store import CheckpointStore
from studio.training.storage.frames import FrameStore
from studio.training.storage.metrics import read_metrics
from studio.training.storage.run import Run
from tests.library.made_runs import make_run
from tests.released_runs import FOLDER, RUNS
from tests.threads import with_one_thread

_NEEDS_A_JUDGE = ("classes",)


one_thread = pytest.fixture(autouse=True, scope="module")(with_one_thread)


@pytest.fixture(params=RUNS, ids=lambda archive: archive.stem)
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return unpack(request.param, tmp_path / "runs")


def test_that_the_library_lists_it_with_its_numbers(run: Path) -> None:
    (entry,) = RunIndex(run.parent).refresh()
    assert entry.fault == ""
    assert (entry.dataset, entry.model) == ("Digits", "RBM")
    assert entry.tilt == "2 −1, 1 term"
    assert entry.steps == 20
    assert entry.status == "completed"
    assert entry.thumbnail
    metrics = read_metrics(run)
    assert metrics.steps.tolist() == [5, 10, 15, 20]
    assert "loss_machine" in metrics.columns
    frames = FrameStore(run)
    shown = frames.at(entry.steps)
    assert shown.grid.averaged.dtype == "uint8"


def test_that_it_is_compared_with_a_run_of_today(run: Path) -> None:
    found = read_runs([run, make_run(run.parent, "today")], Progress())
    assert [run.entry.steps for run in found] == [read_metrics(run).steps[-1], 100]
    assert len(final_numbers(found)) > 3


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, id=kind.name, marks=pytest.mark.slow if kind.name in ("onnx", "torch-export") else ())
        for kind in FORMATS
        if kind.name not in _NEEDS_A_JUDGE
    ],
)
def test_that_it_is_saved_in_every_form(kind: ExportFormat, run: Path, tmp_path: Path) -> None:
    out = tmp_path / f"out{next(iter(kind.endings), '')}"
    assert kind.write(run, out, ExportOptions(count=3, seconds=1.0), Progress())
    assert out.exists()


def test_that_its_data_and_its_target_are_known(run: Path) -> None:
    found, digits = Run.open(run), load_digits(DigitsConfig(), run, Progress())
    assert found.identity.target.offsets == {"2": -1.0}
    assert len(found.identity.target.terms) == 1
    found.identity.ensure_data(digits)
    others = replace(digits, images=255 - digits.images)
    with pytest.raises(UserError, match="not the one that the run was trained on"):
        found.identity.ensure_data(others)


def test_that_it_goes_on(run: Path) -> None:
    steps = CheckpointStore(run).steps
    before = read_metrics(run)
    assert main(["fork", str(run), "--step", str(steps[0]), "--steps", str(steps[0] + 5)]) == 0
    assert main(["resume", str(run), "--steps", str(steps[-1] + 10)]) == 0
    after = read_metrics(run)
    assert after.steps.tolist() == [*before.steps.tolist(), steps[-1] + 5, steps[-1] + 10]
    assert [found.record for found in after.evaluations] == [found.record for found in before.evaluations]


def test_that_the_version_of_today_is_among_them() -> None:
    assert FOLDER / f"{__version__}.zip" in RUNS, "python -m tests.released_runs writes it"
