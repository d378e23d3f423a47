"""Functions of floats; `test_primitives.py` compares those of the table with mpmath."""

import fractions
import math
from typing import Any

import numpy as np
import pytest

from autograd.floats import as_float, chosen, floor_of, larger, power_limit, products_of_others, sign_of, smaller

inf, nan = math.inf, math.nan


@pytest.mark.parametrize("number", [2, 2.0, np.float32(2.0), np.int8(2), fractions.Fraction(4, 2)])
def test_real_numbers_become_floats(number: Any) -> None:
    assert type(as_float(number)) is float
    assert as_float(number) == 2.0


@pytest.mark.parametrize("bad", ["2", None, 2j, True, [2.0]])
def test_anything_else_is_refused(bad: Any) -> None:
    with pytest.raises(TypeError, match=rf"expected a real number .* of type {type(bad).__name__}; convert it first"):
        as_float(bad)


def test_numbers_beyond_the_range_are_refused() -> None:
    with pytest.raises(OverflowError, match="does not fit into a float64; scale it down first"):
        as_float(10**400)


def test_nan_wins() -> None:
    assert (larger(1.0, 2.0), smaller(1.0, 2.0)) == (2.0, 1.0)
    assert all(math.isnan(function(*pair)) for function in (larger, smaller) for pair in ((nan, 1.0), (1.0, nan)))


def test_the_sign_of_zero_is_kept() -> None:
    assert (sign_of(-3.0), sign_of(inf), math.copysign(1.0, sign_of(-0.0))) == (-1.0, 1.0, -1.0)
    assert math.isnan(sign_of(nan))
    assert (floor_of(-2.5), floor_of(-inf), math.copysign(1.0, floor_of(-0.0))) == (-3.0, -inf, -1.0)
    assert (chosen(0.0, 1.0, 2.0), chosen(nan, 1.0, 2.0)) == (2.0, 1.0)


def test_power_beyond_the_range_is_that_of_c99() -> None:
    assert (power_limit(10.0, 400.0), power_limit(-10.0, 401.0), power_limit(-0.0, -1.0)) == (inf, -inf, -inf)
    assert math.isnan(power_limit(-8.0, 1 / 3))


def test_products_of_the_others_need_no_division() -> None:
    assert list(products_of_others(2.0, 3.0, 5.0)) == [15.0, 10.0, 6.0]
    assert list(products_of_others(0.0, 3.0, 5.0)) == [15.0, 0.0, 0.0]
    assert list(products_of_others(7.0)) == [1.0]
