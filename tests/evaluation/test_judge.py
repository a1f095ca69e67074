"""The judge: what it learns, that it leaves other random streams alone, and that it is trained once."""

import copy
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from studio.data.catalog import dataset_spec, load_dataset
from studio.data.image_set import ImageSet
from studio.errors import Cancelled
from studio.evaluation.confusion import HeldOut
from studio.evaluation.evaluation import TiltedData, evaluate
from studio.evaluation.judge import WEIGHS, Judge, as_tensor, train_judge
from studio.evaluation.judge_network import SEEN
from studio.evaluation.judge_store import judge_for
from studio.evaluation.record import caveats, evaluation_of, record, table
from studio.evaluation.shares import estimate
from studio.perturb.arrays import Indices
from studio.progress import Progress


def stripes(count: int = 150, *, channels: int = 1, height: int = 8, width: int = 8) -> ImageSet:
    """Noise with a bright top, left or middle: three classes that are easily told apart."""
    rng = np.random.default_rng(0)
    labels = np.sort(rng.choice(3, count, p=[0.6, 0.3, 0.1])).astype(np.int64)
    labels[:3] = [0, 1, 2]
    images = rng.integers(0, 90, (count, height, width, channels)).astype(np.uint8)
    half = (slice(0, height // 2), slice(0, width))
    side = (slice(0, height), slice(0, width // 2))
    middle = (slice(height // 4, -height // 4), slice(width // 4, -width // 4))
    for label, place in enumerate((half, side, middle)):
        members = np.flatnonzero(labels == label)[:, None, None]
        images[members, np.arange(height)[place[0], None], np.arange(width)[place[1]]] = 230
    return ImageSet(name="Stripes", images=images, labels=labels, class_names=("top", "left", "middle"))


@pytest.fixture(scope="module")
def data() -> ImageSet:
    return stripes()


@pytest.fixture(scope="module")
def judge(data: ImageSet) -> Judge:
    return train_judge(data, Progress())


def held_out_of(counts: Indices) -> list[int]:
    """A sixth, or 60 where that is no more than a third, or else a third, or five."""
    return [max(round(count / 6), min(60, count // 3), 5) for count in counts.tolist()]


def test_that_it_tells_classes_apart_on_examples_held_out(judge: Judge, data: ImageSet) -> None:
    assert judge.confusion().sum(axis=0).tolist() == held_out_of(data.counts)
    assert judge.accuracy > 0.9


@pytest.mark.parametrize(("channels", "height", "width"), [(3, 10, 13), (1, 40, 70), (3, 33, 5)])
def test_that_any_shape_and_colour_will_do(channels: int, height: int, width: int) -> None:
    data = stripes(40, channels=channels, height=height, width=width)
    judge = train_judge(data, Progress())
    assert judge.features.shape == (40, SEEN)
    assert np.isfinite(judge.features).all()
    assert judge.judge(data.images[:7]).labels.shape == (7,)


def test_that_what_it_cannot_decide_is_a_class_of_its_own(judge: Judge) -> None:
    grey = np.full((4, 8, 8, 1), 45, np.uint8)
    undecided = copy.deepcopy(judge)
    for parameter in undecided.network.parameters():
        parameter.zero_()
    assert undecided.judge(grey).labels.tolist() == [3, 3, 3, 3]


def test_that_training_it_leaves_torchs_own_random_stream_alone(
    data: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.evaluation.judge._SEEN", 1_000)
    before = torch.get_rng_state()
    train_judge(data, Progress())
    assert torch.equal(before, torch.get_rng_state())


def test_that_who_weighs_says_what_it_calls_an_image_and_hardly_anything_else(judge: Judge, data: ImageSet) -> None:
    images = data.images[:200]
    with torch.no_grad():
        plain = judge.network.members[WEIGHS](as_tensor(images)).double().softmax(1).numpy()
    found = judge.weigh(images)
    assert found == pytest.approx(plain**4 / (plain**4).sum(1, keepdims=True))
    assert np.array_equal(found.argmax(1), plain.argmax(1))


def test_that_it_is_trained_once_per_data_set(data: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.evaluation.judge._SEEN", 1_000)
    first = judge_for(data, Progress(), tmp_path)
    monkeypatch.setattr("studio.evaluation.judge_store.train_judge", lambda *_: pytest.fail("trained again"))
    again = judge_for(data, Progress(), tmp_path)
    assert again.confusion().tolist() == first.confusion().tolist()
    np.testing.assert_array_equal(again.held_out.examples, first.held_out.examples)
    np.testing.assert_array_equal(again.features, first.features)
    np.testing.assert_array_equal(again.judge(data.images).features, first.judge(data.images).features)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".safetensors"]


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"[]", b"\x00" * 64, None], ids=["empty", "list", "zeros", "half"])
def test_that_a_damaged_one_is_trained_anew(
    data: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, content: bytes | None, judge: Judge
) -> None:
    monkeypatch.setattr("studio.evaluation.judge_store.train_judge", lambda *_: judge)
    judge_for(data, Progress(), tmp_path)
    (path,) = tmp_path.glob(f"*{suffix}")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    assert judge_for(data, Progress(), tmp_path) is judge
    assert path.read_bytes() == whole


def test_that_one_of_which_half_is_another_s_is_trained_anew(
    data: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, judge: Judge
) -> None:
    """As when two programs train it at once, and one is killed between its two files."""
    other = replace(judge, network=copy.deepcopy(judge.network))
    for parameter in other.network.parameters():
        parameter.mul_(0.5)
    monkeypatch.setattr("studio.evaluation.judge_store.train_judge", lambda *_: judge)
    judge_for(data, Progress(), tmp_path)
    monkeypatch.setattr("studio.evaluation.judge_store.train_judge", lambda *_: other)
    judge_for(data, Progress(), tmp_path / "other")
    (theirs,) = (tmp_path / "other").glob("*.safetensors")
    shutil.copy(theirs, tmp_path)
    assert judge_for(data, Progress(), tmp_path) is other
    assert judge_for(data, Progress(), tmp_path).fingerprint == other.fingerprint


@pytest.mark.parametrize(("name", "value"), [("examples", 10**6), ("examples", -1), ("truth", 1), ("judged", 4)])
def test_that_held_out_examples_of_other_data_are_not_taken(
    data: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, judge: Judge, name: str, value: int
) -> None:
    monkeypatch.setattr("studio.evaluation.judge_store.train_judge", lambda *_: judge)
    judge_for(data, Progress(), tmp_path)
    (path,) = tmp_path.glob("*.json")
    kept = json.loads(path.read_text())
    kept["held_out"][name][0] = value
    path.write_text(json.dumps(kept))
    assert judge_for(data, Progress(), tmp_path) is judge


def test_that_it_goes_on_where_it_cannot_be_kept(
    data: ImageSet, tmp_path: Path, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.evaluation.judge_store.train_judge", lambda *_: judge)
    (tmp_path / "judges").write_text("a file where the folder should be")
    assert judge_for(data, Progress(), tmp_path / "judges") is judge


def test_that_cancelling_leaves_nothing(data: ImageSet, tmp_path: Path) -> None:
    told: list[str] = []

    def listen(text: str, fraction: float | None) -> None:
        told.append(text)
        if fraction and fraction > 0.3:
            progress.cancel()

    progress = Progress(listen)
    with pytest.raises(Cancelled):
        judge_for(data, progress, tmp_path)
    assert "Training the judge" in told
    assert list(tmp_path.iterdir()) == []


def test_that_real_examples_drawn_to_the_target_are_found_to_have_arrived(judge: Judge, data: ImageSet) -> None:
    """The tilted data is its own best model: shares in their intervals, distances near their floors."""
    log_weights = np.array([0.0, 0.0, 2.5])[data.labels]
    target = TiltedData.of(judge, log_weights, 600)
    weights = np.exp(log_weights)
    drawn = np.random.default_rng(4).choice(len(data), 600, p=weights / weights.sum())
    images = data.images[drawn]
    found = evaluate(judge, target, images, judge.judge(images))
    assert found.target[2] == pytest.approx((weights * (data.labels == 2)).sum() / weights.sum())
    assert (found.shares.low <= found.target).all()
    assert (found.target <= found.shares.high).all()
    assert found.tv < 0.1
    assert found.frechet < 5 * found.frechet_floor
    untilted = evaluate(judge, target, data.images, judge.judge(data.images))
    assert untilted.frechet > 5 * found.frechet
    assert untilted.tv > found.tv
    assert untilted.kl > found.kl
    assert untilted.mmd > found.mmd
    assert found.nearness == 0
    chosen = found.specimens
    assert np.array_equal(chosen.images, chosen.neighbours)


def test_that_a_tilt_within_a_class_tilts_the_confusion_by_which_shares_are_corrected(
    judge: Judge, data: ImageSet
) -> None:
    """Half of a class's held-out examples, the bright ones, are judged unsure; a tilt that asks for no others knows."""
    held = np.flatnonzero(data.labels == 0)[:40]
    doubted = np.arange(40) < 20
    kept = HeldOut(examples=held, truth=np.zeros(40, np.int64), judged=np.where(doubted, 3, 0))
    log_weights = np.zeros(len(data))
    log_weights[held[~doubted]] = -np.inf
    votes = np.stack([kept.judged, np.zeros(40, np.int64)], axis=1)
    target = TiltedData.of(replace(judge, held_out=kept, votes=votes), log_weights, 100)
    assert target.confusion[:, 0].tolist() == [0, 0, 0, 20]
    assert [each[:, 0].tolist() for each in target.confusions] == [[0, 0, 0, 20], [20, 0, 0, 0]]
    other = replace(judge, held_out=kept, votes=votes, trained_on="Other")
    assert TiltedData.of(other, log_weights, 100).confusion[:, 0].sum() == 40


def test_that_shares_of_other_data_are_corrected_alike_whatever_the_gauge_of_weights(
    judge: Judge, data: ImageSet
) -> None:
    other = replace(judge, trained_on="Other", labels=np.where(np.arange(len(data)) % 7 == 0, 3, data.labels))
    weights = np.exp(np.random.default_rng(1).standard_normal(len(data)))
    np.testing.assert_allclose(other.shares(1e-3 * weights), other.shares(weights))
    np.testing.assert_allclose(other.shares(np.ones(len(data))), other.shares())


def test_that_the_record_has_every_figure_by_class_name(judge: Judge, data: ImageSet) -> None:
    target = TiltedData.of(judge, np.zeros(len(data)), 100)
    found = evaluate(judge, target, data.images[:100], judge.judge(data.images[:100]))
    kept = record(found)
    assert list(kept["classes"]) == ["top", "left", "middle"]
    for entry in (*kept["classes"].values(), kept["unsure"]):
        shares = {"raw", "raw_low", "raw_high", "corrected", "low", "high", "deviation"}
        of_all = set() if entry is kept["unsure"] else {"least", "most"}
        assert set(entry) == {"data", "target"} | shares | of_all
        assert all(type(value) is float for value in entry.values())
    assert {"tv", "kl", "frechet", "frechet_floor", "mmd"} <= set(kept)
    unsure = kept["unsure"]["corrected"]
    for entry in kept["classes"].values():
        assert entry["least"] == pytest.approx(entry["corrected"] * (1 - unsure))
        assert entry["most"] == pytest.approx(entry["least"] + unsure)
    lines = table(found).splitlines()
    assert max(len(line) for line in lines) <= 80
    assert [line.split()[0] for line in lines[:5]] == ["class", "top", "left", "middle", "unsure"]


def test_that_an_evaluation_comes_back_from_its_record(judge: Judge, data: ImageSet) -> None:
    target = TiltedData.of(judge, np.zeros(len(data)), 100)
    found = evaluate(judge, target, data.images[:100], judge.judge(data.images[:100]))
    kept = evaluation_of(json.loads(json.dumps(record(found))))
    assert kept.class_names == found.class_names
    for name in ("data", "target"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(found, name))
    for name in ("raw", "raw_low", "raw_high", "corrected", "low", "high", "deviation"):
        np.testing.assert_array_equal(getattr(kept.shares, name), getattr(found.shares, name))
    assert record(kept) == record(found)
    assert table(kept) == table(found)
    assert not len(kept.specimens.images)


def test_that_it_is_said_which_shares_cannot_be_corrected_or_told_apart(judge: Judge, data: ImageSet) -> None:
    target = TiltedData.of(judge, np.zeros(len(data)), 100)
    found = evaluate(judge, target, data.images[:100], judge.judge(data.images[:100]))
    plain = replace(found, shares=estimate([50, 30, 20, 0], np.vstack([np.diag([50, 50, 50]), np.zeros(3)])))
    assert caveats(plain) == ()
    confusion = [[2, 0, 0], [0, 50, 50], [0, 50, 50], [0, 0, 0]]
    kept = evaluation_of(json.loads(json.dumps(record(replace(found, shares=estimate([50, 30, 20, 0], confusion))))))
    few, alike = caveats(kept)
    assert few == "Too few held-out examples to correct the share of top."
    assert alike.startswith("The judge cannot tell left from middle: together they have 50.0 % (")
    lines = table(kept).splitlines()
    assert few in lines
    assert max(len(line) for line in lines) <= 80


def test_that_many_classes_are_not_all_named(judge: Judge, data: ImageSet) -> None:
    found = evaluate(judge, TiltedData.of(judge, np.zeros(len(data)), 100), data.images, judge.judge(data.images))
    many = replace(found, class_names=tuple("abcdefghij"), shares=estimate(np.ones(11), np.zeros((11, 10))))
    assert caveats(many) == ("Too few held-out examples to correct the share of a, b, c, d, e, f and 4 more.",)


@pytest.mark.parametrize("damaged", [{}, {"classes": {}}, {"classes": [], "unsure": {}}, {"classes": {"a": {}}}])
def test_that_what_is_no_record_is_refused(damaged: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no shares"):
        evaluation_of(damaged)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_that_mnist_is_judged_right_99_times_in_100_where_the_committee_is_sure(
    mnist_root: Path, tmp_path: Path
) -> None:
    data = load_dataset(dataset_spec("mnist").config(), mnist_root)
    assert isinstance(data, ImageSet)
    judge = judge_for(data, Progress(), tmp_path)
    assert judge.accuracy >= 0.985
    confusion = judge.confusion()
    assert np.trace(confusion) / confusion[:-1].sum() >= 0.99
    assert confusion[-1].sum() / confusion.sum() < 0.02
