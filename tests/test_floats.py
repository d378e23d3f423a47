"""Numbers that become floats; `test_primitives.py` tests the functions that the table is made of."""

import fractions
from typing import Any

import numpy as np
import pytest

from autograd.floats import as_float


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
