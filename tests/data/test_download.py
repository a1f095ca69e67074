"""Downloads: whole and verified, or nothing and a reason."""

import hashlib
import os
import threading
from pathlib import Path

import psutil
import pytest

from studio import files
from studio.data.download import Archive, fetch
from studio.errors import Cancelled, UserError
from studio.files import whole_file
from studio.progress import Progress
from tests.data.conftest import Loopback

CONTENT = bytes(range(256)) * 4000  # 1 MB


def archive(*urls: str, content: bytes = CONTENT, filename: str = "set.gz") -> Archive:
    return Archive(filename=filename, urls=tuple(url + filename for url in urls), md5=hashlib.md5(content).hexdigest())


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def test_that_a_download_arrives_whole_with_its_bytes_counted(loopback: Loopback, tmp_path: Path) -> None:
    loopback.files["set.gz"] = CONTENT
    reports: list[tuple[str, float | None]] = []
    assert fetch(archive(loopback.url), tmp_path / "new", "Toy", Progress(lambda *report: reports.append(report)))
    assert (tmp_path / "new" / "set.gz").read_bytes() == CONTENT
    assert files_below(tmp_path) == [os.path.join("new", "set.gz")]
    fractions = [fraction for _, fraction in reports if fraction is not None]
    assert fractions == sorted(fractions)
    assert reports[-1] == ("Downloading set.gz: 1.0 MB of 1.0 MB", 1.0)


def test_that_a_file_that_is_there_already_costs_no_network(loopback: Loopback, tmp_path: Path) -> None:
    (tmp_path / "set.gz").write_bytes(CONTENT)
    assert not fetch(archive(loopback.url), tmp_path, "Toy", Progress())
    assert loopback.asked == []


def test_that_a_damaged_file_that_is_there_already_is_named_and_kept(loopback: Loopback, tmp_path: Path) -> None:
    (tmp_path / "set.gz").write_bytes(b"half")
    with pytest.raises(UserError, match="Delete this file") as caught:
        fetch(archive(loopback.url), tmp_path, "Toy", Progress())
    assert str(tmp_path / "set.gz") in caught.value.message
    assert (tmp_path / "set.gz").read_bytes() == b"half"


def test_that_the_next_mirror_helps_out(loopback: Loopback, dead_url: str, tmp_path: Path) -> None:
    loopback.files["set.gz"] = CONTENT
    assert fetch(archive(dead_url, loopback.url + "gone/", loopback.url), tmp_path, "Toy", Progress())
    assert loopback.asked == ["gone/set.gz", "set.gz"]


def test_that_being_offline_says_what_to_do_and_leaves_nothing(dead_url: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        fetch(archive(dead_url), tmp_path, "Toy", Progress())
    assert caught.value.title == "Toy could not be downloaded"
    assert "set.gz: 127.0.0.1: no connection" in caught.value.message
    assert caught.value.hint == f"Check the connection and try again, or put set.gz into {tmp_path} yourself."
    assert files_below(tmp_path) == []


def test_that_a_wrong_checksum_is_named_and_leaves_nothing(loopback: Loopback, tmp_path: Path) -> None:
    loopback.files["set.gz"] = b"<html>Sign in to this network</html>"
    with pytest.raises(UserError, match=r"set\.gz: 127.0.0.1: the checksum is wrong") as caught:
        fetch(archive(loopback.url), tmp_path, "Toy", Progress())
    assert hashlib.md5(CONTENT).hexdigest() in caught.value.message
    assert files_below(tmp_path) == []


def test_that_a_server_that_dies_midway_leaves_nothing(loopback: Loopback, tmp_path: Path) -> None:
    loopback.files["set.gz"] = CONTENT
    loopback.breaks.add("set.gz")
    with pytest.raises(UserError, match="the server broke off"):
        fetch(archive(loopback.url), tmp_path, "Toy", Progress())
    assert files_below(tmp_path) == []


def test_that_a_missing_file_is_told_with_the_servers_answer(loopback: Loopback, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the server answered 404 Not Found"):
        fetch(archive(loopback.url), tmp_path, "Toy", Progress())


def test_that_a_cancel_is_noticed_at_once_even_while_the_server_is_silent(loopback: Loopback, tmp_path: Path) -> None:
    loopback.files["set.gz"] = CONTENT
    loopback.stalls.add("set.gz")
    progress = Progress()
    caught: list[BaseException] = []
    ended = threading.Event()

    def download() -> None:
        try:
            fetch(archive(loopback.url), tmp_path, "Toy", progress)
        except Cancelled as error:
            caught.append(error)
        ended.set()

    thread = threading.Thread(target=download)
    thread.start()
    assert loopback.half_sent.wait(60)
    progress.cancel()
    assert ended.wait(60)
    thread.join()
    assert len(caught) == 1
    assert files_below(tmp_path) == []


def test_that_a_cancel_between_two_pieces_leaves_nothing(loopback: Loopback, tmp_path: Path) -> None:
    loopback.files["set.gz"] = CONTENT
    progress = Progress(lambda text, fraction: progress.cancel() if fraction else None)
    with pytest.raises(Cancelled):
        fetch(archive(loopback.url), tmp_path, "Toy", progress)
    assert files_below(tmp_path) == []


def test_that_a_folder_that_cannot_be_made_is_told(loopback: Loopback, tmp_path: Path) -> None:
    loopback.files["set.gz"] = CONTENT
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="could not be written"):
        fetch(archive(loopback.url), tmp_path / "file" / "folder", "Toy", Progress())


def test_that_a_full_disk_is_told_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write() -> None:
        with whole_file(path) as file:
            file.write(b"new")
            raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match="No space left on device") as caught:
        write()
    assert "Make room on the disk" in caught.value.hint
    assert path.read_bytes() == b"old"
    assert files_below(tmp_path) == ["file"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_that_no_file_takes_the_place_of_a_device_or_a_pipe(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link):
        with pytest.raises(UserError, match="device or a pipe"), whole_file(path) as file:
            file.write(b"x")
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link", "pipe"]


def test_that_a_file_that_does_not_come_leaves_no_folder(loopback: Loopback, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    with pytest.raises(UserError, match="could not be downloaded"):
        fetch(archive(loopback.url), tmp_path / "kept" / "Toy" / "raw", "Toy", Progress())
    assert list(tmp_path.rglob("*")) == [tmp_path / "kept"]


def test_that_what_a_killed_process_left_is_cleared_and_a_living_ones_is_not(tmp_path: Path) -> None:
    living, gone = os.getppid(), 2**22 + 11
    for name in (f".file.{gone}.part", f".file.{living}.part", f".other.{gone}.part"):
        (tmp_path / name).write_bytes(b"half")
    with whole_file(tmp_path / "file") as file:
        file.write(b"whole")
    assert files_below(tmp_path) == [f".file.{living}.part", f".other.{gone}.part", "file"]


@pytest.mark.parametrize("jump", [-7200.0, 7200.0])
def test_that_what_a_killed_process_left_is_told_from_what_is_written_whatever_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    """Also where it is of a process whose number was given out again."""
    path, began = tmp_path / "file", psutil.boot_time()
    left_over = tmp_path / f".other.{os.getpid()}-1.part"
    left_over.write_bytes(b"half")
    with whole_file(path) as file:
        file.write(b"whole")
        monkeypatch.setattr(psutil._psplatform, "boot_time", lambda: began + jump)
        files.remove_left_overs(tmp_path)
    assert files_below(tmp_path) == ["file"]
