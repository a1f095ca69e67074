"""What models share that are told the class of each example, p(x|c) in place of p(x).

    p′(x) = Σ_c p′_c·p(x|c)

so that a tilt by class moves no weight of a network: classes of samples are drawn from the shares p′_c. Unlabelled
examples, and a share of the others at random, are told the label −1, which adds nothing to a network: what it learns
from these is p(x). A VAE sums out their class instead.

A sample's class is decided by one more number of its latent, u ~ N(0, 1): the first class c with Σ_{i≤c} p′_i > Φ(u).
So a latent still decides an image, and where shares change only as many samples change their class as must.

Samples that are made step by step can be guided to their class: each step follows the score of p_t(x|c)·p_t(c|x)^γ,
where p_t are the densities on the way. Where no classes overlap, it is that of p(x|c) itself; where they do, samples
are narrower: a class N(m, σ_c²) in data N(m, σ²) comes out with the width σ_c·(σ_c/σ)^γ.

Sources: M. Mirza, S. Osindero, arXiv:1411.1784 (2014); dropped labels, guidance: J. Ho, T. Salimans,
arXiv:2207.12598 (2022).
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import repeat

import torch
from torch import Tensor, nn

from studio.models.base import Batch, GenerativeModel
from studio.models.exportable import ExportableModel, label_argument

_CHUNK = 500
UNTOLD = -1
"""Label of an example whose class is not told."""


class LabelEmbedding(nn.Linear):
    """E[c] for labels in −1…K − 1, shapes (B,) → (B, features); 0 where it is −1."""

    def __init__(self, classes: int, features: int) -> None:
        super().__init__(classes, features, bias=False)

    def forward(self, labels: Tensor) -> Tensor:
        return super().forward(one_hot(labels, self.in_features).to(self.weight.dtype))


def one_hot(labels: Tensor, classes: int) -> Tensor:
    """Whether each label (B,) is each of the classes, bool, shape (B, K); a row of none where it is −1."""
    return labels[:, None] == torch.arange(classes, device=labels.device)


def take_labels(network: nn.Module, classes: int) -> None:
    """Have a network's first linear layer take K more numbers, a label as `one_hot`: W·z + b becomes W·z + b + E[c]."""
    first = next(module for module in network.modules() if isinstance(module, nn.Linear))
    weight = torch.cat([first.weight.detach(), LabelEmbedding(classes, first.out_features).weight.detach()], 1)
    first.weight, first.in_features = nn.Parameter(weight), first.in_features + classes


class Conditional(GenerativeModel):
    """A model that can be told classes, and is if `hear` was called when it was built.

    Attributes:
        classes: K; 0 for a model that is told none.
        dropped: share of the labels that it is not told in training.
        guidance: γ of `guided`.
        label_shares: p′_c, shape (K,), times the weight of the labelled examples over that of all, unlabelled ones
            included.
        untold_shares: π_c, shape (K,): of each class in the weight of the examples whose label it is not told.
    """

    classes: int = 0
    dropped: float = 0.0
    guidance: float = 0.0
    label_shares: Tensor
    untold_shares: Tensor

    def hear(self, classes: int, dropped: float, guidance: float = 0.0) -> None:
        """Be told the labels of so many classes, 0 for none, but for a share that is dropped; without which it learns
        nothing that guidance could lead away from.
        """
        self.classes, self.dropped, self.guidance = classes, dropped, guidance if dropped else 0.0
        if classes:
            self.register_buffer("label_shares", torch.full((classes,), 1 / classes))
            self.register_buffer("untold_shares", self.label_shares.clone(), persistent=False)  # of training alone
            self.memory = (*self.memory, "label_shares", "untold_shares")

    @property
    @abstractmethod
    def noise_shape(self) -> tuple[int, ...]:
        """Of z ~ N(0, 1), which decides an image of a given class."""

    @abstractmethod
    def images(self, noise: Tensor, labels: Tensor | None, rng: torch.Generator | None) -> Tensor:
        """As `decode`, for z (n, *noise_shape) and labels (n,), None for a model that is told none."""

    @property
    def listens(self) -> bool:
        """Whether it has learned what a label means."""
        return self.classes > 0 and self.dropped < 1 and bool(self.label_shares.sum() > 0)

    def heard(self, labels: Tensor) -> Tensor | None:
        """Labels that it has learned the meaning of; None for a model that has not."""
        return labels if self.listens else None

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """(z, u), flat, of a model that is told classes, else z."""
        return (math.prod(self.noise_shape) + 1,) if self.classes else self.noise_shape

    def parted(self, latents: Tensor) -> tuple[Tensor, Tensor | None]:
        """z (n, *noise_shape) and labels (n,) of latents (n, *latent_shape); −1 where it has not learned any."""
        if not self.classes:
            return latents, None
        noise = latents[:, :-1].reshape(-1, *self.noise_shape)
        if not self.listens:
            return noise, torch.full((len(latents),), UNTOLD, device=latents.device)
        upto = self.label_shares.to(latents.dtype).cumsum(0)
        below = torch.special.ndtr(latents[:, -1].contiguous()).clamp(max=1 - torch.finfo(latents.dtype).eps)
        return noise, torch.searchsorted(upto / upto[-1], below, right=True)

    def decode(self, latents: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return self.images(*self.parted(latents), rng)

    def sample(self, count: int, rng: torch.Generator, labels: Tensor | None = None) -> Tensor:
        """As of any model, its classes drawn from `label_shares`; or of these classes, shape (count,)."""
        if labels is None:
            return super().sample(count, rng)
        return self.images(self.parted(self.draw_latents(count, rng))[0], labels, rng)

    def guided(self, say: Callable[[Tensor | None], Tensor], labels: Tensor | None) -> Tensor:
        """What a network says of labels, led away from what it says of none: said(c) + γ·(said(c) − said(−1))."""
        said = say(labels)
        if labels is None or not self.guidance:
            return said
        return said + self.guidance * (said - say(torch.full_like(labels, UNTOLD)))

    def told(self, batch: Batch, rng: torch.Generator) -> Tensor | None:
        """Labels of a batch to train by, some dropped, shape (B,); None for a model that is told none."""
        if not self.classes:
            return None
        untold = torch.full((len(batch),), UNTOLD, device=batch.images.device)
        if batch.labels is None or self.dropped >= 1:
            return untold
        if not self.dropped:
            return batch.labels
        kept = torch.rand((len(batch),), generator=rng, device=batch.images.device) >= self.dropped
        return torch.where(kept, batch.labels, untold)

    def possible(self, labels: Tensor) -> Tensor:
        """The probability of each class for examples with labels (B,), shape (B, K): `untold_shares` where it is −1."""
        return one_hot(labels, self.classes).to(self.untold_shares).where(labels[:, None] != UNTOLD, self.untold_shares)

    def partly(self, labels: Tensor, rng: torch.Generator) -> Tensor:
        """Labels (B,) of samples, as many of them −1 as of the examples that are trained on."""
        told = float(self.label_shares.sum()) * (1 - self.dropped)
        kept = torch.rand((len(labels),), generator=rng, device=labels.device) < told
        return labels.where(kept, UNTOLD)

    def labelled(self, codes: Tensor, labels: Tensor | None) -> Tensor:
        """What a network that `take_labels` takes, shape (B, d + K): codes (B, d) and labels (B,), or (1,) for all.

        −1 if labels are absent.
        """
        if not self.classes:
            return codes
        if labels is None:
            return nn.functional.pad(codes, (0, self.classes))
        told = one_hot(labels, self.classes).to(codes.dtype)
        return torch.cat([codes, told.expand(len(codes), -1)], 1)

    def mixed(self, log_density: Callable[[Tensor | None], Tensor]) -> Tensor:
        """log Σ_c p′_c·q(x|c), of log q(x|c) as a function of the label, shape (1,); of that of no label if it has
        learned none.
        """
        if not self.listens:
            return log_density(None)
        return torch.stack([log_share + log_density(label) for label, log_share in self.classes_told()]).logsumexp(0)

    def classes_told(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Each class that samples are of, as a label (1,), and log p′_c of its share among them, a scalar."""
        shares = self.label_shares / self.label_shares.sum()
        for label in shares.nonzero()[:, 0]:
            yield label.view(1), shares[label].log()


class _Labelled(nn.Module):
    """A network that `take_labels`, of codes (B, d) and labels (B,)."""

    def __init__(self, network: nn.Module, classes: int) -> None:
        super().__init__()
        self.network, self.classes = network, classes

    def forward(self, codes: Tensor, labels: Tensor) -> Tensor:
        found: Tensor = self.network(torch.cat([codes, one_hot(labels, self.classes).to(codes.dtype)], 1))
        return found


def taking_labels(exportable: ExportableModel, classes: int) -> ExportableModel:
    """The same for other programs, with the label as an argument if there are classes."""
    if not classes:
        return exportable
    takes = {**exportable.takes, **label_argument(classes)}
    return replace(exportable, network=_Labelled(exportable.network, classes), takes=takes)


def in_parts(noise: Tensor, labels: Tensor | None) -> Iterator[tuple[Tensor, Tensor | None]]:
    """z and labels, so many at a time."""
    return zip(noise.split(_CHUNK), repeat(None) if labels is None else labels.split(_CHUNK), strict=False)
