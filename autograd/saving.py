"""Atomic file writes; checked numbers and short messages for reading files."""

from __future__ import annotations

import math
import os
from reprlib import Repr
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_shortening = Repr()
_shortening.maxstring = _shortening.maxother = _shortening.maxlong = 40


def save(path: str | os.PathLike[str], content: bytes) -> Path:
    """Write a file atomically, by way of a temporary file in the same folder, and return its path.

    If the file cannot be written, the OSError names the path, and a file that was there is unchanged.
    """
    from pathlib import Path

    path = Path(path)
    temporary = path.parent / f".stepgrad-{os.urandom(8).hex()}.part"
    try:
        try:
            with temporary.open("xb") as file:
                file.write(content)
            temporary.replace(path)
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
    if path.is_dir():
        raise IsADirectoryError(f"cannot write {str(path)!r}: it is a folder; name a file in it")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"cannot write {str(path)!r}: the folder {str(path.parent)!r} does not exist")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise PermissionError(f"cannot write {str(path)!r}: the folder {str(path.parent)!r} is not writable")


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
