"""The panels: one line each. Where it docks at first, what it is called, which class it is, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from PySide6.QtWidgets import QWidget

from studio.gui.theme import ThemeManager
from studio.gui.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Panel:
    """What is known of a panel before it is made.

    Attributes:
        place: where it docks at first; panels of one place share it as tabs.
        name: of the widget.
        title: of the dock.
        path: module and class, which is imported when the panel is made.
        takes: attributes of the workbench that its constructor is given, before a theme and a parent.
    """

    place: str
    name: str
    title: str
    path: str
    takes: tuple[str, ...]

    def make(self, workbench: Workbench, theme: ThemeManager, parent: QWidget | None = None) -> QWidget:
        """The panel."""
        module, name = self.path.rsplit(".", 1)
        kind: type[Any] = getattr(import_module(module), name)
        found = kind(*(getattr(workbench, each) for each in self.takes), theme, parent)
        assert isinstance(found, QWidget)
        return found


_AT = "studio.gui.panels"

PANELS = (
    Panel("left", "setup", "Set-up", f"{_AT}.setup.SetupPanel", ("setup", "runs", "starter", "tasks")),
    Panel("middle_top", "samples", "Samples", f"{_AT}.samples.SamplesPanel", ("time", "latents")),
    Panel("middle_top", "diagnostics", "Diagnostics", f"{_AT}.diagnostics.DiagnosticsPanel", ("time",)),
    Panel("middle_top", "examples", "Examples", f"{_AT}.examples.ExamplesPanel", ("time", "setup")),
    Panel("middle_top", "plane", "Plane", f"{_AT}.plane.PlanePanel", ("setup", "target", "runs", "time")),
    Panel("middle_bottom", "offsets", "Offsets", f"{_AT}.offsets.OffsetsPanel", ("setup", "target")),
    Panel("middle_bottom", "energy", "Energy", f"{_AT}.energy.EnergyPanel", ("setup", "target", "energies")),
    Panel(
        "middle_bottom", "theory", "Theory", f"{_AT}.theory.TheoryPanel", ("target", "energies", "evaluations", "time")
    ),
    Panel("middle_bottom", "planners", "Planners", f"{_AT}.planners.PlannersPanel", ("setup", "runs")),
    Panel("middle_bottom", "runs", "Runs", f"{_AT}.runs.RunsPanel", ("library", "sweeps", "runs", "time")),
    Panel("middle_bottom", "queue", "Queue", f"{_AT}.queue.QueuePanel", ("setup", "queue", "sweeps", "log")),
    Panel("right_top", "batch", "Batch", f"{_AT}.batch.BatchPanel", ("time",)),
    Panel("right_top", "weights", "Weights", f"{_AT}.weights.WeightsPanel", ("target", "time")),
    Panel("right_top", "shares", "Shares", f"{_AT}.shares.SharesPanel", ("setup", "evaluations")),
    Panel("right_middle", "losses", "Losses", f"{_AT}.losses.LossesPanel", ("time",)),
    Panel("right_middle", "gradients", "Gradients", f"{_AT}.gradients.GradientsPanel", ("time",)),
    Panel("right_bottom", "log", "Log", f"{_AT}.log.LogPanel", ("log",)),
)
"""In the order of their keys. A new panel is a line here."""

PLACES = {
    place: tuple(panel for panel in PANELS if panel.place == place)
    for place in dict.fromkeys(panel.place for panel in PANELS)
}
"""The panels of each place, the one that is in front at first before the others."""
