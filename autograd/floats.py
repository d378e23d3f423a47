"""Floats: what other numbers become, what Python's `math` lacks, and what IEEE 754 says where Python raises.

>>> as_float(3), larger(1.0, math.nan), sign_of(-0.0)
(3.0, nan, -0.0)
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from itertools import accumulate
from numbers import Real
from typing import Any

inf, nan = math.inf, math.nan


def as_float(number: object) -> float:
    """Return the float64 of an int, a float, a NumPy scalar or any other `numbers.Real`.

    An array without dimensions is its number. Any other type, `bool` included, is a TypeError; a number beyond the
    range of a float64 an OverflowError.
    """
    kind = type(number)
    if kind is float:
        return number  # type: ignore[return-value]  # what the line above asked
    if kind is int or (kind is not bool and isinstance(number, Real)):
        try:
            return float(number)  # type: ignore[arg-type]  # an int or a Real
        except OverflowError:
            raise OverflowError(f"{number!r:.40} does not fit into a float64; scale it down first") from None
    if (kind.__module__, kind.__name__) == ("numpy", "ndarray") and not number.shape:  # type: ignore[attr-defined]
        return as_float(number.item())  # type: ignore[attr-defined]  # of an array without dimensions
    raise TypeError(
        f"expected a real number (int, float, NumPy scalar, …), got {number!r:.80} of type {kind.__name__}; "
        f"convert it first, for instance with float(…)"
    )


def as_operand(number: object) -> float:
    """Return the float64 of an operand: of what `as_float` takes, or of a truth value, which is 0 or 1 there."""
    kind = type(number)
    if kind is float:
        return number  # type: ignore[return-value]  # what the line above asked
    if kind is bool or (kind is not int and str(getattr(number, "dtype", "")) == "bool"):
        return float(number)  # type: ignore[arg-type]  # a truth value of Python or of NumPy
    return as_float(number)


def larger(a: float, b: float) -> float:
    """Return the larger of two floats; unlike with Python's max, nan wins on either side."""
    return a if a >= b or a != a else b


def smaller(a: float, b: float) -> float:
    """Return the smaller of two floats; nan wins on either side."""
    return a if a <= b or a != a else b


def chosen(condition: float, a: float, b: float) -> float:
    """Return `a` where the condition is not 0, else `b`."""
    return a if condition else b


def sign_of(x: float) -> float:
    """Return -1 or 1; that of 0, -0 and nan is itself."""
    return x if x == 0.0 or x != x else math.copysign(1.0, x)


def floor_of(x: float) -> float:
    """Return the largest integer ≤ x, as a float; that of an infinity and of nan is itself."""
    return x // 1.0 if math.isfinite(x) else x


def power_of(x: float, y: float) -> float:
    """Return x to the power y; a square is rounded once, as x · x is, which `math.pow` does not promise."""
    return x * x if y == 2.0 else math.pow(x, y)


def power_limit(x: float, y: float) -> float:
    """Return what C99, annex F, says of pow where it overflows or has a pole, or of a negative base."""
    if x < 0.0 and y % 1.0 != 0.0:
        return nan
    return math.copysign(inf, x) if y % 1.0 == 0.0 and y % 2.0 == 1.0 else inf


def products_of_others(*operands: Any) -> Iterator[Any]:
    """Return for each operand the product of all the others, without a division: exact when some are zero."""
    before = accumulate(operands[:-1], operator.mul, initial=1.0)
    after = list(accumulate(operands[:0:-1], operator.mul, initial=1.0))
    return map(operator.mul, before, reversed(after))
