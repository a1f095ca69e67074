"""What the window is about: the set-up, the run that trains, or a run that is looked at. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from studio.training.config.run_config import RunConfig


class Aspect(StrEnum):
    """What can be done with the subject."""

    SETUP = "set-up"
    TRAINING = "training"
    LOOKING = "looking"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose numbers are shown: a run at a step."""

    title: str
    step: int

    @property
    def words(self) -> str:
        """For a note beside the numbers."""
        return f"of “{self.title}”, step {self.step:,}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A run that a person may want to go on with."""

    title: str
    folder: Path
    step: int

    @property
    def is_there(self) -> bool:
        """Whether its folder still holds a run that was saved."""
        return (self.folder / "summary.json").is_file()

    @property
    def words(self) -> str:
        """As a question."""
        return f"Resume {self.title} (step {self.step:,})?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One at a time; every panel, title and control obeys it.

    Attributes:
        title: of the run; of the set-up it is empty.
        folder: of the run, if it has one.
        step: that the run has reached, or was stopped at.
        shown: that the panels show, where the time cursor stands at an earlier one.
        paused: the run trains, but waits.
        config: what the run began with, or what is set up.
        live: the run is this window's own.
        others: whose numbers the panels still show, dimmed, beside a set-up that was edited after its run; else None.
        elsewhere: another process trains the run that is looked at.
        waiting: why the run that is looked at cannot be gone on with, or what is set up not started, in a sentence;
            empty if it can.
        offer: the run that the set-up was last used for, which can be gone on with; None if there is none.
    """

    aspect: Aspect = Aspect.SETUP
    title: str = ""
    folder: Path | None = None
    step: int = 0
    shown: int | None = None
    paused: bool = False
    config: RunConfig | None = None
    live: bool = True
    others: Owner | None = None
    elsewhere: bool = False
    waiting: str = ""
    offer: Offer | None = None

    @property
    def resumable(self) -> Path | None:
        """The run that can be gone on with."""
        if self.aspect is Aspect.SETUP:
            return self.offer.folder if self.offer is not None else None
        return self.folder if self.aspect is Aspect.LOOKING and not self.waiting else None

    @property
    def name(self) -> str:
        match self.aspect:
            case Aspect.SETUP:
                return "Set-up"
            case Aspect.TRAINING:
                return f"Training “{self.title}”"
            case Aspect.LOOKING:
                return f"Looking at “{self.title}”"

    def what_next(self, coming: str, *, of_step: bool = False, of_images: bool = False) -> str:
        """What to do for something to come of a run, of the step that is shown or of all, and what comes then; points
        have nothing that is of images.
        """
        if of_images and self.config is not None and not self.config.dataset.judged:
            return "Points have none: the panel “Plane” shows them, and how far they are from their target."
        if of_step and self.shown is not None:
            return f"Nothing is kept at or before step {self.shown:,}; go to a later one."
        match self.aspect:
            case Aspect.SETUP:
                return (
                    f"{self.waiting}\nThen press Start; {coming}" if self.waiting else f"Press Start to train; {coming}"
                )
            case Aspect.TRAINING:
                return f"{'Training is paused: press Resume' if self.paused else 'Training is under way'}; {coming}"
            case Aspect.LOOKING if self.elsewhere:
                return f"This run trains elsewhere; {coming}"
            case Aspect.LOOKING if self.waiting:
                return f"{self.waiting}\nPress Start to train another."
            case Aspect.LOOKING:
                return f"This run has none so far. Press Resume to train on; {coming}"

    @property
    def state(self) -> str:
        """How far it is, and which step of it is shown."""
        shown = f"; shown is step {self.shown:,}" if self.shown is not None else ""
        match self.aspect:
            case Aspect.SETUP:
                if self.others is not None:
                    return f"{self.waiting} The figures are {self.others.words}".lstrip()
                return self.offer.words if self.offer is not None else self.waiting
            case Aspect.TRAINING:
                return f"{'paused at ' if self.paused else ''}step {self.step:,}{shown}"
            case Aspect.LOOKING:
                return f"{'under way elsewhere, ' if self.elsewhere else 'stopped at '}step {self.step:,}{shown}"
