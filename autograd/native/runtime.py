"""What the compiled engine does in C, here for plain Python; `runtime.pxd` has the C.

The plain engine runs the rules of the table as Python, the compiled engine as C that is generated from the table. The
tests require the same bits of both.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from typing import Any

from autograd.floats import nan
from autograd.primitives import Primitive


def value_of_one(primitive: Primitive, *operands: float) -> Any:
    """Return a primitive's value at its operands; nan where it raises."""
    try:
        return primitive.value(*operands)
    except (ValueError, ArithmeticError):
        return nan


value_of_two = value_of_one


def value_of_many(primitive: Primitive, operands: Sequence[float]) -> Any:
    """Return a primitive's value at its operands; nan where it raises."""
    return value_of_one(primitive, *operands)


def slope_of_one(primitive: Any, out: float, x: float) -> Any:
    """Return the slope of a primitive of one operand."""
    return primitive.slopes[0](out, x)


def slope_of_two(primitive: Any, which: int, out: float, x: float, y: float) -> Any:
    """Return the slope of a primitive of two operands with respect to one of them, 0 or 1."""
    return primitive.slopes[which](out, x, y)


def allocate(kinds: tuple[type, ...]) -> None:
    """Use the allocator of the engine for nodes of these classes; here it is the interpreter's."""
    vars(kinds[0])["__init__"].__qualname__ = "__init__"  # as the compiled engine calls it in errors


def prepare(constant: type, wide: type) -> None:
    """Tell the C code about the classes of nodes."""


def record(outputs: tuple[Any, ...], since: int) -> tuple[list[Any], bytes, bytes] | None:
    """Return the nodes, the starts and the operands of a `Tape`; None where there is no C for it."""
    return None


def backward(output: Any) -> bool:
    """Run a backward pass, and return whether there is C for it."""
    return False


def handle_signals() -> None:
    """Let signals be handled; the interpreter does so between two lines of Python."""


def last_index(node: Any) -> int:
    """Return the index that a node may have in what recorded it last; plain nodes keep none, and this is no index."""
    return sys.maxsize


def indices(numbers: array[int]) -> array[int]:
    """Return an array of a tape, to be read by index; the compiled engine reads its memory, which must stay there."""
    return numbers


def integers(numbers: Any) -> list[int]:
    """Return an array of int64 to be read by index; the compiled engine reads its memory."""
    found: list[int] = numbers.tolist()
    return found
