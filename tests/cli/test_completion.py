"""What every command says of itself, and what a shell completes."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from studio.cli.main import main
from studio.paths import choose_runs_root
from tests.cli.conftest import Says
from tests.library.made_runs import make_config, make_run

COMMANDS = (
    *("open", "train", "resume", "fork", "pin", "sample", "response", "evaluate", "sweep", "runs", "compare"),
    *("export", "report", "import", "presets", "models", "doctor", "completion"),
)


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_that_these_are_all_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "--help").split("commands:")[1].splitlines()
    assert {line.split()[0] for line in lines if line.startswith("    ") and line[4] != " "} - {"COMMAND"} == set(
        COMMANDS
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_that_help_teaches_by_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, command, "--help")
    description = text.split("\n\n")[1]
    assert len(description) > 40
    assert "example" in text or '"config":' in text
    assert f"studio {command}" in text.split("\n\n", 1)[1] or command in ("presets", "sweep")


@pytest.fixture
def script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The one for bash, and a command `studio` that it can ask: this Python's, so that no environment is set up."""
    assert main(["completion", "bash"]) == 0
    (tmp_path / "completion.bash").write_text(capsys.readouterr().out)
    studio = tmp_path / "bin" / "studio"
    studio.parent.mkdir()
    code = "import sys; from studio.cli.main import main; sys.exit(main())"
    studio.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(code)} "$@"\n')
    studio.chmod(0o755)
    return tmp_path / "completion.bash"


def completed(script: Path, *words: str) -> list[str]:
    """What bash offers for the last of these words."""
    line = " ".join(map(shlex.quote, ("studio", *words)))
    asked = f"""
    PATH={shlex.quote(str(script.parent / "bin"))}:$PATH
    source {shlex.quote(str(script))}
    COMP_WORDS=({line}) COMP_CWORD={len(words)} COMP_LINE={shlex.quote(line)}
    _shtab_studio studio {shlex.quote(words[-1])} ""
    printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    found = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return found.stdout.split()


@pytest.mark.skipif(sys.platform == "win32", reason="no bash")
@pytest.mark.slow
def test_that_bash_completes_commands_options_files_presets_and_runs(script: Path, tmp_path: Path) -> None:
    root = tmp_path / "runs"
    make_run(root, "first-run", make_config("tilted"))
    make_run(root, "second-run")
    choose_runs_root(root)
    (tmp_path / "pictures").mkdir()
    assert completed(script, "ex") == ["export"]
    assert "--onnx" in completed(script, "export", "first-run", "--")
    assert completed(script, "export", "fir") == ["first-run"]
    assert completed(script, "train", "mnist-twos-30-wgan_") == ["mnist-twos-30-wgan_gp"]
    assert completed(script, "export", "first-run", "--classes", str(tmp_path / "pic")) == [str(tmp_path / "pictures")]
    assert completed(script, "import", str(tmp_path / "compl")) == [str(script)]
    assert completed(script, "completion", "z") == ["zsh"]


@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_that_other_shells_are_told_the_same(shell: str, told: Says) -> None:
    script = told("completion", shell)
    assert all(command in script for command in COMMANDS)
    assert "studio runs --names" in script
