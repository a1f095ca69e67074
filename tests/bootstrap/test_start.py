"""A start as a person types it, in a copy of the checkout; a stand-in for uv records what it is asked to do."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from studio import bootstrap
from studio.bootstrap import environment
from tests.bootstrap.stand_ins import PYTHON, ROOT, script

LOCK = "numpy==2.0 \\\n    --hash=sha256:aa\nuv==0.8 \\\n    --hash=sha256:bb\n    # via setup\ntorch==2.8\n"
CLI = """
import json, sys

def main(argv):
    print(json.dumps({"prefix": sys.prefix, "argv": argv}))
    return 7
"""
FAKE_UV = """#!/bin/sh
[ "$1" = --version ] && exit 0
echo "$@" >> "$UV_RECORD"
for last; do :; done
cat "$last" > "$UV_RECORD.packages"
while [ -n "$UV_UNTIL" ] && [ ! -e "$UV_UNTIL" ]; do sleep 0.05; done
[ -z "$UV_FAILS" ] || { echo "no route to host" >&2; exit 1; }
"""


class Checkout:
    """A copy of what a start needs, in which the studio is one that prints where it runs."""

    def __init__(self, root: Path) -> None:
        self.root = root / "checkout"
        self.record = root / "uv-record"
        (self.root / "studio").mkdir(parents=True)
        for name in ("__init__.py", "__main__.py"):
            shutil.copy(ROOT / "studio" / name, self.root / "studio" / name)
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "studio" / "bootstrap", self.root / "studio" / "bootstrap", ignore=ignore)
        with (self.root / "studio" / "bootstrap" / "environment.py").open("a") as module:
            module.write("NEEDED_GB = 0.0\n")  # these tests are to pass on a disk that is nearly full, too
        (self.root / "studio" / "cli").mkdir()
        (self.root / "studio" / "cli" / "__init__.py").touch()
        (self.root / "studio" / "cli" / "main.py").write_text(CLI)
        (self.root / "pyproject.toml").write_text("")
        (self.root / "requirements.lock").write_text(LOCK)
        self.path = f"{script(root / 'bin' / 'uv', FAKE_UV).parent}{os.pathsep}{os.environ['PATH']}"

    def popen(self, *arguments: str, python: str = PYTHON, **variables: str) -> subprocess.Popen[str]:
        """A start, as a person would type it, who has not set any of the set-up's variables."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PERTURBATION_STUDIO")}
        return subprocess.Popen(
            [python, "-m", "studio", *arguments],
            cwd=self.root,
            env={**inherited, "PATH": self.path, "UV_RECORD": str(self.record), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def start(self, *arguments: str, python: str = PYTHON, **variables: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr of a start."""
        process = self.popen(*arguments, python=python, **variables)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def installations(self) -> int:
        """How often uv was asked to install."""
        return len(self.record.read_text().splitlines()) if self.record.exists() else 0


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    if os.name == "nt":
        pytest.skip("the stand-in for uv is a shell script")
    return Checkout(tmp_path)


def test_that_the_first_start_installs_and_hands_over_arguments_and_exit_code(checkout: Checkout) -> None:
    code, out, err = checkout.start("train", "a b", "--set=x=1")
    assert code == 7, err
    assert json.loads(out) == {"prefix": str(checkout.venv), "argv": ["train", "a b", "--set=x=1"]}
    assert "to download" in err
    assert "--require-hashes" in checkout.record.read_text()


def test_that_the_second_start_installs_nothing_and_says_nothing(checkout: Checkout) -> None:
    checkout.start()
    code, _, err = checkout.start()
    assert (code, err, checkout.installations) == (7, "", 1)


def test_that_a_start_from_inside_the_environment_stays_in_it(checkout: Checkout) -> None:
    checkout.start()
    _, out, _ = checkout.start("presets", python=str(environment.python_of(checkout.venv)))
    assert json.loads(out) == {"prefix": str(checkout.venv), "argv": ["presets"]}


def test_that_a_changed_lock_is_installed(checkout: Checkout) -> None:
    checkout.start()
    (checkout.root / "requirements.lock").write_text(LOCK.replace("2.8", "2.9"))
    checkout.start()
    assert checkout.installations == 2
    assert "torch==2.9" in Path(f"{checkout.record}.packages").read_text()


def test_that_a_failed_installation_is_said_plainly_and_mended_by_the_next_start(checkout: Checkout) -> None:
    code, out, err = checkout.start(UV_FAILS="1")
    assert (code, out) == (2, "")
    assert "no route to host" in err
    assert "could not be installed" in err
    assert "Traceback" not in err
    assert not environment.stamp_of(checkout.venv).exists()
    code, _, err = checkout.start()
    assert (code, checkout.installations) == (7, 2), err


def test_that_a_start_that_was_killed_is_mended_by_the_next(checkout: Checkout) -> None:
    process = checkout.popen(UV_UNTIL=str(checkout.root / "never"))
    wait_until(lambda: checkout.installations == 1)
    os.killpg(process.pid, 9)
    process.communicate()
    assert not environment.stamp_of(checkout.venv).exists()
    code, _, err = checkout.start()
    assert (code, checkout.installations) == (7, 2), err
    assert "waiting" not in err


@pytest.mark.slow
def test_that_of_two_starts_the_second_waits_for_the_first(checkout: Checkout) -> None:
    go_on = checkout.root / "go-on"
    first = checkout.popen(UV_UNTIL=str(go_on))
    wait_until(lambda: checkout.installations == 1)
    second, said = checkout.popen("second"), ""
    while "Another start is setting things up; waiting" not in said:
        line = second.stderr.readline()
        assert line, said
        said += line
    go_on.touch()
    out, _ = second.communicate(timeout=60)
    assert (second.returncode, json.loads(out)["argv"]) == (7, ["second"])
    first.communicate(timeout=60)
    assert (first.returncode, checkout.installations) == (7, 1)


def wait_until(condition: Callable[[], bool]) -> None:
    """Poll another process's traces."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 30 s"
        time.sleep(0.02)


def test_that_an_environment_made_by_uv_run_is_filled_up_and_not_made_anew(checkout: Checkout) -> None:
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", str(checkout.venv)], check=True)
    (checkout.venv / "keep.txt").write_text("mine")
    code, _, err = checkout.start()
    assert code == 7, err
    assert (checkout.venv / "keep.txt").read_text() == "mine"


def test_that_an_environment_whose_python_is_gone_is_made_anew(checkout: Checkout) -> None:
    checkout.start()
    python = environment.python_of(checkout.venv)
    python.unlink()
    python.symlink_to("/nowhere/python3")
    code, _, err = checkout.start()
    assert (code, checkout.installations) == (7, 2), err


def test_that_a_folder_that_is_no_environment_is_left_alone(checkout: Checkout) -> None:
    (checkout.venv / "photos").mkdir(parents=True)
    code, _, err = checkout.start()
    assert code == 2
    assert "no Python environment.\nMove it away" in err
    assert (checkout.venv / "photos").is_dir()


def test_that_another_folder_can_be_named_for_the_environment(checkout: Checkout, tmp_path: Path) -> None:
    other = tmp_path / "deep" / "elsewhere"
    code, out, err = checkout.start(PERTURBATION_STUDIO_VENV=str(other))
    assert code == 7, err
    assert json.loads(out)["prefix"] == str(other)
    assert not checkout.venv.exists()


def test_that_a_folder_that_cannot_be_written_to_is_said_plainly(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = checkout.start(PERTURBATION_STUDIO_VENV=str(tmp_path / "file" / "venv"))
    assert code == 2
    assert "cannot be made: File exists" in err
    assert "Traceback" not in err


def test_that_an_installed_package_never_sets_anything_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)  # site-packages: no pyproject.toml beside the package
    bootstrap.start("studio", [])
    assert capsys.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_that_a_python_with_the_studio_installed_runs_a_checkout_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "site" / "perturbation_studio-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: perturbation-studio\nVersion: 0.1.0\n")
    monkeypatch.syspath_prepend(str(info.parent))
    monkeypatch.setenv("PERTURBATION_STUDIO_VENV", str(tmp_path / "venv"))
    assert bootstrap.prepare(ROOT) is None
    assert bootstrap.is_installed(needs="pytest")
    assert not bootstrap.is_installed(needs="no_such_package")
    assert not (tmp_path / "venv").exists()
