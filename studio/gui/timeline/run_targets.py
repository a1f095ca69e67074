"""What this window's run was trained towards: its targets by revision, and from which step on each was in force."""

from __future__ import annotations

from studio.training.config.run_config import PerturbationConfig


class RunTargets:
    """Begins where the run was begun or gone on with; what came before that is on disk. No Qt."""

    def __init__(self, target: PerturbationConfig) -> None:
        self.begin(target)

    def begin(self, target: PerturbationConfig, revision: int = 0, step: int = 0) -> None:
        """It is another run, or gone on with."""
        self._known = {revision: target}
        self._since = [(step, revision)]

    def add(self, revision: int, target: PerturbationConfig) -> None:
        """One that the run may come to train towards."""
        self._known[revision] = target

    def of(self, revision: int) -> PerturbationConfig | None:
        return self._known.get(revision)

    def apply(self, step: int, revision: int) -> None:
        """The run trains towards it from this step on."""
        self._since.append((step, revision))

    def go_back(self, step: int) -> None:
        """The steps after this one are undone; the target stays."""
        self._since = [(min(since, step), revision) for since, revision in self._since]

    def at(self, step: int) -> tuple[PerturbationConfig, int] | None:
        """In force at a step, and its revision; None before the first one."""
        past = [revision for since, revision in self._since if since <= step]
        return (self._known[past[-1]], past[-1]) if past else None
