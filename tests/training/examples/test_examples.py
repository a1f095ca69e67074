"""Examples reach a model unchanged, whether they lie in memory or in a file, and no copy of a set is made."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from studio.data.image_set import ImageSet
from studio.data.subset import Subset, part_of
from studio.errors import UserError
from studio.training.engine.trainer import Trainer
from studio.training.examples.examples import Examples, padded, padded_size
from studio.training.examples.split import kept_indices, split_off
from tests.training.conftest import tiny_config, tiny_images

CPU = torch.device("cpu")


def in_a_file(images: ImageSet, path: Path) -> ImageSet:
    """The same set, its images mapped from a file."""
    np.save(path, images.images)
    mapped = np.load(path, mmap_mode="c")
    return ImageSet(name=images.name, images=mapped, labels=images.labels, class_names=images.class_names)


def copied(part: Subset) -> ImageSet:
    """The same examples in a set of their own."""
    return ImageSet(
        name=part.name, images=part.values.astype(np.uint8), labels=part.labels, class_names=part.class_names
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_that_pixels_become_numbers_between_minus_one_and_one(channels: int) -> None:
    data, places = tiny_images(channels=channels), np.array([7, 0, 7, 119])
    read = Examples(data, CPU).read(places)
    assert read.is_contiguous()
    expected = data.values[places].transpose(0, 3, 1, 2).astype(np.float64) / 127.5 - 1
    torch.testing.assert_close(read.double(), torch.from_numpy(expected), rtol=0, atol=2e-7)


def test_that_a_part_has_the_examples_at_its_places_and_copies_none() -> None:
    data = tiny_images()
    part, held_out = split_off(data, kept_indices(data, 0.2, 0))
    assert isinstance(part, Subset)
    assert part.whole is data
    assert sorted([*part.places, *held_out]) == list(range(len(data)))
    np.testing.assert_array_equal(part.rows(slice(3, 30, 2)), data.values[part.places[3:30:2]])
    np.testing.assert_array_equal(part.labels, data.labels[part.places])
    assert (part.image_shape, part.form, part.noun) == (data.image_shape, data.form, data.noun)


def test_that_a_part_without_a_class_is_refused() -> None:
    data = tiny_images()
    with pytest.raises(UserError, match="no example"):
        part_of(data, np.flatnonzero(data.labels > 0))


def test_that_a_part_has_the_fingerprint_of_its_copy() -> None:
    """Runs that were kept while parts were copies can be gone on with."""
    data = tiny_images(5000)
    part = part_of(data, kept_indices(data, 0.1, 0))
    assert part.fingerprint() == copied(part).fingerprint()


def test_that_a_set_in_a_file_trains_as_one_in_memory_does(tmp_path: Path) -> None:
    config = tiny_config(perturbation={"offsets": {"ant": 0.5}}, held_out=0.1)
    trainers = [Trainer(config, data) for data in (tiny_images(), in_a_file(tiny_images(), tmp_path / "images.npy"))]
    for _ in range(6):
        inner, outer = (trainer.step().values() for trainer in trainers)
        assert inner == outer
    for mine, other in zip(*(trainer.model.parameters() for trainer in trainers), strict=True):
        assert torch.equal(mine, other)


def test_that_reading_a_batch_leaves_the_set_as_it_is() -> None:
    """What is handed out is a copy, even where it is all of the set."""
    data = tiny_images()
    before = data.values.copy()
    Examples(data, CPU).read(slice(None)).zero_()
    np.testing.assert_array_equal(data.values, before)


@given(st.integers(1, 10**6))
def test_that_a_size_grows_by_a_sixteenth_at_most(count: int) -> None:
    """And a padded size stays."""
    size = padded_size(count)
    assert count <= size <= count * 17 / 16
    assert padded_size(size) == size


def test_that_an_octave_has_sixteen_sizes() -> None:
    assert sorted({padded_size(count) for count in range(65, 129)}) == list(range(68, 129, 4))
    assert len({padded_size(count) for count in range(513, 1025)}) == 16


@given(st.integers(1, 300))
def test_that_what_fills_a_batch_weighs_nothing(count: int) -> None:
    """The batch itself stands first, as it was; the rest are examples of it."""
    indices, weights = np.arange(100, 100 + count), np.linspace(1, 2, count)
    all_indices, all_weights = padded(indices, weights)
    assert len(all_indices) == len(all_weights) == padded_size(count)
    np.testing.assert_array_equal(all_indices[:count], indices)
    np.testing.assert_array_equal(all_weights[:count], weights)
    assert not all_weights[count:].any()
    assert set(all_indices) == set(indices)
