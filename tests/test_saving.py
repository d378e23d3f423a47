"""Atomic file writes."""

import errno
import io
import os
import re
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from autograd.saving import check_folder, save


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert save(path, b"one") == path
    assert save(str(path), b"two") == path
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "file", b"whole")

    class FullDisk(io.FileIO):
        def write(self, content: Any) -> int:
            super().write(content[:2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.name)

    def opened(self: Path, mode: str) -> FullDisk:
        return FullDisk(self, mode)

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(OSError, match=rf"No space left on device: '{re.escape(str(path))}'"):
        save(path, b"another")
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


def test_threads_that_save_the_same_file_leave_one_of_their_contents(tmp_path: Path) -> None:
    path = save(tmp_path / "file", bytes(100_000))
    read: set[bytes] = set()
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            read.add(path.read_bytes())

    def write(content: bytes) -> None:
        for _ in range(50):
            save(path, content)

    threads = [threading.Thread(target=write, args=(bytes([i]) * 100_000,)) for i in range(4)]
    reader = threading.Thread(target=look)
    for thread in (reader, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    reader.join()
    assert read <= {bytes([i]) * 100_000 for i in range(4)}
    assert list(tmp_path.iterdir()) == [path]


def test_a_long_name(tmp_path: Path) -> None:
    path = save(tmp_path / ("n" * 255), b"content")
    assert path.read_bytes() == b"content"


def test_errors_name_the_file_that_was_asked_for(tmp_path: Path) -> None:
    for path, kind in ((tmp_path / "missing" / "file", FileNotFoundError), (tmp_path, IsADirectoryError)):
        with pytest.raises(kind) as error:
            save(path, b"content")
        assert error.value.filename == str(path)
        with pytest.raises(kind, match=re.escape(repr(str(path)))):
            check_folder(path)
    check_folder(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_a_file_has_the_usual_permissions(tmp_path: Path) -> None:
    usual = tmp_path / "usual"
    usual.write_bytes(b"")
    assert save(tmp_path / "file", b"").stat().st_mode == usual.stat().st_mode


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    target, link, dangling = tmp_path / "folder" / "target", tmp_path / "latest", tmp_path / "next"
    target.parent.mkdir()
    target.write_bytes(b"old")
    link.symlink_to(Path("folder") / "target")
    dangling.symlink_to(tmp_path / "folder" / "other")
    for path in (link, dangling):
        check_folder(path)
        assert save(path, b"new") == path
        assert path.is_symlink()
        assert path.read_bytes() == b"new"
    assert target.read_bytes() == b"new"
    assert sorted(path.name for path in target.parent.iterdir()) == ["other", "target"]
    lost = tmp_path / "lost"
    lost.symlink_to(tmp_path / "missing" / "file")
    with pytest.raises(FileNotFoundError, match="missing' does not exist"):
        check_folder(lost)


def test_the_mode_of_a_file_is_kept(tmp_path: Path) -> None:
    path = save(tmp_path / "private", b"one")
    for mode in (0o600, 0o640, 0o666):
        path.chmod(mode)
        save(path, b"two")
        assert stat.S_IMODE(path.stat().st_mode) == mode


def test_the_content_is_on_the_disk_before_the_name_leads_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        happened.append(f"fsync of {os.fstat(descriptor).st_size} bytes")
        fsync(descriptor)

    def replaced(self: Path, target: Path) -> Path:
        happened.append("replace")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    save(tmp_path / "file", b"content")
    assert happened == ["fsync of 7 bytes", "replace"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    save(path, b"content")
    reader.join()
    assert read == [b"content"]
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_a_folder_that_may_not_be_written_to_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
    with pytest.raises(PermissionError, match="is not writable"):
        check_folder(tmp_path / "file")
