"""The built-in digits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from studio.data import digits
from studio.data.digits import DigitsConfig, load_digits
from studio.errors import UserError
from studio.progress import Progress


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
