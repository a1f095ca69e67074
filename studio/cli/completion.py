"""`studio completion`: a script that has a shell complete commands, options, files, folders, presets and runs."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from functools import partial

from studio.cli.arguments import Commands, place

_SHELLS = ("bash", "zsh", "tcsh")
_RUNS = {"bash": "_studio_runs", "zsh": "_studio_runs", "tcsh": "`studio runs --names`"}
_CONFIGS = {"bash": "_studio_configs", "zsh": "_studio_configs", "tcsh": "f"}

_PREAMBLES = {
    "bash": """
_studio_runs() {
  compgen -W "$(studio runs --names 2>/dev/null)" -- "$1"
  compgen -d -- "$1"
}
_studio_configs() {
  compgen -W "PRESETS" -- "$1"
  compgen -f -- "$1"
}
""",
    "zsh": """
_studio_runs() {
  local names=(${(f)"$(studio runs --names 2>/dev/null)"})
  compadd -a names
  _files -/
}
_studio_configs() {
  local names=(PRESETS)
  compadd -a names
  _files
}
""",
}
"""What the script defines first; PRESETS stands for their names."""


def add_completion(commands: Commands, parser: argparse.ArgumentParser) -> None:
    """Add the command to the command line of `parser`."""
    completion = commands.add_parser(
        "completion",
        help="print a script that completes this command in your shell",
        description="Print a script with which your shell completes commands, options, files, presets and the names "
        "of runs, for the command `studio`.",
        epilog='example, in ~/.bashrc or ~/.zshrc: eval "$(studio completion bash)"',
    )
    completion.add_argument("shell", choices=_SHELLS, help="your shell")
    completion.set_defaults(command=partial(_completion, parser))


def _completion(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    import shtab

    from studio.training.config.presets import presets

    for action in _actions(parser):
        if action.dest in ("run", "runs") and action.metavar == "RUN":
            completed: Mapping[str, object] = _RUNS
        elif action.metavar == "CONFIG_OR_PRESET":
            completed = _CONFIGS
        elif action.type is place:
            completed = shtab.DIRECTORY if action.metavar == "DIR" else shtab.FILE
        else:
            continue
        setattr(action, "complete", completed)  # noqa: B010 - where shtab looks
    names = " ".join(preset.name for preset in presets())
    preamble = _PREAMBLES.get(arguments.shell, "").replace("PRESETS", names)
    print(shtab.complete(parser, shell=arguments.shell, preamble=preamble))
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """All arguments of a parser and of its commands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
