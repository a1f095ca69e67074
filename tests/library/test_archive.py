"""A run as one zip and back, and what is made of archives that mean harm."""

import io
import os
import stat
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from studio.errors import Cancelled, UserError
from studio.library.export import archive as archive_module
from studio.library.export.archive import is_portable, pack, unpack
from studio.progress import Progress
from studio.training.storage.folder_lock import FolderLock
from tests.library.made_runs import make_run


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    run = make_run(tmp_path / "from", "a run Δ")
    (run / ".secret").write_text("")
    os.symlink("/etc/passwd", run / "link")
    pack(run, tmp_path / "run.zip")
    return tmp_path / "run.zip"


def contents(run: Path) -> dict[str, bytes]:
    """What is packed of a run without sub-folders."""
    packed = (path for path in run.iterdir() if path.is_file() and not path.is_symlink() and path.name[0] != ".")
    return {path.name: path.read_bytes() for path in packed}


def test_that_a_run_arrives_as_it_was_sent(packed: Path, tmp_path: Path) -> None:
    root = tmp_path / "to"
    there = unpack(packed, root)
    assert there == root / "a run Δ"
    sent = contents(tmp_path / "from" / "a run Δ")
    assert contents(there) == sent
    assert not (there / ".secret").exists()
    assert [path.name for path in root.iterdir()] == ["a run Δ"]
    assert unpack(packed, root) == root / "a run Δ-2"


@pytest.mark.parametrize("begins", ["before", "meanwhile"])
def test_that_a_run_that_is_under_way_is_not_packed(tmp_path: Path, begins: str) -> None:
    """Its databases would be torn, its weights of another step than its summary."""
    run = make_run(tmp_path, "run")
    owned = [FolderLock(run)] if begins == "before" else []

    def begin(*_: object) -> None:
        if not owned:
            owned.append(FolderLock(run))

    with pytest.raises(UserError, match=f"under way cannot be packed.*process {os.getpid()}"):
        pack(run, tmp_path / "run.zip", Progress(begin))
    assert not (tmp_path / "run.zip").exists()
    owned[0].release()
    assert pack(run, tmp_path / "run.zip")


AWKWARD = (
    *(
        "run: 1?",
        "con",
        "con.a",
        "NUL.txt",
        "com¹",
        "x" * 210,
        "Δ" * 120,
        ".hidden run",
        "a run. ",
        "a\\b",
        "tab\there",
    ),
    *("<>|*", "..", "e\u0301", "new\nline", "-", "a" * 230 + ".txt", "a." + "b" * 100, os.fsdecode(b"no \xff unicode")),
)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize("name", [each for each in AWKWARD if each != ".."], ids=ascii)
def test_that_a_run_of_any_name_arrives(name: str, tmp_path: Path) -> None:
    run = make_run(tmp_path / "from", name)
    pack(run, tmp_path / "run.zip")
    there = unpack(tmp_path / "run.zip", tmp_path / "to")
    assert contents(there) == contents(run)
    assert is_portable(there.name)
    assert unpack(tmp_path / "run.zip", tmp_path / "to") == there.with_name(f"{there.name}-2")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_that_files_of_any_name_arrive_and_none_instead_of_another(tmp_path: Path) -> None:
    run = make_run(tmp_path / "from", "run")
    names = [name for name in AWKWARD if not name.startswith(".")]
    names += ["my notes: v1.txt", "my notes? v1.txt", "A.txt", "a.txt", "\u00e9", "x" * 220, f"{'x' * 210}y"]
    for number, name in enumerate(names):
        (run / name).write_text(f"{number}")
        (run / "sub: folder" / name).parent.mkdir(exist_ok=True)
        (run / "sub: folder" / name).write_text(f"sub {number}")
    os.utime(run / "A.txt", (0, 0))  # older than zip archives can tell
    pack(run, tmp_path / "run.zip")
    there = unpack(tmp_path / "run.zip", tmp_path / "to")
    sent, found = (
        [path.read_bytes() for path in root.rglob("*") if path.is_file() and path.name[0] != "."]
        for root in (run, there)
    )
    assert sorted(found) == sorted(sent)
    assert (there / "my notes- v1.txt").read_text() == f"{names.index('my notes: v1.txt')}"
    assert (there / "my notes- v1-2.txt").read_text() == f"{names.index('my notes? v1.txt')}"
    assert (there / "sub- folder").is_dir()


def test_that_a_run_is_packed_from_within_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path / "from", "a run")
    monkeypatch.chdir(run)
    pack(Path("."), tmp_path / "run.zip")
    assert unpack(tmp_path / "run.zip", tmp_path / "to") == tmp_path / "to" / "a run"


def test_that_a_blank_file_arrives_too(tmp_path: Path) -> None:
    run = make_run(tmp_path / "from", "run")
    (run / "blank.bin").write_bytes(bytes(4 * 2**20))
    pack(run, tmp_path / "run.zip")
    assert contents(unpack(tmp_path / "run.zip", tmp_path / "to")) == contents(run)


def test_that_what_could_not_be_unpacked_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path / "from", "run")
    deep = run / "1" / "2" / "3" / "4"
    deep.mkdir(parents=True)
    (deep.parent / "file").write_text("x")
    pack(run, tmp_path / "run.zip")
    assert (unpack(tmp_path / "run.zip", tmp_path / "to") / "1" / "2" / "3" / "file").exists()
    (deep / "file").write_text("x")
    with pytest.raises(UserError, match="more than 3 folders deep"):
        pack(run, tmp_path / "no.zip")
    for name, says in (("_MOST_MEMBERS", "files; 1 are possible"), ("_MOST_BYTES", "GB are possible")):
        monkeypatch.setattr(archive_module, name, 1)
        with pytest.raises(UserError, match=says):
            pack(run, tmp_path / "no.zip")
        monkeypatch.undo()
    assert not (tmp_path / "no.zip").exists()


def test_that_what_is_no_run_is_not_packed(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a run folder"):
        pack(tmp_path, tmp_path / "run.zip")


def test_that_unpacking_that_is_called_off_leaves_nothing(packed: Path, tmp_path: Path, cancelled: Progress) -> None:
    with pytest.raises(Cancelled):
        unpack(packed, tmp_path / "to", cancelled)
    assert not list((tmp_path / "to").iterdir())


def changed(packed: Path, change: Callable[[zipfile.ZipFile], object]) -> None:
    with zipfile.ZipFile(packed, "a") as zipped:
        change(zipped)


def link(name: str) -> zipfile.ZipInfo:
    found = zipfile.ZipInfo(name)
    found.external_attr = (stat.S_IFLNK | 0o777) << 16
    return found


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "a run Δ/../../evil",
        "/etc/evil",
        "C:/evil",
        "a run Δ\\..\\evil",
        "a run Δ/.hidden",
        "a run Δ/con",
        "a run Δ/LPT1.txt",
        "a run Δ/a:b",
        "a run Δ/end.",
        "a run Δ/new\nline",
        "a run Δ/" + "x" * 300,
        "a run Δ/1/2/3/4/5",
        "evil",
        "a run Δ//evil",
        "another/evil",
        "a run Δ/CONFIG.JSON",
    ],
)
def test_that_a_strange_name_is_refused(name: str, packed: Path, tmp_path: Path) -> None:
    changed(packed, lambda zipped: zipped.writestr(zipfile.ZipInfo(name), b"evil"))
    refused(packed, tmp_path)


def refused(packed: Path, tmp_path: Path, match: str = "archive is refused") -> None:
    before = set(tmp_path.rglob("*"))
    with pytest.raises(UserError, match=match) as caught:
        unpack(packed, tmp_path / "to")
    assert caught.value.hint
    assert len(str(caught.value)) < 600
    assert set(tmp_path.rglob("*")) - before <= {tmp_path / "to"}


def test_that_a_link_is_refused(packed: Path, tmp_path: Path) -> None:
    changed(packed, lambda zipped: zipped.writestr(link("a run Δ/weights.safetensors"), "/etc/passwd"))
    refused(packed, tmp_path)


def test_that_a_bomb_is_refused(packed: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("a run Δ/bomb", b"\0" * 50_000_000)
    refused(packed, tmp_path)


def test_that_a_member_that_lies_about_its_size_is_refused(packed: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("a run Δ/liar", b"x" * 10_000)
    content = packed.read_bytes()
    size = (10_000).to_bytes(4, "little")
    packed.write_bytes(content.replace(size, (10).to_bytes(4, "little")))
    refused(packed, tmp_path, "archive")


def test_that_too_much_of_anything_is_refused(packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("_MOST_BYTES", "_MOST_MEMBERS"):
        with monkeypatch.context() as patch:
            patch.setattr(archive_module, limit, 3)
            refused(packed, tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"x" * 1000])
def test_that_what_is_no_zip_is_a_message(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "run.zip").write_bytes(content)
    refused(tmp_path / "run.zip", tmp_path, "archive cannot be opened")


def test_that_damage_anywhere_is_a_message_and_leaves_nothing(packed: Path, tmp_path: Path) -> None:
    content = packed.read_bytes()
    for place in range(0, len(content), len(content) // 60):
        packed.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        with suppress(UserError):
            unpack(packed, tmp_path / f"to-{place}")
        assert not list(tmp_path.rglob(".unpacking*"))


def test_that_an_archive_without_a_run_is_refused(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr("pictures/cat.png", b"")
    (tmp_path / "run.zip").write_bytes(file.getvalue())
    refused(tmp_path / "run.zip", tmp_path, "no run that can be opened")
