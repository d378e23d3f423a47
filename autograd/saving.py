"""Atomic file writes; checked numbers and short messages for reading files."""

from __future__ import annotations

import math
import os
import stat
from reprlib import Repr
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_shortening = Repr()
_shortening.maxstring = _shortening.maxother = _shortening.maxlong = 40


def save(path: str | os.PathLike[str], content: bytes) -> Path:
    """Write a file atomically, by way of a temporary file in the same folder, and return its path.

    A symbolic link stays one: the file that it leads to is written. A file that is replaced keeps its mode. The content
    is on the disk before the name leads to it. What is no file, such as a device or a pipe, is written to directly.

    If the file cannot be written, the OSError names the path, and a file that was there is unchanged.
    """
    from pathlib import Path

    path = Path(path)
    target = Path(os.path.realpath(path))
    temporary = target.parent / f".stepgrad-{os.urandom(8).hex()}.part"
    try:
        if path.exists() and not (target.is_file() or target.is_dir()):
            path.write_bytes(content)
            return path
        try:
            with temporary.open("xb") as file:
                if target.is_file():
                    temporary.chmod(stat.S_IMODE(target.stat().st_mode))
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        if error.errno is None:
            raise
        raise type(error)(error.errno, error.strerror or "cannot be written", str(path)) from None
    return path


def check_folder(path: str | os.PathLike[str]) -> None:
    """Check, before a long computation, that `save` will find a folder it can write to; else raise an OSError."""
    from pathlib import Path

    path = Path(path)
    folder = Path(os.path.realpath(path)).parent if path.is_symlink() else path.parent
    if path.is_dir():
        raise IsADirectoryError(f"cannot write {str(path)!r}: it is a folder; name a file in it")
    if not folder.is_dir():
        raise FileNotFoundError(f"cannot write {str(path)!r}: the folder {str(folder)!r} does not exist")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"cannot write {str(path)!r}: the folder {str(folder)!r} is not writable")


def parsed(text: str | bytes) -> Any:
    """Return what JSON holds; a ValueError of at most 100 characters unless it is JSON, without nan and infinities."""
    import json

    def refuse(constant: str) -> None:
        raise ValueError(f"it holds {constant}")

    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:  # a decoding error is a ValueError
        raise ValueError(str(error)[:100]) from None


def finite_number(thing: object) -> float:
    """Return a number that was read from a file as a float; a ValueError unless it is a finite int or float."""
    try:
        number = float(thing) if type(thing) in (int, float) else math.nan  # type: ignore[arg-type]  # one of the two
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{shortened(thing)} is not a finite number")
    return number


def shortened(thing: object) -> str:
    """Return the repr of anything, with at most 80 characters, for messages."""
    text = _shortening.repr(thing)
    return text if len(text) <= 80 else text[:79] + "…"
