"""Numbers with many digits: by numerical derivatives of many digits, and closed forms."""

import math
from typing import Any

import mpmath
import pytest

from autograd import Value, primitive
from autograd.calculus.precise_numbers import Precise, precise_run
from autograd.primitives import PRIMITIVES, Primitive, cos, sin
from autograd.tape import Tape

CONTEXT = mpmath.MPContext()
CONTEXT.dps = 60

ONE_OPERAND = [it for it in PRIMITIVES.values() if it.arity == 1 and it.name != "stop_gradient"]
TWO_OPERANDS = [it for it in PRIMITIVES.values() if it.arity == 2]


@pytest.mark.parametrize("entry", ONE_OPERAND + TWO_OPERANDS, ids=lambda it: it.name)
def test_with_many_digits_each_slope_of_the_table_is_the_derivative(entry: Primitive) -> None:
    point = ["1.37"] if entry.name == "acosh" else ["0.37", "0.83"][: entry.arity]
    at = [CONTEXT.mpf(number) for number in point]

    def value(*numbers: Any) -> Any:
        return entry(*map(Precise, numbers)).number

    for which, slope in enumerate(entry.local_slopes(Precise(value(*at)), *map(Precise, at))):
        number = slope.number if isinstance(slope, Precise) else CONTEXT.mpf(slope)
        expected = CONTEXT.diff(value, tuple(at), [int(place == which) for place in range(len(at))])
        assert abs(number - expected) < CONTEXT.mpf("1e-25"), (number, expected)


@pytest.mark.parametrize("name", [it.name for it in ONE_OPERAND if hasattr(math, it.name)])
def test_with_many_digits_values_round_to_those_of_floats(name: str) -> None:
    x = 1.37 if name == "acosh" else 0.37
    exact = PRIMITIVES[name](Precise(CONTEXT.mpf(x))).number
    assert float(exact) == pytest.approx(getattr(math, name)(x), rel=4e-16)


@pytest.mark.parametrize("number", [1e-30, 1e-60, 1e-150, 1e-250])
def test_more_digits_are_taken_where_fifty_are_too_few(number: float) -> None:
    exact = precise_run(Tape(1.0 - Value(number).cos())).numbers[-1]
    assert abs(exact / (CONTEXT.mpf(number) ** 2 / 2) - 1) < 1e-40  # the next term of the series is x⁴ / 24


def test_digits_are_added_for_gradients_whose_parts_cancel() -> None:
    a, b = Value(800.0), Value(1.0)
    run = precise_run(Tape(output := a.exp() / (a.exp() + b.exp())))
    found = dict(zip(Tape(output).nodes, run.gradients, strict=True))
    exact = CONTEXT.exp(-799) / (1 + CONTEXT.exp(-799)) ** 2  # the slope of a sigmoid
    assert abs(found[a] / exact - 1) < 1e-40
    assert abs(found[b] / -exact - 1) < 1e-40


def test_a_number_that_is_0_is_told_from_one_that_is_tiny() -> None:
    x = Value(0.7)
    run = precise_run(Tape(x.sin() ** 2 + x.cos() ** 2 - 1.0))
    assert run.numbers[-1] == run.gradients[0] == 0


def test_a_chaotic_graph_gets_the_digits_that_it_needs() -> None:
    node = x = Value(0.3)
    for _ in range(150):  # each round loses three digits
        node = (node.acos() * 1000.0).cos()
    context = mpmath.MPContext()
    context.dps = 800
    assert abs(precise_run(Tape(node)).numbers[-1] - context.cos(1000**150 * context.acos(x.data))) < 1e-20


def test_what_has_no_number_is_nan() -> None:
    two, three = Value(2.0), Value(3.0)
    run = precise_run(Tape((two.sqrt() ** 2 - two) / (three.sqrt() ** 2 - three)))  # in floats −1
    assert run.numbers[-1] != run.numbers[-1]


def test_mpmath_is_left_as_it_is() -> None:
    before = mpmath.mp.dps
    precise_run(Tape(1.0 - Value(1e-30).cos()))
    assert mpmath.mp.dps == before


def test_functions_of_floats_and_given_slopes_pass_errors_on() -> None:
    @primitive(lambda out, x: 2.0 * x * cos(x * x))
    def chirp(x: float) -> float:
        return math.sin(x * x)

    @primitive(lambda out, x: 3.0 * x**2)
    def cube(x: float) -> float:
        return x**3

    x = Value(1.1)
    lost = (x + 1e8) - 1e8
    for node, slope in (
        (chirp(lost), 2.2 * math.cos(1.21)),
        (cube(lost), 3.63),
        (Value(lost.data**2, (lost,), (2.2,)), 2.2),
    ):
        exact = precise_run(Tape(node)).numbers[-1]
        moved = float((CONTEXT.mpf(node.data) - exact) / (lost.data - CONTEXT.mpf(1.1)))
        assert moved == pytest.approx(slope, rel=1e-6)


def test_functions_of_any_numbers_are_computed_again() -> None:
    @primitive(
        [lambda out, s, p: out[0] / (out[0] - out[1]), lambda out, s, p: 1.0 / (out[1] - out[0])],
        [lambda out, s, p: out[1] / (out[1] - out[0]), lambda out, s, p: 1.0 / (out[0] - out[1])],
        samples=[(5.0, 6.0)],
    )
    def roots(s: Any, p: Any) -> tuple[Any, Any]:
        distance = (s * s - 4.0 * p) ** 0.5
        return (s + distance) / 2.0, (s - distance) / 2.0

    @primitive(lambda out, x: 0.0 if x == 0.0 else (cos(x) - out) / x)
    def sinc(x: Any) -> Any:
        return 1.0 if x == 0.0 else sin(x) / x

    large, small = roots(Value(1e8), Value(1.0))
    exact = precise_run(Tape(large * small)).numbers[-1]  # the constant of the polynomial
    assert abs(exact - 1) < 1e-30
    run = precise_run(Tape(sinc(Value(0.0)) * 2.0))
    assert (run.numbers[-1], run.gradients[0]) == (2, 0)


def test_a_function_that_asks_for_a_method_of_floats_is_not_computed_again() -> None:
    @primitive(lambda out, x: 1.0, check=False)
    def rounded_up(x: float) -> float:
        return x if x.is_integer() else x + 1.0

    assert precise_run(Tape(rounded_up(Value(0.5)) * 2.0)).numbers[-1] == 3
