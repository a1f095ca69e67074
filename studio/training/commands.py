"""Commands that come faster than steps are taken."""

from __future__ import annotations

from collections.abc import Sequence

from studio.training.messages import Command, SetDelay, SetLearningRate, SetPerturbation


def without_outdated(commands: Sequence[Command]) -> list[Command]:
    """The commands, without those that a later one makes void: of a dragged slider's targets and a turned wheel's
    learning rates only the last counts.
    """
    last = {_subject(command): command for command in commands}
    return [command for command in commands if _subject(command) is None or command is last[_subject(command)]]


def _subject(command: Command) -> object:
    """What a command sets that a later one sets anew; None for those that each count."""
    match command:
        case SetPerturbation():
            return SetPerturbation
        case SetDelay():
            return SetDelay
        case SetLearningRate():
            return SetLearningRate, command.network
        case _:
            return None
