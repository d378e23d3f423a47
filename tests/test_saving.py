"""Files that are there whole or not at all."""

from pathlib import Path

import pytest

from autograd.saving import save


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert save(path, b"one") == path
    assert save(str(path), b"two") == path
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "file", b"whole")

    def fill_the_disk(self: Path, content: bytes) -> None:
        with self.open("wb") as file:
            file.write(content[:2])
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_bytes", fill_the_disk)
    with pytest.raises(OSError, match="no space left"):
        save(path, b"another")
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]
