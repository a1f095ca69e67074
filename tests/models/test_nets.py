"""The shared networks: which one an image gets, that every size fits, and the layers next to an image."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studio.models.config import Architecture
from studio.models.nets import FromImage, Norm, Shape, Style, ToImage, decoder, encoder, in_chunks, is_convolutional


def has_convolution(network: nn.Module) -> bool:
    return any(isinstance(module, nn.Conv2d | nn.ConvTranspose2d) for module in network.modules())


@pytest.mark.parametrize(
    ("shape", "architecture", "convolutional"),
    [
        ((1, 8, 8), Architecture.AUTO, False),
        ((3, 16, 16), Architecture.AUTO, False),
        ((1, 28, 28), Architecture.AUTO, True),
        ((1, 28, 28), Architecture.MLP, False),
        ((1, 8, 8), Architecture.CONVOLUTIONAL, True),
        ((1, 1, 2), Architecture.CONVOLUTIONAL, False),
    ],
)
def test_that_the_image_size_chooses_unless_a_setting_does(
    shape: Shape, architecture: Architecture, convolutional: bool
) -> None:
    assert is_convolutional(shape, architecture) == convolutional
    style = Style(architecture=architecture, width=8)
    assert has_convolution(encoder(shape, 1, style)) == convolutional
    assert has_convolution(decoder(4, shape, style)) == convolutional


@pytest.mark.parametrize("architecture", [Architecture.MLP, Architecture.CONVOLUTIONAL])
@pytest.mark.parametrize(
    "shape",
    [(1, 1, 1), (1, 1, 2), (1, 5, 7), (1, 8, 8), (3, 17, 16), (1, 28, 28), (3, 30, 45), (3, 64, 64), (1, 96, 20)],
    ids=str,
)
def test_that_every_size_of_image_fits(shape: Shape, architecture: Architecture) -> None:
    images = torch.zeros(2, *shape)
    for norm, dense_layer in ((Norm.NONE, True), (Norm.GROUP, False), (Norm.LAYER, True)):
        style = Style(architecture=architecture, width=8, norm=norm, dense_layer=dense_layer)
        assert encoder(shape, 3, style)(images).shape == (2, 3)
        assert decoder(5, shape, style)(torch.zeros(2, 5)).shape == images.shape


def test_that_an_encoder_refuses_batch_norm() -> None:
    with pytest.raises(ValueError, match="BatchNorm ignores the importance weights"):
        encoder((1, 8, 8), 1, Style(architecture=Architecture.AUTO, width=8, norm=Norm.BATCH))


@pytest.mark.parametrize("architecture", [Architecture.MLP, Architecture.CONVOLUTIONAL])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 2, 2), (1, 8, 8)], ids=str)
def test_that_batch_norm_in_a_decoder_takes_a_batch_of_one(shape: Shape, architecture: Architecture) -> None:
    up = decoder(5, shape, Style(architecture=architecture, width=8, norm=Norm.BATCH))
    assert up(torch.randn(1, 5, generator=torch.Generator().manual_seed(0))).isfinite().all()


def test_that_layer_norm_gives_each_example_mean_0_and_variance_1_over_all_maps() -> None:
    down = encoder((1, 32, 32), 1, Style(architecture=Architecture.AUTO, width=8, norm=Norm.LAYER))
    (norm,) = (module for module in down.modules() if isinstance(module, nn.GroupNorm))
    maps = norm(5 + 3 * torch.randn(2, 16, 8, 8, generator=torch.Generator().manual_seed(0)))
    torch.testing.assert_close(maps.flatten(1).mean(1), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(maps.flatten(1).std(1, correction=0), torch.ones(2), atol=1e-4, rtol=0)


def test_that_chunks_change_nothing() -> None:
    network = nn.Linear(3, 2).double()
    latents = torch.randn(1203, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(in_chunks(network, latents), network(latents))


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
