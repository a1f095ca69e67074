"""What a run is made into for others: pictures, a time-lapse, a table."""

import csv
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from studio.errors import Cancelled, UserError
from studio.evaluation.record import with_unsure
from studio.library.export.event_file import write_events
from studio.library.export.metrics_table import write_csv, write_parquet
from studio.library.export.network import Network
from studio.library.export.pictures import Captions, _captioned, captioned_grids, write_grid, write_timelapse
from studio.library.export.samples import _folders
from studio.progress import Progress
from studio.training.config.file import parse_config
from studio.training.config.run_config import target_record
from studio.training.messages.events import Logged
from studio.training.storage.frames import Frame, FrameStore
from studio.training.storage.metrics import append_metrics
from studio.training.storage.sample_strips import tiled
from tests.library.made_runs import CLASSES, add_weights, make_config, make_grid, make_run, record_evaluation

OFFSETS = {"2": -1.36, "7": 0.5, "1": 0.1, "4": 3.0}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = make_run(tmp_path, "run", make_config("<b>mine</b>", offsets=OFFSETS), steps=1000, frames=6)
    record_evaluation(path, 1000, 0.03, 12.0)
    return path


def test_that_a_grid_is_enlarged_by_a_whole_factor(run: Path, tmp_path: Path) -> None:
    assert write_grid(run, tmp_path / "grid.png", step=500) == 400
    frame = FrameStore(run).at(400)
    with Image.open(tmp_path / "grid.png") as picture:
        pixels, how = np.asarray(picture), json.loads(picture.info["how"])
    assert (how["run"], how["step"], how["averaged"], how["target"]["offsets"]["2"]) == ("run", 400, True, -1.36)
    grid = tiled(frame.grid.averaged)[..., 0]
    factor = pixels.shape[0] // grid.shape[0]
    assert factor >= 10
    assert np.array_equal(pixels, np.kron(grid, np.ones((factor, factor), np.uint8)))


def test_that_a_run_without_grids_says_so(tmp_path: Path) -> None:
    run = make_run(tmp_path, "bare", frames=0)
    for write in (write_grid, write_timelapse):
        with pytest.raises(UserError, match="no sample grids"):
            write(run, tmp_path / "out.gif")
    assert not (tmp_path / "out.gif").exists()


@pytest.mark.parametrize("ending", ["gif", "webp"])
def test_that_a_time_lapse_has_every_grid_with_its_caption(ending: str, run: Path, tmp_path: Path) -> None:
    out = tmp_path / f"run.{ending}"
    assert write_timelapse(run, out, seconds=3) == 6
    with Image.open(out) as picture:
        assert getattr(picture, "n_frames", 1) == 6
        bands = []
        for place in range(6):
            picture.seek(place)
            bands.append(np.asarray(picture.convert("L"))[-28:])
    assert all((band > 200).any() for band in bands)
    assert any(not np.array_equal(bands[0], band) for band in bands[1:])


def test_that_a_time_lapse_of_another_format_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"\.gif or \.webp or \.mp4"):
        write_timelapse(run, tmp_path / "run.avi")


def test_that_a_video_shows_every_grid_for_its_time(run: Path, tmp_path: Path) -> None:
    assert write_timelapse(run, tmp_path / "run.mp4", seconds=2) == 6
    grids = captioned_grids(run, Progress(), averaged=True)
    with av.open(tmp_path / "run.mp4") as container:
        (stream,) = container.streams.video
        assert stream.codec_context.name == "h264"
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        assert stream.average_rate == 25
    assert len(frames) == 50 + 38
    for place, grid in zip((0, 9, 17, 26, 34, -1), grids, strict=True):
        shown = frames[place][: grid.height, : grid.width]
        assert np.abs(shown.astype(float) - np.asarray(grid)).mean() < 3


def test_that_a_short_video_passes_some_grids_over(run: Path, tmp_path: Path) -> None:
    write_timelapse(run, tmp_path / "run.mp4", seconds=0.1)
    with av.open(tmp_path / "run.mp4") as container:
        assert sum(1 for _ in container.decode(video=0)) == 2 + 38


def test_that_a_time_lapse_that_is_called_off_leaves_nothing(run: Path, tmp_path: Path, cancelled: Progress) -> None:
    with pytest.raises(Cancelled):
        write_timelapse(run, tmp_path / "run.gif", cancelled)
    assert not (tmp_path / "run.gif").exists()


def test_that_a_caption_names_the_whole_target_of_its_moment(tmp_path: Path) -> None:
    """Scale, temperature and terms, which offsets do not show, and the target from before an edit."""
    began = make_config(offsets={"2": -1.0}).perturbation.model_copy(update={"temperature": 0.5, "offsets_scale": 2.0})
    targets = [each.resolve(CLASSES) for each in (began, make_config().perturbation)]
    noted = [
        {"step": 50 * place, "revision": place} | target_record(each, CLASSES) for place, each in enumerate(targets)
    ]
    summary = {"began_with": noted[0], "edits": noted[1:], "revision": 1}
    captions = Captions(make_run(tmp_path, "run", summary=summary))
    frame = Frame(grid=make_grid(1200), seconds=0.0, offsets={"2": -1.0})
    said = [captions.of(replace(frame, revision=revision)) for revision in range(3)]
    assert said == ["step 1,200   ΔH 2 −4", "step 1,200   ΔH 0", "step 1,200   ΔH 2 −1"]
    true, plain = (np.asarray(_captioned(frame, f"ΔH 2 {sign}4", 1, averaged=True)) for sign in "−-")
    assert np.array_equal(true, plain), "Pillow's font lacks the true sign"
    term = {"kind": "linear", "feature": "ink", "slope": 0.1}
    tilted = parse_config({"model": {"kind": "vae"}, "perturbation": {"terms": [term]}}, "test")
    captions = Captions(make_run(tmp_path, "terms", tilted))
    assert captions.of(replace(frame, offsets={})) == "step 1,200   ΔH 1 term"
    write_grid(tmp_path / "terms", tmp_path / "grid.png")
    with Image.open(tmp_path / "grid.png") as picture:
        assert json.loads(picture.info["how"])["target"]["terms"][0]["slope"] == 0.1


def test_that_metrics_are_a_table(run: Path, tmp_path: Path) -> None:
    assert write_csv(run, tmp_path / "run.csv") == 100
    with (tmp_path / "run.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {"step": "10", "seconds": "0.2", "loss_autoencoder": "10", "epoch": "0.357142857"}
    assert rows[-1]["step"] == "1000"


def test_that_metrics_keep_their_types_as_parquet(run: Path, tmp_path: Path) -> None:
    append_metrics(run, [Logged(step=1010, seconds=20.2, values={"swap_rate": 0.5})])
    assert write_parquet(run, tmp_path / "run.parquet") == 101
    table = pyarrow.parquet.read_table(tmp_path / "run.parquet")
    assert [str(field.type) for field in table.schema] == ["int64", *["double"] * 4]
    assert table.column_names == ["step", "seconds", "loss_autoencoder", "epoch", "swap_rate"]
    assert table["step"].to_pylist() == list(range(10, 1011, 10))
    assert table["loss_autoencoder"].to_pylist()[:2] == [10.0, 5.0]
    assert table["loss_autoencoder"].to_pylist()[-1] is None
    assert table["swap_rate"].null_count == 100
    config = parse_config(json.loads(table.schema.metadata[b"config"]), "test")
    assert config.perturbation.offsets == OFFSETS


def test_that_tensorboard_reads_metrics_and_evaluations(run: Path, tmp_path: Path) -> None:
    for _ in range(2):  # the second one takes the first one's place
        assert write_events(run, tmp_path / "events") == 100
    (file,) = (tmp_path / "events" / run.name).iterdir()
    events = EventAccumulator(str(file.parent))
    events.Reload()
    assert {"loss_autoencoder", "epoch", "evaluation/tv", "evaluation/frechet"} <= set(events.Tags()["scalars"])
    losses = events.Scalars("loss_autoencoder")
    assert [point.step for point in losses] == list(range(10, 1001, 10))
    assert losses[1].value == pytest.approx(5.0)
    assert losses[-1].wall_time - losses[0].wall_time == pytest.approx(990 / 50)
    assert events.Scalars("evaluation/tv")[0].value == pytest.approx(0.03)
    assert file.name.startswith(f"events.out.tfevents.{losses[0].wall_time - 0.2:.0f}.")


def test_that_runs_in_one_folder_for_tensorboard_do_not_mix(run: Path, tmp_path: Path) -> None:
    """TensorBoard takes all files of a folder for one run."""
    copies = [shutil.copytree(run, tmp_path / name) for name in ("here/run: a", "there/run: a", "there/b")]
    for each in (*copies, *copies):
        write_events(each, tmp_path / "events")
    assert sorted(place.name for place in (tmp_path / "events").iterdir()) == ["b", "run- a", "run- a-2"]
    assert all(len(list(place.iterdir())) == 1 for place in (tmp_path / "events").iterdir())


@pytest.mark.parametrize(
    ("package", "extra", "write"),
    [
        ("av", "mp4", lambda run, out: write_timelapse(run, out / "x.mp4")),
        ("pyarrow", "parquet", lambda run, out: write_parquet(run, out / "x.parquet")),
        ("tensorboard.compat.proto.event_pb2", "tensorboard", lambda run, out: write_events(run, out / "x")),
    ],
)
def test_that_a_missing_package_is_named_with_its_extra(
    package: str,
    extra: str,
    write: Callable[[Path, Path], int],
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=rf'pip install "perturbation-studio\[{extra}\]"'):
        write(run, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_that_a_model_for_other_programs_says_the_step_of_its_weights(tmp_path: Path) -> None:
    """A run that has diverged keeps the weights from before."""
    small = make_config(model="vae", width=4, latent_size=4)
    run = add_weights(make_run(tmp_path, "a", small, frames=0, summary={"steps": 600, "weights_step": 400}))
    assert Network.of(run, averaged=True).about["step"] == 400


@pytest.mark.parametrize(
    ("classes", "folders"),
    [
        (("cat", "dog"), ["cat", "dog", "unsure"]),
        (("A", "a"), ["000_A", "001_a", "unsure"]),
        (("Straße", "STRASSE"), ["000_Straße", "001_STRASSE", "unsure"]),
        (("cat", "unsure"), ["000_cat", "001_unsure", "unsure"]),
        (("Unsure", "cat"), ["000_Unsure", "001_cat", "unsure"]),
        (("con", "cat"), ["000_con", "001_cat", "unsure"]),
        (("a/b", "a-b"), ["000_a-b", "001_a-b", "unsure"]),
    ],
)
def test_that_every_class_has_a_folder_of_its_own_on_any_system(
    tmp_path: Path, classes: tuple[str, ...], folders: list[str]
) -> None:
    assert [folder.name for folder in _folders(tmp_path, classes)] == folders
    assert sorted(folder.name for folder in tmp_path.iterdir()) == sorted(folders)


def test_that_a_class_called_unsure_is_not_the_judge_s_own() -> None:
    assert with_unsure(("cat", "dog")) == ("cat", "dog", "unsure")
    assert with_unsure(("cat", "unsure")) == ("cat", "unsure", "unsure (judge)")
    assert len(set(with_unsure(("Unsure", "cat")))) == 3
