"""What a run was trained towards, as this window knows it. No Qt."""

from __future__ import annotations

from studio.training.config.run_config import PerturbationConfig


class RunTargets:
    """What this window's run was trained towards, by revision, and after which step each was in force.

    It begins where the run was begun or gone on with; what came before that is on disk.
    """

    def __init__(self, target: PerturbationConfig) -> None:
        self.begin(target)

    def begin(self, target: PerturbationConfig, revision: int = 0, step: int = -1) -> None:
        """It is another run, or gone on with after a step."""
        self._known = {revision: target}
        self._since = [(step, revision)]

    def add(self, revision: int, target: PerturbationConfig) -> None:
        """One that the run may come to train towards."""
        self._known[revision] = target

    def of(self, revision: int) -> PerturbationConfig | None:
        return self._known.get(revision)

    @property
    def in_force(self) -> PerturbationConfig:
        """The one that the run trains towards now, or did last."""
        return self._known[self._since[-1][1]]

    def apply(self, step: int, revision: int) -> None:
        """The run trains towards it after this step."""
        self._since.append((step, revision))

    def go_back(self, step: int) -> None:
        """The steps after this one are undone; the target stays."""
        self._since = [(min(since, step), revision) for since, revision in self._since]

    def at(self, step: int) -> tuple[PerturbationConfig, int] | None:
        """Of a step, and its revision: the one by which it was taken, as `noted_of_step`; None where that is older."""
        past = [revision for since, revision in self._since if since < step]
        return (self._known[past[-1]], past[-1]) if past else None
