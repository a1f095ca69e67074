"""The target from the window's side: edits of offsets, shares and energies, and what the target has become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from studio.errors import UserError
from studio.gui.edits import SetEnergy, SetOffsets
from studio.gui.share_solver import solve_share, solve_shares
from studio.gui.view_state import TiltView
from studio.perturb.perturbation import Gauge, Perturbation
from studio.training.commands import SetPerturbation
from studio.training.config import PerturbationConfig, RunConfig, offsets_by_name
from studio.training.energy_config import EnergyConfig

if TYPE_CHECKING:
    from studio.gui.workbench import Workbench


class TargetControl(QObject):
    """Edits the target in the workbench's configuration, and sends it to the run.

    Args:
        bench: holds the configuration, the data set and the undo stack.
    """

    changed = Signal(object)  # TiltView | None
    rejected = Signal(object)  # UserError with .field: shown beside its cause; nothing was changed

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self._bench = bench
        self.tilt: TiltView | None = None
        self._revision = 0
        self._applied_revision = 0
        self._refused_revision: int | None = None  # by the run under way, which keeps the target before
        bench.energies.measured_more.connect(self.refresh)
        bench.evaluations.changed.connect(self._on_evaluations)
        bench.runs.target_applied.connect(self._on_applied)
        bench.runs.target_rejected.connect(self._on_rejected)
        bench.runs.run_changed.connect(self._on_run)

    def class_offsets(self) -> tuple[float, ...]:
        """ΔH of each class of the data set in use."""
        names = self._bench.dataset.class_names if self._bench.dataset else ()
        return tuple(self._bench.config.perturbation.offsets.get(name, 0.0) for name in names)

    @Slot(int, float)
    def set_offset(self, index: int, offset: float) -> None:
        """Set ΔH of one class."""
        offsets = list(self.class_offsets())
        offsets[index] = offset
        self.set_offsets(offsets, f"ΔH of {self._class_name(index)}")

    def set_offsets(self, offsets: Sequence[float], text: str) -> None:
        """Replace all offsets in one undoable step; `text` names it ("Balance classes")."""
        before, after = self.class_offsets(), tuple(float(offset) for offset in offsets)
        try:
            Perturbation(offsets=after)
        except UserError as error:
            self.rejected.emit(error)
            return
        if after != before:
            self._bench.undo_stack.push(SetOffsets(before, after, text, self.apply_offsets))

    @Slot(int, float)
    def set_share(self, index: int, share: float) -> None:
        """Solve for the offset that gives the class this target share in 0…1; the other offsets stay."""
        assert self.tilt is not None
        offsets = list(self.class_offsets())
        try:
            offsets[index] = solve_share(self.tilt, index, share)
        except UserError as error:
            self.rejected.emit(error)
            return
        self.set_offsets(offsets, f"Share of {self._class_name(index)}")

    def set_shares(self, shares: dict[int, float], text: str) -> None:
        """Several classes at once; the other classes keep their proportions among what is left."""
        assert self.tilt is not None
        try:
            offsets = solve_shares(self.tilt, shares)
        except UserError as error:
            self.rejected.emit(error)
            return
        self.set_offsets(offsets, text)

    def set_energy(self, energy: EnergyConfig, text: str) -> None:
        """Replace terms, temperature and clip in one undoable step, once they are measured and known to be finite."""
        before = self._bench.config.perturbation.energy_part()
        new = set(energy.energy().names) - set(before.energy().names)
        self._bench.energies.reload(new)
        edit = SetEnergy(before, energy, text, self._apply_energy)
        if energy != before:
            target = replace(self.perturbation, energy=energy.energy())
            self._bench.energies.try_out(target, lambda: self._bench.undo_stack.push(edit))

    def _apply_energy(self, energy: EnergyConfig) -> None:
        self._put_perturbation(self._bench.config.perturbation.with_energy(energy))

    def set_gauge(self, gauge: Gauge) -> None:
        """Express weights in this gauge."""
        self._put_perturbation(self._bench.config.perturbation.model_copy(update={"gauge": gauge}))

    def _class_name(self, index: int) -> str:
        assert self._bench.dataset is not None
        return self._bench.dataset.class_names[index]

    def apply_offsets(self, offsets: tuple[float, ...]) -> None:
        """Put ΔH of each class in force; not an edit that can be undone."""
        if self._bench.dataset is None:
            return
        names = self._bench.dataset.class_names
        # Offsets of classes that this data set lacks stay, for the day it is changed back.
        others = {name: value for name, value in self._bench.config.perturbation.offsets.items() if name not in names}
        named = others | offsets_by_name(Perturbation(offsets=offsets), names)
        self._put_perturbation(self._bench.config.perturbation.model_copy(update={"offsets": named}))

    def _put_perturbation(self, perturbation: PerturbationConfig) -> None:
        self._revision += 1
        self._bench.edit(perturbation=perturbation)
        if self._bench.dataset is not None:
            self._bench.runs.send(SetPerturbation(perturbation=self.perturbation))

    @property
    def perturbation(self) -> Perturbation:
        """The target as edited."""
        config = self._bench.config.perturbation
        return Perturbation(
            offsets=self.class_offsets(), energy=config.energy(), gauge=config.gauge, revision=self._revision
        )

    @Slot()
    def refresh(self) -> None:
        """Look at the target anew, as when the data set or what is known of it has changed."""
        if self._bench.dataset is None:
            self._show(None)
            return
        awaited = self._bench.run.phase.active and self._applied_revision != self._revision
        refused = awaited and self._refused_revision == self._revision
        target, config = self.perturbation, self._bench.config
        energies, fault = None, None
        if target.by_example:
            try:
                energies = self._bench.energies.energies_of(target)
            except UserError as error:
                fault = error
        tilt = TiltView.of(
            target, self._bench.dataset, config, pending=awaited and not refused, energies=energies, fault=fault
        )
        generated = self._bench.evaluations.generated(self._bench.dataset.class_names)
        self._show(replace(tilt, refused=refused, generated=generated))

    @Slot()
    def _on_evaluations(self) -> None:
        """Show what is generated now; the target itself, a sum over all examples, is as it was."""
        if self.tilt is None or self._bench.dataset is None:
            return
        generated = self._bench.evaluations.generated(self._bench.dataset.class_names)
        if not _equal(generated, self.tilt.generated):
            self._show(replace(self.tilt, generated=generated))

    def _show(self, tilt: TiltView | None) -> None:
        self.tilt = tilt
        self.changed.emit(tilt)

    @Slot(int)
    def _on_applied(self, revision: int) -> None:
        self._applied_revision = revision
        self.refresh()

    @Slot(int, object)
    def _on_rejected(self, revision: int, error: UserError) -> None:
        self._refused_revision = revision
        self.refresh()
        self.rejected.emit(error)

    def begin_run(self, revision: int = 0) -> RunConfig:
        """A run begins: from here on revisions count from this one.

        Returns:
            its configuration, with the offsets of this data set's classes alone.
        """
        assert self._bench.dataset is not None
        offsets = offsets_by_name(self.perturbation, self._bench.dataset.class_names)
        self._revision = self._applied_revision = revision
        self._refused_revision = None
        config = self._bench.config
        return config.model_copy(update={"perturbation": config.perturbation.model_copy(update={"offsets": offsets})})

    @Slot()
    def _on_run(self) -> None:
        if not self._bench.run.phase.active and self.tilt is not None and (self.tilt.pending or self.tilt.refused):
            self.refresh()


def _equal(one: NDArray[np.float64] | None, other: NDArray[np.float64] | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other, equal_nan=True)
