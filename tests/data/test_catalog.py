"""The list of data sets and the one way to load any of them; the built-in digits."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel, ValidationError

from studio.data import digits, memory
from studio.data.catalog import DATASETS, AnyDataset, DatasetSpec, dataset_spec, load_dataset
from studio.data.digits import DigitsConfig, load_digits
from studio.data.idx_sets import MnistConfig
from studio.errors import Cancelled, UserError
from studio.progress import Progress
from tests.data.idx_files import write_idx_set


class Holder(BaseModel):
    dataset: AnyDataset


def test_that_the_built_in_digits_come_first_and_kinds_are_unique() -> None:
    kinds = [spec.kind for spec in DATASETS]
    assert kinds[0] == "digits"
    assert len(set(kinds)) == len(kinds)
    assert {"mnist", "fashion_mnist", "kmnist", "emnist_balanced"} <= set(kinds)


@pytest.mark.parametrize("spec", DATASETS, ids=lambda spec: spec.kind)
def test_that_every_data_set_is_told_apart_by_its_kind_and_survives_a_file(spec: DatasetSpec) -> None:
    holder = Holder.model_validate({"dataset": {"kind": spec.kind}})
    assert type(holder.dataset) is spec.config
    assert Holder.model_validate_json(holder.model_dump_json()) == holder
    assert dataset_spec(spec.kind) is spec
    assert spec.title
    assert spec.summary.endswith(".")


def test_that_an_unknown_kind_or_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="imagenet"):
        Holder.model_validate({"dataset": {"kind": "imagenet"}})
    with pytest.raises(ValidationError, match="colour"):
        Holder.model_validate({"dataset": {"kind": "digits", "colour": "red"}})
    with pytest.raises(UserError, match="imagenet"):
        dataset_spec("imagenet")


def test_that_loading_gives_a_frozen_set_and_ends_at_one(tmp_path: Path) -> None:
    reports: list[tuple[str, float | None]] = []
    images = load_dataset(DigitsConfig(), tmp_path, Progress(lambda *report: reports.append(report)))
    assert images.image_shape == (1, 8, 8)
    assert not images.values.flags.writeable
    assert not images.labels.flags.writeable
    assert reports[-1] == ("Digits: 1,797 images", 1.0)


def test_that_a_cancelled_progress_loads_nothing(tmp_path: Path, cancelled: Progress) -> None:
    with pytest.raises(Cancelled):
        load_dataset(DigitsConfig(), tmp_path, cancelled)


def test_that_a_set_that_does_not_fit_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_idx_set(tmp_path)
    monkeypatch.setattr(memory, "available_bytes", lambda: memory.RESERVE + 40_000)
    with pytest.raises(UserError) as caught:
        load_dataset(MnistConfig(), tmp_path)
    assert "MNIST needs 47.7 kB; 40.0 kB can be used now" in caught.value.message
    monkeypatch.setattr(memory, "available_bytes", lambda: memory.RESERVE + 50_000)
    assert len(load_dataset(MnistConfig(), tmp_path)) == 60


@pytest.mark.slow
def test_that_the_catalog_and_mnist_on_disk_need_no_torch(tmp_path: Path) -> None:
    write_idx_set(tmp_path)
    code = (
        "import sys; from pathlib import Path; from studio.data.catalog import dataset_spec, load_dataset;"
        "[load_dataset(dataset_spec(kind).config(), Path(sys.argv[1])) for kind in ('mnist', 'digits')];"
        "sys.exit(sorted({'torch', 'torchvision', 'PIL', 'PySide6', 'sklearn', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "[]\n")


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (47_040_016, "47.0 MB"),
        (999_960, "1.0 MB"),
        (4e12, "4.0 TB"),
    ],
)
def test_that_sizes_read_as_people_write_them(count: int, text: str) -> None:
    assert memory.format_bytes(int(count)) == text


def test_that_the_free_memory_is_a_plausible_number() -> None:
    assert 2**20 < memory.available_bytes() < 2**50
    assert np.isfinite(memory.available_bytes())


def test_that_the_digits_are_scikit_learns_own_in_another_scale(tmp_path: Path) -> None:
    from sklearn import datasets

    ours = load_digits(DigitsConfig(), tmp_path, Progress())
    theirs = datasets.load_digits()
    assert ours.images.shape == (1797, 8, 8, 1)
    np.testing.assert_array_equal(ours.images[..., 0], np.rint(theirs.images * 255 / 16))
    np.testing.assert_array_equal(ours.labels, theirs.target)
    assert ours.class_names == tuple("0123456789")


@pytest.mark.parametrize("content", [None, b"", b"not an archive", b"PK\x03\x04 half an archive"])
def test_that_a_damaged_installation_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "digits.npz").write_bytes(content)
    monkeypatch.setattr(digits, "resources", lambda: tmp_path)
    with pytest.raises(UserError, match="Install the studio again"):
        load_digits(DigitsConfig(), tmp_path, Progress())
