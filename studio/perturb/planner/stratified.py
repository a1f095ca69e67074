"""Class-stratified batches: each class gets its quota of the batch, and every example that is taken has weight 1.

With W_c = Σ_{i∈c} w_i, class c has the target share p′_c = W_c/Σ_k W_k. Both choices carry what is left over.

    of classes     the j-th place of class c falls due at time (j − u_c)/p′_c, u_c ~ U(0, 1); a batch is the next B_avg
                   places to fall due, so by time t a class has had ⌊t·p′_c + u_c⌋ of them: never a whole example off
    of examples    after P passes through class c an example has been taken ⌊P·v_i + u_i⌋ times, v_i = w_i/⟨w⟩_c, in an
                   order shuffled anew in each pass (systematic resampling)

Where all examples of a class weigh the same, v = 1 and a pass visits each exactly once. Where ΔH varies within a class,
the heavier examples are taken more often rather than counted more. One place then adds the variance ⟨v·|g|²⟩_c − |ḡ_c|²
to the gradient; visiting all alike and counting v would add ⟨v²·|g|²⟩_c − |ḡ_c|², which is more by
⟨|g|²⟩_v·(⟨v²⟩ − 1) + Cov_v(v, |g|²), with ⟨·⟩_v the mean over the tilted class. That is positive unless gradients
shrink about as fast as weights grow; where the two have nothing to do with each other, ⟨v²·|g|²⟩ is ⟨v²⟩ = n/ESS of
the class times ⟨v·|g|²⟩. So examples are drawn, not counted.

Sources: W. G. Cochran, Sampling Techniques, ch. 5 (1977); systematic resampling: J. Carpenter et al., IEE Proc. F 146,
2 (1999); places that fall due: C. A. Waldspurger, Stride Scheduling, MIT (1995).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from studio.perturb.arrays import Indices
from studio.perturb.perturbation import Floats
from studio.perturb.planner.base import CountingPlanner, Kept, kept_amounts, kept_indices

_BELOW_ONE = float(np.nextafter(1.0, 0.0))


class StratifiedPlanner(CountingPlanner):
    """B_avg examples a batch: of each class its target share, within a class by weight; each then has weight 1."""

    def _begin(self, count: int, labels: Indices | None) -> None:
        super()._begin(count, labels)
        classes = np.zeros(count, dtype=np.int64) if labels is None else labels
        order = np.argsort(classes, kind="stable")
        self._members = np.split(order, np.cumsum(np.bincount(classes))[:-1])
        self._visits = [Visits(members, self._rng) for members in self._members]
        self._turns = Turns(self._rng.random(len(self._members)))

    def _set_weights(self, log_weights: Floats, revision: int) -> None:
        super()._set_weights(log_weights, revision)
        log_mass = np.full(len(self._members), -np.inf)
        for place, (members, visits) in enumerate(zip(self._members, self._visits, strict=True)):
            if len(members):
                logs = log_weights[members]
                highest = logs.max()
                relative = np.exp(logs - highest)
                log_mass[place] = highest + np.log(relative.sum())
                visits.set_rates(relative / relative.mean())
        mass = np.exp(log_mass - log_mass.max())
        self._turns.shares = mass / mass.sum()
        self._set_size(self.average_size)

    def state(self) -> dict[str, NDArray[np.generic]]:
        """What each class is owed, and of the classes one after another what is owed to their examples, their rates and
        how much is left of their pass.
        """
        visits = [each.state() for each in self._visits]
        return super().state() | {
            "turns": self._turns.credit.copy(),
            "owed": np.concatenate([each["owed"] for each in visits]),
            "rates": np.concatenate([each["rates"] for each in visits]),
            "left": np.concatenate([each["left"] for each in visits]),
            "left_counts": np.array([len(each["left"]) for each in visits]),
        }

    def restore(self, kept: Kept) -> None:
        super().restore(kept)
        count, classes = len(self._weights), len(self._members)
        self._turns.credit = kept_amounts(kept, "turns", 1.0, classes)
        per_class = np.cumsum([len(members) for members in self._members])[:-1]
        owed = np.split(kept_amounts(kept, "owed", 1.0, count), per_class)
        rates = np.split(kept_amounts(kept, "rates", count, count), per_class)
        left = kept_indices(kept, "left", count)
        lengths = kept_indices(kept, "left_counts", len(left) + 1, classes)
        if lengths.sum() != len(left):
            raise ValueError("left_counts do not add up")
        parts = np.split(left, np.cumsum(lengths)[:-1])
        for visits, *state in zip(self._visits, owed, rates, parts, strict=True):
            visits.restore(dict(zip(("owed", "rates", "left"), state, strict=True)))

    def _take(self, size: int) -> Indices:
        counts = self._turns.deal(size)
        taken = [self._visits[place].take(int(counts[place])) for place in np.flatnonzero(counts)]
        return self._rng.permutation(np.concatenate(taken))


class Turns:
    """Deals places to classes in proportion to their shares, and remembers the part of a place in 0…1 that each is
    owed.

    `shares` are p′_c, shape (K,), that sum to 1; they may be changed at any time, and what is owed stays.
    """

    def __init__(self, credit: Floats) -> None:
        self.credit = credit
        self.shares: Floats = np.full(len(credit), 1 / len(credit))

    def deal(self, size: int) -> Indices:
        """How many of the next `size` places each class gets, shape (K,)."""
        shares, credit = self.shares, self.credit
        # N(t) = Σ_c ⌊u_c + t·p′_c⌋ places have fallen due by time t from now, and t + Σu − K < N(t) ≤ t + Σu.
        now = max(0.0, size - float(credit.sum()))
        counts = np.floor(credit + now * shares).astype(np.int64)
        later = np.floor(credit + (size + len(credit)) * shares).astype(np.int64) - counts
        who = np.repeat(np.arange(len(credit)), later)
        nth = counts[who] + 1 + np.arange(len(who)) - np.repeat(np.cumsum(later) - later, later)
        due = (nth - credit[who]) / shares[who]
        chosen = np.argsort(due, kind="stable")[: size - counts.sum()]
        if len(chosen):
            now = max(now, float(due[chosen[-1]]))
            counts += np.bincount(who[chosen], minlength=len(credit))
        self.credit = np.clip(credit + now * shares - counts, 0.0, _BELOW_ONE)
        return counts


class Visits:
    """Goes through the examples of one class, indices of shape (n,), over and over, each as often as its rate says."""

    def __init__(self, members: Indices, rng: np.random.Generator) -> None:
        self._members = members
        self._rng = rng
        self._credit = rng.random(len(members))
        self._rates: Floats = np.zeros(len(members))
        self._left: Indices = np.empty(0, dtype=np.int64)  # places in `members`, still to come in this pass

    def set_rates(self, rates: Floats) -> None:
        """How often each is taken in a pass on average, shape (n,), mean 1.

        With ℓ the part of the pass that is left, an example is still to come ℓ·v times on average, whether or not it
        has come already. A lower rate v′ keeps each place that it still has with probability v′/v, and a higher one
        adds ℓ·(v′ − v) to them, so that what is left goes by v′ from the next place on. Nobody is taken again for
        having become rarer, and nobody owes for what was right before.
        """
        if np.allclose(rates, self._rates, rtol=1e-9, atol=0):
            return
        before, self._rates = self._rates, rates
        if len(self._left):
            held = np.bincount(self._left, minlength=len(rates))
            rarer = rates < before
            kept = np.divide(rates, before, out=np.ones_like(rates), where=rarer)
            # Whether a place is left goes with what was owed, so that a part of one is rounded by a number of its own.
            self._credit = np.where(rarer, self._rng.random(len(rates)), self._credit)
            self._credit += held * kept + len(self._left) / len(rates) * np.maximum(rates - before, 0.0)
            self._left = self._allot()

    def state(self) -> dict[str, NDArray[np.generic]]:
        """What is owed to each member, its rate, and the places still to come in this pass; copies."""
        return {"owed": self._credit.copy(), "rates": self._rates.copy(), "left": self._left.copy()}

    def restore(self, kept: Kept) -> None:
        """Take up what `state` gave, with the rates of then set; raises ValueError if it is not of these rates."""
        count = len(self._members)
        rates = kept_amounts(kept, "rates", float(count), count)
        if not np.allclose(rates, self._rates, rtol=1e-6, atol=1e-12):
            raise ValueError("rates belong to another target")
        self._rates = rates
        self._credit = kept_amounts(kept, "owed", 1.0, count)
        self._left = kept_indices(kept, "left", count)

    def take(self, count: int) -> Indices:
        """The next `count` examples; the last ones of a pass are completed from the next."""
        while len(self._left) < count:
            self._credit = self._credit + self._rates
            self._left = np.concatenate([self._left, self._allot()])
        taken, self._left = self._left[:count], self._left[count:]
        return self._members[taken]

    def _allot(self) -> Indices:
        """Turn whole credits into visits, in random order."""
        counts = np.floor(self._credit)
        self._credit = self._credit - counts
        return self._rng.permutation(np.repeat(np.arange(len(counts)), counts.astype(np.int64)))
