"""The lock: complete, by hash, and without a word about where it was made."""

import tomllib

from packaging.requirements import Requirement

from studio.bootstrap import environment
from tests.bootstrap.stand_ins import ROOT

LOCK = "numpy==2.0 \\\n    --hash=sha256:aa\nuv==0.8 \\\n    --hash=sha256:bb\n    # via setup\ntorch==2.8\n"


def test_that_the_lock_is_split_into_the_installer_and_the_rest() -> None:
    installer, rest = environment.split_lock(LOCK)
    assert installer == "uv==0.8 \\\n    --hash=sha256:bb\n    # via setup\n"
    assert rest == "numpy==2.0 \\\n    --hash=sha256:aa\ntorch==2.8\n"


def test_that_the_lock_has_all_that_the_project_asks_for_by_hash() -> None:
    text = (ROOT / "requirements.lock").read_text()
    locked: dict[str, list[str]] = {}
    for line in text.splitlines():
        if "==" in line and not line.startswith((" ", "#")):
            assert line.endswith("\\"), f"{line} has no hash"
            requirement = Requirement(line.rstrip("\\ "))
            locked.setdefault(requirement.name, []).append(str(requirement.specifier).removeprefix("=="))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = [project["project"]["dependencies"], *project["dependency-groups"].values()]
    for requirement in (Requirement(line) for group in groups for line in group):
        versions = locked.get(requirement.name, [])
        assert versions, f"{requirement.name} is not in the lock"
        assert all(requirement.specifier.contains(version) for version in versions), requirement


def test_that_the_lock_names_no_place() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert not [line for line in text.splitlines() if "://" in line or " /" in line or "index" in line.lower()]
