"""The shared networks: which one an image gets, and that every size fits."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from studio.models.config import Architecture
from studio.models.nets import Norm, Shape, Style, decoder, encoder, in_chunks, is_convolutional


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
@pytest.mark.parametrize("norm", [Norm.NONE, Norm.GROUP, Norm.LAYER])
@pytest.mark.parametrize(
    "shape",
    [(1, 1, 1), (1, 1, 2), (1, 5, 7), (1, 8, 8), (3, 17, 16), (1, 28, 28), (3, 30, 45), (3, 64, 64), (1, 96, 20)],
    ids=str,
)
def test_that_every_size_of_image_fits(shape: Shape, norm: Norm, architecture: Architecture) -> None:
    images = torch.zeros(2, *shape)
    for dense_layer in (False, True):
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
