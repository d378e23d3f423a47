"""Making nodes; `test_runtime.py` rebuilds them from their parts."""

import math

import pytest

from autograd import Value, no_grad
from autograd.primitives import PRIMITIVES
from autograd.value import apply, apply_wide


def test_a_primitive_is_applied_to_values_and_numbers() -> None:
    v = Value(3.0)
    for node, operands, data in (
        (apply(PRIMITIVES["exp"], v), (3.0,), math.exp(3.0)),
        (apply(PRIMITIVES["hypot"], 4, v), (4.0, 3.0), 5.0),
        (apply(PRIMITIVES["where"], 1.0, v, 7.0), (1.0, 3.0, 7.0), 3.0),
        (apply_wide(PRIMITIVES["sum"], (v, 2.0, v)), (3.0, 2.0, 3.0), 8.0),
    ):
        assert (node.operands, node.data) == (operands, data)
        assert node.parents[operands.index(3.0)] is v


def test_the_number_of_operands_is_checked() -> None:
    with pytest.raises(TypeError, match=r"hypot takes 2 operand\(s\), got 1"):
        apply(PRIMITIVES["hypot"], Value(1.0))


def test_overflow_is_infinite_and_another_domain_an_error() -> None:
    assert apply(PRIMITIVES["exp"], 1000.0).data == math.inf
    with pytest.raises(ValueError, match=r"cannot take log of -1.0 \(node 'x'\): log needs a positive input"):
        apply(PRIMITIVES["log"], Value(-1.0, "x"))


def test_nothing_is_recorded_under_no_grad() -> None:
    with no_grad():
        assert apply(PRIMITIVES["hypot"], Value(3.0), 4.0).parents == ()
