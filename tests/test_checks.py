"""Checks: that they find a wrong slope, and do not cry wolf."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from autograd import check_gradients, cos, exp, log, sin, where
from autograd.calculus.checks import numerical_derivative
from autograd.primitives import PRIMITIVES, Primitive

JUMP = (0.555,)
RIGHT: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
    (sin, (0.7,)),
    (lambda x: exp(x) * 1e200, (1.0,)),
    (lambda x: x**3, (1e-8,)),
    (lambda x: x**3, (1e9,)),
    (lambda x, y: 1e12 * x + y * 1e-12, (3.0, 4.0)),
    (lambda x: (1e6 * x).sin(), (0.3,)),
    (lambda x: 1e9 + x * x, (2.0,)),
    (lambda x: x.relu() + abs(x), (0.0,)),  # a kink: nothing to compare there, but
    (lambda x: (1e6 * x).floor() * x, JUMP),  # likewise, but
    (lambda x: x.relu(), (1e-3,)),
    (log, (1e-300,)),
    (lambda x: x.sqrt(), (1e-10,)),
    (lambda x: (x - 1.0).sqrt(), (1.05,)),  # the first steps to the left leave its domain
    (lambda x: (x - 1.0).log(), (1.0 + 1e-4,)),
    (lambda p: p["a"] * p["b"][0] / p["b"][1], ({"a": 2.0, "b": [3.0, 4.0]},)),
    (lambda x: [x * x, sin(x)], (0.5,)),
    (lambda x: where(x > 0, x * x, -x), (1.5,)),
    *[(lambda x: exp(-1e6 * (x - 0.3) ** 2) + 0.1 * x, (at,)) for at in (0.3, 0.3001, 0.31)],  # a narrow peak
    (lambda x: exp(-1e12 * (x - 0.3) ** 2), (0.3000001,)),
    (lambda x: x % 0.001, (0.55555,)),
    (lambda x: x % 1e-5, (0.55555123,)),
    *[(lambda x, many=many: (many * x).floor() * x, (0.555123,)) for many in (50.0, 1e3, 1e4)],  # steps
    (lambda x: (1e5 * (x - 0.3)).sigmoid(), (0.30001,)),
    (lambda x: (x * x + 1e8) - 1e8, (3.0,)),  # values that lost half of their digits
]


@pytest.mark.parametrize(("function", "arguments"), RIGHT)
def test_no_false_alarm(function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    if arguments in ((0.0,), JUMP):
        with pytest.raises(ValueError, match="no derivative could be compared"):
            check_gradients(function, *arguments, order=1)
    else:
        check_gradients(function, *arguments)


@pytest.mark.parametrize(
    "name", [name for name, row in PRIMITIVES.items() if row.arity == 1 and name != "stop_gradient"]
)
def test_the_table_passes_and_a_slope_off_by_one_in_ten_thousand_does_not(name: str) -> None:
    row = PRIMITIVES[name]
    for x in (0.83, -0.41, 2.7):
        try:
            row.value(x)
        except ValueError:
            continue
        check_gradients(row, x)
        slope = row.slopes[0](row.value(x), x)
        if slope == 0.0:
            continue
        off = Primitive("off", row.value, lambda out, x: row.slopes[0](out, x) * 1.0001)
        with pytest.raises(AssertionError, match=r"The first wrong slope is at output = off\(v2\)"):
            check_gradients(lambda y, off=off: off(y * 1.0), x, order=1)


@pytest.mark.parametrize(
    "narrow", [lambda x: exp(-1e6 * (x - 0.3) ** 2), lambda x: (50.0 * x).floor() * x, lambda x: x % 0.001]
)
def test_a_wrong_slope_of_a_narrow_or_stepped_function_is_found(narrow: Callable[..., Any]) -> None:
    off = Primitive("off", lambda x: x, lambda out, x: 1.0001)
    with pytest.raises(AssertionError, match=r"The first wrong slope is at output = off\("):
        check_gradients(lambda x: off(narrow(x)), 0.30012, order=1)


def test_the_first_wrong_node_is_named_with_both_numbers() -> None:
    wrong = Primitive("wrong", math.sin, lambda out, x: 1.001 * cos(x))
    with pytest.raises(AssertionError) as error:
        check_gradients(lambda x, y: exp(wrong(x * y)) * y, 0.5, 1.2)
    text = str(error.value)
    assert "v4 = wrong(v3)" in text
    assert repr(1.001 * math.cos(0.6)) in text
    assert "numerically 0.8253356149" in text


def test_a_wrong_second_derivative_is_found() -> None:
    def slope(out: Any, x: Any) -> Any:
        return math.cos(x) if isinstance(x, float) else cos(x) + 0.001 * (x - x.detach())

    wrong = Primitive("wrong", math.sin, slope)
    check_gradients(wrong, 0.5, order=1)
    with pytest.raises(AssertionError, match="second derivative by inputs 0 and 0"):
        check_gradients(wrong, 0.5)


@pytest.mark.parametrize(
    ("function", "x", "derivative"),
    [
        (math.exp, 1.0, math.e),
        (math.log, 1e-5, 1e5),
        (math.sqrt, 1e-12, 5e5),
        (lambda x: x**5, 1e10, 5e40),
        (math.tan, 1.57, 1 / math.cos(1.57) ** 2),
    ],
)
def test_numerical_derivatives(function: Callable[[float], float], x: float, derivative: float) -> None:
    value, error = numerical_derivative(function, x)
    assert value == pytest.approx(derivative, rel=1e-8)
    assert abs(value - derivative) <= 100 * error + 1e-15 * derivative
    assert numerical_derivative(abs, 0.0)[1] == math.inf
