"""The target from the window's side: edits of offsets, shares and energies, and what the target has become."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Signal, Slot

from studio.errors import UserError
from studio.gui.run.run_control import RunControl
from studio.gui.state.dataset_view import DatasetView
from studio.gui.state.setup import Setup
from studio.gui.state.tilt_view import Generated, TiltView
from studio.gui.state.undo import SetEnergy, SetOffsets, SwitchHold
from studio.gui.target.energy_control import EnergyControl
from studio.gui.target.generated_shares import BEFORE, GeneratedShares
from studio.gui.target.target_sender import TargetSender
from studio.gui.timeline.subject_data import SubjectData
from studio.perturb.hold import Hold
from studio.perturb.perturbation import Gauge, Perturbation
from studio.training.config.energy import EnergyConfig
from studio.training.config.run_config import PerturbationConfig, RunConfig, offsets_by_name
from studio.training.examples.measured_set import CSV
from studio.training.messages.commands import SetHold
from studio.training.run.session import RunRequest


class TargetControl(QObject):
    """Edits the target in the configuration, and sends it to the run; a UserError where an edit cannot be made."""

    changed = Signal(object)  # TiltView | None

    def __init__(
        self,
        setup: Setup,
        runs: RunControl,
        energies: EnergyControl,
        generated: GeneratedShares,
        data: SubjectData,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._setup, self._runs, self._energies = setup, runs, energies
        self.generated, self.data = generated, data
        self._config = setup.config  # that was looked at last
        self.tilt: TiltView | None = None
        self._looked_at: Perturbation | None = None  # what it is of
        self._ahead: tuple[float, ...] | None = None  # offsets that a drag would make
        self._asked: Perturbation | None = None  # what is shown of At once answers it
        self._telling = False
        self._training = False
        self._locked: frozenset[str] = frozenset()  # by name, so that a data set with the same classes has them, too
        self._sender = TargetSender(setup, runs, data.targets, self)
        self._sender.changed.connect(self.refresh)
        setup.config_changed.connect(self._on_config)
        data.dataset_changed.connect(self.look_back)
        data.target_changed.connect(self.look_back)
        energies.measured_more.connect(self.refresh)
        generated.changed.connect(self._on_generated)
        generated.corrected.connect(self.refresh)
        runs.run_begins.connect(self._on_run_begins)
        runs.run_changed.connect(self._on_run)

    def class_offsets(self) -> tuple[float, ...]:
        """ΔH of each class of the data set in use."""
        names = self.data.view.class_names if self.data.view is not None else ()
        return tuple(self.data.config.perturbation.offsets.get(name, 0.0) for name in names)

    def set_offset(self, index: int, offset: float) -> None:
        """Set ΔH of one class."""
        before = self.class_offsets()
        self.set_offsets((*before[:index], offset, *before[index + 1 :]), f"ΔH of {self._class_name(index)}")

    def set_offsets(self, offsets: Sequence[float], text: str, *, apart: bool = False) -> None:
        """Replace all offsets in one undoable step; `text` names it ("Balance classes").

        Quick steps of one name are undone as one, unless this one is `apart`.
        """
        self._ensure_free()
        assert self._setup.dataset is not None
        names, before = self._setup.dataset.class_names, self._setup.config.perturbation.offsets
        new = Perturbation(offsets=tuple(float(offset) for offset in offsets)).offsets
        # Offsets of classes that this data set lacks stay, for the day it is changed back.
        others = {name: value for name, value in before.items() if name not in names}
        if new != self.class_offsets():
            after = others | offsets_by_name(new, names)
            self._setup.undo_stack.push(SetOffsets(before, after, text, self._apply_offsets, apart=apart))
        elif self._ahead is not None:
            self.look_back()

    def switch_off(self, text: str) -> None:
        """No tilt in one undoable step: every offset 0, and every term switched off."""
        self._ensure_free()
        energy = self._setup.config.perturbation.energy_part()
        terms = tuple(term.model_copy(update={"enabled": False}) for term in energy.terms)
        none = [0.0] * len(self.class_offsets())
        if terms == energy.terms:
            self.set_offsets(none, text)
            return
        self._setup.undo_stack.beginMacro(text)
        self.set_offsets(none, text)
        self.set_energy(energy.model_copy(update={"terms": terms}), text)
        self._setup.undo_stack.endMacro()

    def lock(self, index: int, on: bool) -> None:
        """Have a class keep its share while others are edited, or no longer."""
        self._locked = self._locked | {self._class_name(index)} if on else self._locked - {self._class_name(index)}
        self.refresh()

    def look_ahead(self, offsets: Sequence[float]) -> None:
        """Show what these offsets would make, without an edit, until there is one, or `look_back`."""
        if self.data.view is not None and not self.data.fixed:
            self._ahead = tuple(offsets)
            self.refresh()

    @Slot()
    def look_back(self) -> None:
        """Show the target as it is."""
        self._ahead = None
        self.refresh()

    def show_at_once(self, found: Generated | None) -> None:
        """Show what a model gives of this target without training, until the target changes; None for no more."""
        if found is not self.generated.at_once:
            self.generated.at_once, self._asked = found, self.perturbation
            if self.tilt is not None:
                self._show(replace(self.tilt, generated=self._generated()))

    def set_energy(self, energy: EnergyConfig, text: str) -> None:
        """Replace terms, temperature and clip in one undoable step, once they are measured and known to be finite."""
        if self.data.fixed:
            self._energies.rejected.emit(self._fixed())
            return
        before = self._setup.config.perturbation.energy_part()
        new = set(energy.energy().names) - set(before.energy().names)
        self._energies.reload(new)
        if energy != before:
            target = replace(self.perturbation, energy=energy.energy())
            self._energies.try_out(target, lambda: self._push_energy(energy, text))

    def _push_energy(self, energy: EnergyConfig, text: str) -> None:
        """Another edit may have been undone while this one was tried."""
        before = self._setup.config.perturbation.energy_part()
        self._setup.undo_stack.push(SetEnergy(before, energy, text, self._apply_energy))

    def _apply_energy(self, energy: EnergyConfig) -> None:
        self._put_perturbation(self._setup.config.perturbation.with_energy(energy))

    def set_gauge(self, gauge: Gauge) -> None:
        if self.data.fixed:
            self.refresh()  # and so put the choice back
        else:
            self._put_perturbation(self._setup.config.perturbation.model_copy(update={"gauge": gauge}))

    def set_hold(self, on: bool) -> None:
        """Have the run hold its shares, from now on or once it begins, or no longer, in one undoable step."""
        if self.data.fixed:
            self.refresh()
        elif on != self._setup.config.hold.on:
            text = "Hold the shares" if on else "Hold no more"
            self._setup.undo_stack.push(SwitchHold(not on, on, text, self._apply_hold))

    def _apply_hold(self, on: bool) -> None:
        self._setup.edit(hold=self._setup.config.hold.model_copy(update={"on": on}))

    def take_recipe(self) -> None:
        """Set up what reaches the target sooner, in one undoable step."""
        if self.tilt is not None and self.tilt.recipe is not None:
            self._setup.set_config(self.tilt.recipe.of(self._setup.config), self.tilt.recipe.name)

    def _fixed(self) -> UserError:
        return UserError("The target cannot be edited", self.data.fixed)

    def _ensure_free(self) -> None:
        if self.data.fixed:
            raise self._fixed()

    def _class_name(self, index: int) -> str:
        assert self.data.view is not None
        return self.data.view.class_names[index]

    def _apply_offsets(self, offsets: Mapping[str, float]) -> None:
        self._put_perturbation(self._setup.config.perturbation.model_copy(update={"offsets": dict(offsets)}))

    def _put_perturbation(self, perturbation: PerturbationConfig) -> None:
        if perturbation == self._setup.config.perturbation:
            return
        self._sender.renew(perturbation)
        self._setup.edit(perturbation=perturbation)
        self._sender.send()

    @property
    def perturbation(self) -> Perturbation:
        """The target as edited, or that of the step that is looked at."""
        config = self.data.config.perturbation
        revision = self.data.revision if self.data.fixed else self._sender.revision
        return Perturbation(offsets=self.class_offsets(), energy=config.energy(), gauge=config.gauge, revision=revision)

    @Slot()
    def refresh(self) -> None:
        """Look at the target anew, as when more is known of it."""
        dataset, fixed, target = self.data.view, self.data.fixed, self.perturbation
        if dataset is None or self.data.missing:
            self._show(None)
            return
        if self._ahead is not None:
            target = replace(target, offsets=self._ahead)
        awaited, refused = (False, False) if fixed else (self._sender.awaited, self._sender.refused)
        tilt = self._view_of(target, dataset, pending=awaited and not refused)
        self.generated.find_correction()
        applied = Hold.begun(self.generated.correction).applied(target)
        if applied is not target:
            tilt = replace(tilt, applied=self._view_of(applied, dataset, pending=False))
        locked = frozenset(index for index, name in enumerate(dataset.class_names) if name in self._locked)
        self._looked_at = target
        recipe = None if fixed or self._training else tilt.recipe
        told = replace(tilt, hint=fixed, refused=refused, locked=locked, generated=self._generated(), recipe=recipe)
        self._show(replace(told, point_error=self._point_error))

    def _generated(self) -> Generated | None:
        """What is generated; as of the target before, while a drag or an edit shows another one."""
        found = self.generated.now()
        if found is None or (self._looked_at == self._asked if found.at_once else self._shows_target):
            return found
        return replace(found, note=found.note or BEFORE.format(found.step))

    @property
    def _point_error(self) -> float:
        """Of the target that is shown, if a run has taken it up."""
        own = self.data.fixed or self.data.is_target(self._sender.applied)
        return self.generated.point_error if own and self._shows_target else math.nan

    def answers(self, revision: int) -> bool:
        """Whether what was trained towards a target of this revision answers the one that is shown, on these data."""
        return self._shows_target and self.generated.answers(revision)

    @property
    def _shows_target(self) -> bool:
        """And not what a drag would make of it, nor the one before an edit."""
        return self._looked_at == self.perturbation

    def _view_of(self, target: Perturbation, dataset: DatasetView, *, pending: bool) -> TiltView:
        energies, fault = None, None
        if target.by_example:
            try:
                energies = self._energies.energies_of(target)
            except UserError as error:
                fault = error
        return TiltView.of(target, dataset, self.data.config, pending=pending, energies=energies, fault=fault)

    @Slot(object)
    def _on_config(self, config: RunConfig) -> None:
        """Another target, perhaps; another data set is looked at once it is here."""
        before, self._config = self._config, config
        if config.hold != before.hold:
            self._runs.send(SetHold(hold=config.hold))
        if config.perturbation != before.perturbation:
            self._ahead = None
        if config.dataset == before.dataset:
            self.refresh()

    @Slot()
    def _on_generated(self) -> None:
        """The target itself, a sum over all examples, is as it was."""
        if self.tilt is not None:
            self._show(replace(self.tilt, generated=self._generated(), point_error=self._point_error))

    def _show(self, tilt: TiltView | None) -> None:
        """Tell it; what somebody makes of that at once is told when all have heard."""
        self.tilt = tilt
        while not self._telling:
            told, self._telling = self.tilt, True
            try:
                self.changed.emit(told)
            finally:
                self._telling = False
            if self.tilt is told:
                break

    @Slot(object)
    def _on_run_begins(self, request: RunRequest) -> None:
        if request.resumption is None:  # a file may have been edited since its column was read
            self._energies.reload(name for name in self.perturbation.energy.names if name.startswith(CSV))
        self.refresh()

    @Slot()
    def _on_run(self) -> None:
        before, self._training = self._training, self._runs.run.phase.active
        left = not self._training and self.tilt is not None and (self.tilt.pending or self.tilt.refused)
        if left or before != self._training:
            self.refresh()
