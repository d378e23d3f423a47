"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def save(path: str | os.PathLike[str], content: bytes) -> Path:
    """Write a file beside its place and rename it there, so that no reader ever finds half of it.

    Args:
        path: where the file is to be. Its folder must exist; a file that is there is replaced.
        content: the whole of it.

    Returns:
        The path written.

    Raises:
        OSError: if the folder is missing or not writable; a file that was there is then unchanged.
    """
    from pathlib import Path

    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path
