"""A target in a person's words: that of a run, with some shares, offsets and formulas of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from studio.errors import UserError
from studio.names import composed, listed
from studio.perturb.energy import class_masses
from studio.perturb.example_features import ExampleFeatures
from studio.perturb.perturbation import Perturbation, offsets_for_some_shares
from studio.perturb.terms import FormulaTerm
from studio.progress import Progress

_FIELD = "perturbation.offsets"
_ROUNDING = 0.02
"""By which the shares of all classes may miss 100 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedTarget:
    """What is asked for: shares, others in proportion, and ΔH of classes by name, and formulas that are added."""

    shares: Mapping[str, float]
    offsets: Mapping[str, float]
    formulas: tuple[str, ...] = ()

    def of(self, trained: Perturbation, measured: ExampleFeatures, progress: Progress) -> Perturbation:
        """The target, given that of the run and its data; raises UserError if there is none such."""
        offsets = np.array(trained.offsets)
        for name, offset in self.offsets.items():
            offsets[_place(name, measured)] = offset
        terms = (*trained.energy.terms, *(FormulaTerm(text=text) for text in self.formulas))
        found = replace(trained, offsets=tuple(offsets.tolist()), energy=replace(trained.energy, terms=terms))
        if not self.shares:
            return found
        shares = {_place(name, measured): share for name, share in self.shares.items()}
        factor = found.energy.offset_factor
        if factor == 0 or found.energy.clip is not None:
            raise UserError(
                "No offsets give these shares",
                "The target's class offsets are switched off, or its ΔH is clipped.",
                "Ask for offsets.",
                field=_FIELD,
            )
        counts = np.bincount(measured.labels, minlength=len(offsets)).astype(np.float64)
        if found.by_example:
            measured.prepare(found.energy.names, progress)
            rest = replace(found, offsets=(0.0,) * len(offsets)).example_energies(measured).energy
            counts = class_masses(rest, measured.labels, len(offsets))
        total = sum(shares.values())
        if len(shares) == len(offsets) and abs(total - 1) > _ROUNDING:
            says = f"They add up to {100 * total:.6g} %."
            raise UserError("The shares of all classes must add up to 100 %", says, field=_FIELD)
        solved = offsets_for_some_shares(counts, factor * offsets, shares) / factor
        return replace(found, offsets=tuple(solved.tolist()))


def _place(name: str, measured: ExampleFeatures) -> int:
    if composed(name) not in measured.class_names:
        classes = f"The classes are {listed(measured.class_names)}."
        raise UserError(f"There is no class “{name[:40]}”", classes, field=_FIELD)
    return measured.class_names.index(composed(name))
