"""What the two engines do each in its own way: here for plain Python, in `native.pxd` for the compiled engine.

Rules are run by Python here, row by row; there by C, generated from the same rows. Memory, and whose turn it is to walk
over a graph, are the interpreter's business here. `tests/test_native.py` holds both to the same bits.
"""

from __future__ import annotations

from _thread import RLock
from collections.abc import Sequence
from typing import Any

from autograd.primitives import Primitive, nan


def value_of_one(primitive: Primitive, x: float) -> Any:
    """A row's value at its one operand."""
    try:
        return primitive.value(x)
    except (ValueError, ArithmeticError):
        return nan


def value_of_two(primitive: Primitive, x: float, y: float) -> Any:
    """A row's value at its two operands."""
    try:
        return primitive.value(x, y)
    except (ValueError, ArithmeticError):
        return nan


def value_of_many(primitive: Primitive, operands: Sequence[float]) -> Any:
    """A row's value at its operands."""
    try:
        return primitive.value(*operands)
    except (ValueError, ArithmeticError):
        return nan


def slope_of_one(primitive: Primitive, out: float, x: float) -> Any:
    """A row's slope with respect to its one operand."""
    return primitive.slopes[0](out, x)


def left_slope_of_two(primitive: Primitive, out: float, x: float, y: float) -> Any:
    """A row's slope with respect to the first of its two operands."""
    return primitive.slopes[0](out, x, y)


def right_slope_of_two(primitive: Primitive, out: float, x: float, y: float) -> Any:
    """A row's slope with respect to the second of its two operands."""
    return primitive.slopes[1](out, x, y)


def slopes_of_many(primitive: Primitive, out: float, operands: Sequence[float]) -> Sequence[Any]:
    """A row's slopes with respect to all of its operands."""
    return primitive.local_slopes(out, *operands)


def keep(kinds: tuple[type, ...]) -> None:
    """Keep nodes of these kinds in memory as nodes need: nothing to do here, where Python keeps them."""


_walking = RLock()
_walks_begun = 0  # by the thread whose turn it is


def begin_walk() -> bool:
    """Wait until no other thread walks over a graph, since a walk ties together nodes that graphs may share.

    Returns:
        Whether a walk of this very thread is under way: it runs a rule that walks itself.
    """
    global _walks_begun  # noqa: PLW0603  # it belongs to the lock
    _walking.acquire()
    _walks_begun += 1
    return _walks_begun > 1


def end_walk() -> None:
    """Let the next one walk."""
    global _walks_begun  # noqa: PLW0603  # it belongs to the lock
    _walks_begun -= 1
    _walking.release()
