"""How numbers get into a row of float64: here for plain Python, in `rows.pxd` for the compiled engine."""

from __future__ import annotations

from typing import Any


def memory(row: Any) -> Any:
    """Return a row, to be written by index; the compiled engine writes its memory, which must stay where it is."""
    return row


def copy_array(array: Any, row: Any, place: int) -> int:
    """Copy an array of float64 into a row, and return the place after it; -1 if C cannot, as it is not contiguous."""
    row[place : place + array.size] = array.reshape(-1)
    return place + int(array.size)
