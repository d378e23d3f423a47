"""What the two engines do differently: here for plain Python, in `runtime.pxd` for the compiled engine.

The plain engine runs the rules of the table as Python, the compiled engine as C that is generated from the table. The
tests require the same bits of both.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

from autograd.floats import nan
from autograd.primitives import Primitive


def value_of_one(primitive: Primitive, x: float) -> Any:
    """A primitive's value at its operand."""
    try:
        return primitive.value(x)
    except (ValueError, ArithmeticError):
        return nan


def value_of_two(primitive: Primitive, x: float, y: float) -> Any:
    """A primitive's value at its two operands."""
    try:
        return primitive.value(x, y)
    except (ValueError, ArithmeticError):
        return nan


def value_of_many(primitive: Primitive, operands: Sequence[float]) -> Any:
    """A primitive's value at its operands."""
    try:
        return primitive.value(*operands)
    except (ValueError, ArithmeticError):
        return nan


def allocate(kinds: tuple[type, ...]) -> None:
    """Use the allocator of the engine for nodes of these classes; here it is the interpreter's."""
    vars(kinds[0])["__init__"].__qualname__ = "__init__"  # as the compiled engine calls it in errors


def indices(numbers: array[int]) -> array[int]:
    """An array of a tape, to be read by index; the compiled engine reads its memory, which must stay where it is."""
    return numbers


def integers(numbers: Any) -> list[int]:
    """Return an array of int64 to be read by index; the compiled engine reads its memory."""
    found: list[int] = numbers.tolist()
    return found
