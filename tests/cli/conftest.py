"""A run of the command line that is there already, what commands say, and a Ctrl-C amid drawing."""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from studio.cli.main import main
from tests.threads import with_one_thread

QUICK = ["--set", "model.width=4", "--set", "batch.average_size=8", "--set", "cadence.log_every=5"]
Says = Callable[..., str]
TILTED = ["--set", "perturbation.offsets.2=-1.5"]
one_thread = pytest.fixture(autouse=True, scope="package")(with_one_thread)


@pytest.fixture(scope="package")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of 20 steps; nothing but evaluations is to be written to it."""
    path = tmp_path_factory.mktemp("cli") / "run"
    assert main(["train", "digits-vae", "--steps", "20", "--run-dir", str(path), *QUICK, *TILTED]) == 0
    return path


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Says:
    """Runs a command that must succeed; gives what it says on stdout."""

    def run(*arguments: object) -> str:
        capsys.readouterr()
        assert main([str(each) for each in arguments]) == 0
        return capsys.readouterr().out

    return run


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Says:
    """Runs a command that must end with one line on stderr and exit code 2; gives that line."""

    def run(*arguments: object) -> str:
        capsys.readouterr()
        assert main([str(each) for each in arguments]) == 2
        out, err = capsys.readouterr()
        lines = [line for line in re.split(r"[\n\r]", err) if line.strip() and not is_progress(line)]
        assert out == ""
        assert len(lines) == 1, err
        assert lines[0].startswith("studio: ")
        assert "Traceback" not in err
        return lines[0]

    return run


def is_progress(line: str) -> bool:
    """Whether a line says how far the run is."""
    return line.endswith(" …") or bool(re.search(r"[\d,]+ of [\d,]+ (steps|s)\b", line))


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of a run goes on by a hundredth of a second at every look, whatever the machine."""
    ticks = itertools.count(step=0.01)
    monkeypatch.setattr("studio.training.run.clock.time", SimpleNamespace(perf_counter=lambda: next(ticks)))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many were drawn at a time, of 8×8 images, until Ctrl-C comes with the second piece."""
    counted: list[int] = []

    def interrupted(model: object, counts: Iterable[int], *rest: object) -> Iterator[object]:
        for count in counts:
            counted.append(count)
            if len(counted) == 2:
                raise KeyboardInterrupt
            yield np.zeros((count, 8, 8, 1), np.uint8)

    monkeypatch.setattr("studio.training.engine.samples.draw_parts", interrupted)
    return counted
