"""Torch with one thread, for networks so small that more would only wait for each other, and without its compiler."""

from collections.abc import Iterator


def with_one_thread() -> Iterator[None]:
    """Make it a fixture: ``one_thread = pytest.fixture(autouse=True, scope="module")(with_one_thread)``."""
    import torch
    from torch.testing import _comparison

    import studio.eager  # noqa: F401 - an optimiser would load it otherwise

    vars(_comparison)["_HAS_DTENSOR"] = False  # no test compares tensors of a cluster, which load sympy
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
