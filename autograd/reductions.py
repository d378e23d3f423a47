"""Functions of many values, one node each: sums, products, dot products, the largest and the smallest.

>>> from autograd import Value
>>> dot([Value(1.0), Value(2.0)], [3.0, 4.0])
Value(11.0)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograd import primitives
from autograd.value import Constant, Value, apply_wide

__all__ = ["sum", "prod", "dot", "max", "min"]

NOTHING = 0  # what a sum starts from, by Python's habit


def sum(values: Iterable[Value | float], /, start: Value | float = NOTHING) -> Value:
    """Add values from left to right, as one node; the sum of no values is the constant 0.

    Args:
        values: numbers and Values.
        start: what they are added to, as with Python's `sum`; nothing is added if it is the int 0.
    """
    operands = tuple(values) if start is NOTHING else (start, *values)
    return apply_wide(primitives.summation, operands) if operands else Constant(0.0)


def prod(values: Iterable[Value | float]) -> Value:
    """Multiply values from left to right, as one node; the product of no values is the constant 1."""
    operands = tuple(values)
    return apply_wide(primitives.product, operands) if operands else Constant(1.0)


def dot(left: Iterable[Value | float], right: Iterable[Value | float]) -> Value:
    """Return the sum of the products of two lists' members, as one node.

    Raises:
        ValueError: if the lists differ in length.
    """
    left, right = tuple(left), tuple(right)
    if len(left) != len(right):
        raise ValueError(f"dot needs two lists of the same length, got {len(left)} and {len(right)} values")
    return apply_wide(primitives.dot_product, left + right) if left else Constant(0.0)


def max(values: Iterable[Value | float] | Value | float, /, *others: Value | float) -> Value:
    """Return the largest of some values, as one node; nan if there is one.

    The slope is 1 for the value that is the largest. Several that are equal share it.

    Args:
        values: numbers and Values; or the first of several arguments, as with Python's `max`.
        others: the rest of these.

    Raises:
        ValueError: if there are no values.
    """
    return apply_wide(primitives.largest, _some(values, others, "max"))


def min(values: Iterable[Value | float] | Value | float, /, *others: Value | float) -> Value:
    """Return the smallest of some values, as one node, as `max` does.

    Raises:
        ValueError: if there are no values.
    """
    return apply_wide(primitives.smallest, _some(values, others, "min"))


def _some(values: Any, others: tuple[Value | float, ...], name: str) -> tuple[Value | float, ...]:
    operands: tuple[Value | float, ...] = (values, *others) if others else tuple(values)
    if not operands:
        raise ValueError(f"{name} needs at least one value, got none")
    return operands
