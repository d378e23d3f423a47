"""What the two engines do differently: here for plain Python, in `runtime.pxd` for the compiled engine.

Here the rules of the table run as Python; there they run as C, which is generated from the same table. The tests hold
both to the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.primitives import Primitive, nan


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
