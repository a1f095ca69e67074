"""The judges that may look at a data set: its own, and those of other data sets.

A judge is named by the data that it was trained on: empty for the data set itself, else as `dataset_named` reads it,
such as ``mnist`` or ``folder:/home/me/pets``. So images without labels can be judged, too.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from studio.data.catalog import DATASETS, dataset_named, load_dataset, not_here_yet
from studio.data.example_set import ExampleSet
from studio.data.image_set import ImageSet
from studio.errors import UserError
from studio.names import listed
from studio.perturb.arrays import Floats
from studio.progress import Progress

if TYPE_CHECKING:
    from studio.evaluation.judge import Judge

_READ_PART, _TRAINED_PART = 0.2, 0.8
_PATIENCE = 0.1


def known_judges() -> tuple[tuple[str, str], ...]:
    """Name and title of each data set on offer whose judge can look at other images."""
    return tuple((spec.kind, spec.title) for spec in DATASETS if spec.class_names)


def title_of_judge(name: str) -> str:
    """What the data of the judge of that name are called, a folder by its own name; empty of the data set's own."""
    path = name.partition(":")[2]
    if path:
        root = Path(path).expanduser().absolute()
        return root.name or str(root)
    return dict(known_judges()).get(name, "")


class Judges:
    """Brings judges in, each once; safe to use from several threads.

    Attributes:
        examples: what they look at.
        data_root: folder of downloaded data sets; may be another from now on.
    """

    def __init__(self, examples: ExampleSet, data_root: Path) -> None:
        self.examples = examples
        self.data_root = data_root
        self._lock = threading.Lock()
        self._here: dict[str, Judge] = {}
        self._fingerprints: dict[str, str] = {}

    @property
    def possible(self) -> bool:
        """Whether the examples can be judged at all: whether they are images."""
        return isinstance(self.examples, ImageSet)

    def why_not(self, name: str) -> UserError | None:
        """Why that judge cannot look at these examples, as far as it is known without loading anything."""
        examples = self.examples
        if not self.possible:
            hint = "The run's own metrics say how far points are from their target; tilt them by a formula."
            return _fault("Only images can be judged", f"{examples.name} has {examples.noun}.", hint)
        if not name and not examples.labelled:
            return _fault(
                "There are no classes to train a judge on",
                f"{examples.name} has images without labels.",
                "Choose the judge of another data set under “Judge of”, or with --judge mnist or evaluation.judge.",
            )
        return None

    def class_names(self, name: str) -> tuple[str, ...]:
        """What that judge tells apart, as far as it is known without loading anything; empty if it is not."""
        judge = self._here.get(name)
        if judge is not None:
            return judge.class_names
        if not name:
            return () if self.why_not(name) else self.examples.class_names
        return next((spec.class_names for spec in DATASETS if spec.kind == name), ())

    def here(self, name: str) -> Judge | None:
        """That judge if it is there; never waits."""
        return self._here.get(name)

    def judge(self, name: str, progress: Progress) -> Judge:
        """The judge of that name before these examples; trained first if it is not kept from before. Raises UserError
        if there is none, the examples cannot be judged, or its data are not here.
        """
        error = self.why_not(name)
        if error is not None:
            raise error
        assert isinstance(self.examples, ImageSet)
        while not self._lock.acquire(timeout=_PATIENCE):  # another thread may be bringing in this very judge
            progress.report("Waiting for the judge")
        try:
            if name not in self._here:
                self._here[name] = self._bring(name, self.examples, progress)
            return self._here[name]
        finally:
            self._lock.release()

    def fingerprint(self, name: str) -> str:
        """What tells the data of a judge that is here from all others; those of the examples' own are the examples."""
        return self._fingerprints.get(name, "the data set itself")

    def log_odds(self, name: str, of: str | int, progress: Progress, images: NDArray[np.uint8] | None = None) -> Floats:
        """log(q/(1 − q)) of every example, q that judge's probability of the class `of`, a name or number, shape (N,).

        Of images, shape (N, H, W, C), in their place if there are some. Raises UserError as `judge`, or if it knows no
        such class.
        """
        known = self.class_names(name)
        if known:
            _place(of, known)  # before a judge is trained in vain
        judge = self.judge(name, progress)
        return judge.log_odds(_place(of, judge.class_names), images)

    def _bring(self, name: str, examples: ImageSet, progress: Progress) -> Judge:
        data = self._load(name, progress.part(0.0, _READ_PART)) if name else examples
        from studio.evaluation.judge_store import judge_for

        if name:
            self._fingerprints[name] = data.fingerprint()
        judge = judge_for(data, progress.part(_READ_PART, _TRAINED_PART) if name else progress)
        return judge.seeing(examples, data.name, progress.part(_TRAINED_PART, 1.0)) if name else judge

    def _load(self, name: str, progress: Progress) -> ImageSet:
        try:
            config = dataset_named(name)
            missing = not_here_yet(config, self.data_root)
            data = None if missing is not None else load_dataset(config, self.data_root, progress)
        except UserError as error:
            raise _fault(error.title, error.message, error.hint) from error
        if missing is not None:
            raise _fault(
                missing.title,
                missing.message,
                "Load it once under “Set-up”, or train on it; it then stays on the disk.",
            )
        if not isinstance(data, ImageSet) or not data.labelled:
            raise _fault("That data set has no judge", f"“{name[:60]}” has no images with classes.", "Choose another.")
        return data


def _place(of: str | int, known: tuple[str, ...]) -> int:
    """The number of a class."""
    if isinstance(of, int):
        if of < len(known):
            return of
        raise _fault(f"The judge knows no class number {of}", f"Its classes are 0…{len(known) - 1}.", "Choose one.")
    if of not in known:
        raise _fault(f"The judge knows no class “{of[:60]}”", f"It knows {listed(known)}.", "Choose one.")
    return known.index(of)


def _fault(title: str, message: str, hint: str) -> UserError:
    return UserError(title, message, hint, field="perturbation.terms")
