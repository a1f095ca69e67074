"""Torch with one thread, for networks so small that more would only wait for each other."""

from __future__ import annotations

from collections.abc import Iterator


def with_one_thread() -> Iterator[None]:
    """Make it a fixture: ``one_thread = pytest.fixture(autouse=True, scope="module")(with_one_thread)``."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
