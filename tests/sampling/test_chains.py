"""Chains of a tiny RBM, all of whose states are counted."""

from itertools import product

import numpy as np
import pytest
import torch

from studio.data.scale import PIXELS, Values
from studio.models.boltzmann.config import RbmConfig
from studio.models.boltzmann.model import Rbm
from studio.perturb.energy import Energy
from studio.perturb.example_features import ExampleFeatures
from studio.perturb.features import measure
from studio.perturb.perturbation import Perturbation
from studio.perturb.terms import LinearTerm
from studio.progress import Progress
from studio.sampling.chains import Chains
from studio.sampling.pool import Pool
from studio.sampling.tilt import Drawn, Tilt

ONE = np.ones(1)
SLOPE = 0.2  # for each percent of brightness


def look(values: Values) -> Drawn:
    measured = ExampleFeatures(values, np.zeros(len(values), np.int64), ("all",))
    return Drawn(values=values, probabilities=np.ones((len(values), 1)), measured=measured)


def machine(*, draw_pixels: bool) -> tuple[Rbm, torch.Tensor]:
    """Six pixels, four hidden units, chains in equilibrium; and F(v) of all 64 images in the order of `product`."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Rbm(RbmConfig(hidden_units=4, chains=400, draw_pixels=draw_pixels), (1, 2, 3))
        model.machine.weight.data.normal_(0, 1.5)
        model.machine.visible_bias.data.normal_(-1, 0.5)
    states = torch.tensor(list(product((0.0, 1.0), repeat=6)))
    energies = model.machine.free_energy(states).detach()
    chosen = torch.multinomial(
        (-energies).softmax(0), 400, replacement=True, generator=torch.Generator().manual_seed(1)
    )
    model.chains[0] = states[chosen]
    return model.eval(), energies


@pytest.mark.parametrize("draw_pixels", [True, False], ids=["drawn", "means"])
def test_that_chains_are_led_to_the_enumerated_target(draw_pixels: bool) -> None:
    model, energies = machine(draw_pixels=draw_pixels)
    rng = torch.Generator().manual_seed(2)
    pool = Pool(
        lambda count: look(PIXELS.stored(model.sample(count, rng).detach().numpy())), prior=ONE, meant=ONE, seed=0
    )
    wanted = Perturbation(offsets=(0.0,), energy=Energy(terms=(LinearTerm(feature="mean", slope=SLOPE),)))
    chains = Chains(model=model, scale=PIXELS, look=look, device=torch.device("cpu"))
    found = chains.sample(pool, Tilt.between(Perturbation.zero(1), wanted), 800, np.random.default_rng(0), Progress())
    states = torch.tensor(list(product((0.0, 1.0), repeat=6)))
    if draw_pixels:
        log_p, images = -energies, model.images(states)
    else:  # the law of the hidden units, each state of which shows the mean of the pixels
        hidden = torch.tensor(list(product((0.0, 1.0), repeat=4)))
        field = model.machine.visible_field(hidden)
        log_p = model.machine.log_normaliser(field) + (hidden - model.machine.hidden_offset) @ model.machine.hidden_bias
        images = model.images(model.machine.visible_mean(field))
    levels = measure(PIXELS.stored(images.detach().numpy()), ["mean"])["mean"]
    logs = log_p.detach().double().numpy() - SLOPE * levels
    target = np.exp(logs - logs.max())
    target /= target.sum()
    plain = np.exp(log_p.detach().double().numpy())
    assert found.weights is not None
    means = measure(found.values, ["mean"])["mean"]
    deviation = np.sqrt(target @ levels**2 - (target @ levels) ** 2)
    assert (found.weights * means).mean() == pytest.approx(target @ levels, abs=2 * 3 * deviation / 800**0.5)
    assert plain @ levels / plain.sum() - target @ levels > 2


def test_that_chains_who_are_fewer_than_the_samples_are_moved_apart() -> None:
    model, _ = machine(draw_pixels=True)
    states = model.chain_states(1000, torch.Generator().manual_seed(0))
    assert states.shape == (1000, 6)
    moved = model.chain_moves(states, torch.Generator().manual_seed(1))
    assert not torch.equal(states, moved)
