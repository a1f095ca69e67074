"""Torchvision's sets from an empty data folder, with torchvision's tables pointed at the loopback."""

import gzip
import hashlib
import io
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from studio.data import idx_sets
from studio.data.catalog import dataset_spec, load_dataset
from studio.data.download import Archive
from studio.data.idx_sets import IdxSet, MnistConfig
from studio.errors import Cancelled, UserError
from studio.progress import Progress
from tests.data.conftest import Loopback
from tests.data.idx_files import idx_bytes, tiny_images, tiny_labels
from tests.data.test_download import files_below

NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


@pytest.fixture
def mnist_online(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> Loopback:
    """A server that has a tiny MNIST; the table is replaced, so that torch is not needed."""
    for split in ("train", "t10k"):
        loopback.files[f"{split}-images-idx3-ubyte.gz"] = gzip.compress(idx_bytes(tiny_images()), mtime=0)
        loopback.files[f"{split}-labels-idx1-ubyte.gz"] = gzip.compress(idx_bytes(tiny_labels()), mtime=0)
    table = tuple(
        Archive(filename=name, urls=(loopback.url + name,), md5=md5(content))
        for name, content in loopback.files.items()
    )
    monkeypatch.setattr(idx_sets, "archives", lambda which: table)
    return loopback


def test_that_mnist_is_downloaded_unpacked_and_read(mnist_online: Loopback, tmp_path: Path) -> None:
    fractions: list[float] = []
    progress = Progress(lambda text, fraction: None if fraction is None else fractions.append(fraction))
    images = load_dataset(MnistConfig(), tmp_path, progress)
    np.testing.assert_array_equal(images.values[..., 0], tiny_images())
    assert [Path(name).name for name in files_below(tmp_path)] == [
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
    ]
    assert fractions == sorted(fractions)
    assert max(fractions) <= 1.0
    asked = list(mnist_online.asked)
    load_dataset(MnistConfig(), tmp_path)
    assert mnist_online.asked == asked


def test_that_only_what_is_missing_is_downloaded_and_a_persons_archive_stays(
    mnist_online: Loopback, tmp_path: Path
) -> None:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    name = "train-images-idx3-ubyte.gz"
    (raw / name).write_bytes(mnist_online.files[name])
    (raw / "t10k-labels-idx1-ubyte").write_bytes(b"something of theirs")
    load_dataset(MnistConfig(), tmp_path)
    assert sorted(mnist_online.asked) == ["t10k-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"]
    assert (raw / name).is_file()
    assert (raw / "t10k-labels-idx1-ubyte").read_bytes() == b"something of theirs"


def test_that_a_set_that_breaks_off_keeps_whole_files_only_and_goes_on_later(
    mnist_online: Loopback, tmp_path: Path
) -> None:
    mnist_online.breaks.add("train-labels-idx1-ubyte.gz")
    with pytest.raises(UserError, match="MNIST could not be downloaded"):
        load_dataset(MnistConfig(), tmp_path)
    assert [Path(name).name for name in files_below(tmp_path)] == ["train-images-idx3-ubyte"]
    mnist_online.breaks.clear()
    assert len(load_dataset(MnistConfig(), tmp_path)) == 60
    assert mnist_online.asked.count("train-images-idx3-ubyte.gz") == 1


def test_that_an_archive_that_cannot_be_unpacked_leaves_no_half_file(mnist_online: Loopback, tmp_path: Path) -> None:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    name = "train-images-idx3-ubyte.gz"
    broken = mnist_online.files[name][:-20]
    (raw / name).write_bytes(broken)
    table = idx_sets.archives(IdxSet(title="", torchvision="", class_names=(), download_bytes=0))
    object.__setattr__(table[0], "md5", md5(broken))
    with pytest.raises(UserError, match="An archive is damaged") as caught:
        load_dataset(MnistConfig(), tmp_path)
    assert str(raw / name) in caught.value.message
    assert [Path(left).name for left in files_below(tmp_path)] == [name]


def test_that_a_cancel_while_unpacking_leaves_no_half_file(mnist_online: Loopback, tmp_path: Path) -> None:
    progress = Progress(lambda text, fraction: progress.cancel() if text.startswith("Unpacking") else None)
    with pytest.raises(Cancelled):
        load_dataset(MnistConfig(), tmp_path, progress)
    assert [Path(left).name for left in files_below(tmp_path)] == ["train-images-idx3-ubyte.gz"]
    assert len(load_dataset(MnistConfig(), tmp_path)) == 60


def test_that_torchvisions_tables_and_class_names_are_the_ones_used() -> None:
    from torchvision import datasets

    from studio.data import idx_sets

    for which in idx_sets.IDX_SETS:
        source = getattr(datasets, which.torchvision)
        found = idx_sets.archives(which)
        if which.torchvision == "EMNIST":
            assert [(archive.filename, archive.md5) for archive in found] == [("gzip.zip", source.md5)]
            assert list(which.class_names) == source.classes_split_dict["balanced"]
        else:
            assert [(archive.filename, archive.md5) for archive in found] == source.resources
            assert all(len(archive.urls) == len(source.mirrors) for archive in found)
            names = [name.split(" - ")[0] for name in source.classes]
            assert list(which.class_names) == names
        assert which.folder(Path("root")) == Path("root", which.torchvision, "raw")


def test_that_emnist_takes_only_the_balanced_split_out_of_its_archive(
    loopback: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision.datasets import EMNIST

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for split, classes in (("balanced", 47), ("digits", 10)):
            stem = f"gzip/emnist-{split}-train"
            archive.writestr(f"{stem}-images-idx3-ubyte.gz", gzip.compress(idx_bytes(tiny_images(1, classes))))
            archive.writestr(f"{stem}-labels-idx1-ubyte.gz", gzip.compress(idx_bytes(tiny_labels(1, classes))))
    loopback.files["gzip.zip"] = packed.getvalue()
    monkeypatch.setattr(EMNIST, "url", loopback.url + "gzip.zip")
    monkeypatch.setattr(EMNIST, "md5", md5(packed.getvalue()))
    images = load_dataset(dataset_spec("emnist_balanced").config(), tmp_path)
    assert len(images) == 47
    assert [Path(name).name for name in files_below(tmp_path)] == [
        "emnist-balanced-train-images-idx3-ubyte",
        "emnist-balanced-train-labels-idx1-ubyte",
    ]


@pytest.fixture
def cifar_online(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """CIFAR-10's archive on the loopback, with 20 images a batch; returns its files."""
    from torchvision.datasets import CIFAR10

    rng = np.random.default_rng(0)
    files = {
        name: pickle.dumps({"data": rng.integers(0, 256, (20, 3072), dtype=np.uint8), "labels": list(range(10)) * 2})
        for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")
    }
    files["batches.meta"] = pickle.dumps({"label_names": list(NAMES)})
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in {**files, "readme.html": b"unwanted", "../escape": b"unwanted"}.items():
            entry = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    loopback.files[CIFAR10.filename] = packed.getvalue()
    monkeypatch.setattr(CIFAR10, "url", loopback.url + CIFAR10.filename)
    monkeypatch.setattr(CIFAR10, "tgz_md5", md5(packed.getvalue()))
    sums = [[name, md5(content)] for name, content in files.items()]
    monkeypatch.setattr(CIFAR10, "train_list", sums[:5])
    monkeypatch.setattr(CIFAR10, "test_list", sums[5:6])
    monkeypatch.setattr(CIFAR10, "meta", {"filename": "batches.meta", "key": "label_names", "md5": sums[6][1]})
    return files


def test_that_cifar10_is_downloaded_unpacked_and_read(cifar_online: dict[str, bytes], tmp_path: Path) -> None:
    spec = dataset_spec("cifar10")
    assert spec.download_bytes(tmp_path) == 170_498_071
    images = load_dataset(spec.config(), tmp_path)
    assert spec.download_bytes(tmp_path) == 0
    assert images.values.shape == (100, 32, 32, 3)
    assert images.class_names == NAMES
    first = pickle.loads(cifar_online["data_batch_1"])["data"][0]
    np.testing.assert_array_equal(images.values[0], first.reshape(3, 32, 32).transpose(1, 2, 0))
    assert [Path(name).name for name in files_below(tmp_path)] == sorted(cifar_online)


class Trap:
    """A pickle of it makes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.path), "w")


@pytest.mark.parametrize("name", ["data_batch_3", "test_batch", "batches.meta"])
def test_that_a_pickle_with_another_checksum_is_named_and_never_read(
    cifar_online: dict[str, bytes], tmp_path: Path, name: str
) -> None:
    load_dataset(dataset_spec("cifar10").config(), tmp_path)
    path = tmp_path / "cifar-10-batches-py" / name
    path.write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    with pytest.raises(UserError, match="A data file is damaged") as caught:
        load_dataset(dataset_spec("cifar10").config(), tmp_path)
    assert str(path) in caught.value.message
    assert not (tmp_path / "sprung").exists()


def test_that_svhn_is_downloaded_checked_and_read(
    loopback: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scipy.io import savemat
    from torchvision.datasets import SVHN

    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (32, 32, 3, 20), dtype=np.uint8)
    content = io.BytesIO()
    savemat(content, {"X": pixels, "y": np.tile(np.arange(1, 11, dtype=np.uint8), 2)[:, np.newaxis]})
    name = "train_32x32.mat"
    loopback.files[name] = content.getvalue()
    monkeypatch.setitem(SVHN.split_list, "train", [loopback.url + name, name, md5(content.getvalue())])
    spec = dataset_spec("svhn")
    images = load_dataset(spec.config(), tmp_path)
    np.testing.assert_array_equal(images.values, pixels.transpose(3, 0, 1, 2))
    assert images.labels.tolist() == [*range(1, 10), 0] * 2
    assert spec.download_bytes(tmp_path) == 0
    (tmp_path / name).write_bytes(content.getvalue()[:-1])
    with pytest.raises(UserError, match="A data file is damaged"):
        load_dataset(spec.config(), tmp_path)
