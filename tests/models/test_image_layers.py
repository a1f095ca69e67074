"""Layers next to an image: whichever way they are computed, they are torch's own convolutions."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studio.models.image_layers import FromImage, ToImage

SIDES = [(28, 28), (9, 14)]
GEOMETRIES = [(4, 2, 1), (5, 2, 2), (3, 1, 1), (3, 3, 0)]


def _all_of(layer: nn.Conv2d | nn.ConvTranspose2d, given: Tensor) -> list[Tensor]:
    """Result, gradients by what is given and by the parameters, and those of a gradient penalty."""
    given = given.detach().requires_grad_()
    result = layer(given)
    known = (given, *layer.parameters())
    (slope,) = torch.autograd.grad(result.square().sum(), given, create_graph=True)
    first = torch.autograd.grad(result.tanh().sum(), known, retain_graph=True)
    twice = torch.autograd.grad((slope.flatten(1).norm(dim=1) - 1).square().sum(), known)
    return [result, slope, *first, *twice]


def _same(layer: nn.Conv2d | nn.ConvTranspose2d, plain: nn.Conv2d | nn.ConvTranspose2d, given: Tensor) -> None:
    """In float32 what torch's own layer of those weights is in float64."""
    plain.load_state_dict(layer.state_dict())
    wanted = _all_of(plain.double(), given.double())
    for one, other in zip(_all_of(layer, given), wanted, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-4, atol=1e-4 * other.detach().abs().max().item())


@pytest.fixture
def products(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which of the two was computed by a product, at each call."""
    seen: list[str] = []
    for name in ("fold", "unfold"):
        original = getattr(F, name)

        def noted(*args: object, name: str = name, original: object = original, **settings: object) -> Tensor:
            seen.append(name)
            return original(*args, **settings)  # type: ignore[operator]

        monkeypatch.setattr(F, name, noted)
    return seen


@pytest.mark.parametrize("sides", SIDES, ids=str)
@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_that_both_ways_are_the_same_to_the_second_gradient(
    channels: int, geometry: tuple[int, int, int], sides: tuple[int, int], products: list[str]
) -> None:
    torch.manual_seed(0)
    kernel, stride, padding = geometry
    _same(
        FromImage(channels, 6, kernel, stride=stride, padding=padding),
        nn.Conv2d(channels, 6, kernel, stride, padding),
        torch.randn(5, channels, *sides),
    )
    assert products == ["unfold"]
    _same(
        ToImage(6, channels, kernel, stride=stride, padding=padding),
        nn.ConvTranspose2d(6, channels, kernel, stride, padding),
        torch.randn(5, 6, *sides),
    )
    assert products == ["unfold", "fold"]


def test_that_torch_does_what_was_not_measured_to_be_slow(products: list[str]) -> None:
    images, maps = torch.randn(2, 1, 8, 8), torch.randn(2, 6, 4, 4)
    into, out_of = FromImage(1, 6, 4, stride=2, padding=1), ToImage(6, 1, 4, stride=2, padding=1)
    into(images)  # nobody asks for its gradient by the images
    with torch.autocast("cpu", dtype=torch.bfloat16):
        into(images.requires_grad_())
        out_of(maps)
    FromImage(4, 6, 4, stride=2, padding=1)(torch.randn(2, 4, 8, 8, requires_grad=True))
    ToImage(6, 4, 4, stride=2, padding=1)(maps)
    out_of.double()(maps.double())
    assert products == []


@pytest.mark.slow  # it waits for the import of the exporter
def test_that_other_programs_get_the_convolutions_as_such() -> None:
    program = torch.export.export(ToImage(6, 1, 4, stride=2, padding=1), (torch.randn(2, 6, 4, 4),))
    called = {str(node.target) for node in program.graph.nodes}
    assert not any("im2col" in name or "col2im" in name for name in called)
    assert any("conv" in name for name in called)
