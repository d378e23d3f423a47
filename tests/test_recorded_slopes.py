"""What the rules of the table do, traced once, is what they do when they run."""

import math
from typing import Any

import pytest

import autograd
from autograd import Constant, Parameter, Program, Value
from autograd.calculus.recorded_slopes import MOST_NUMBERS, TracedRule, slope_of
from autograd.modes import ieee_arithmetic
from autograd.primitives import PRIMITIVES, Primitive, absolute, multiply, power, where

SMALL = [primitive for primitive in PRIMITIVES.values() if primitive.arity in (1, 2)]
POINTS = (0.5, -0.5, 0.0, -0.0, 1.0, -1.0, 2.0, 3.0, 700.0, math.inf, -math.inf, math.nan)


def written(number: Any, arguments: list[Any]) -> str:
    """A number that was computed from some arguments: as a whole graph if it is a Value, which names the arguments."""
    if not isinstance(number, Value):
        return f"{type(number).__name__} {number!r}"
    place = next((f"argument {i}" for i, argument in enumerate(arguments) if argument is number), "new")
    program = Program.of([number])
    return f"{place}\n{program}\n{program.labels}"


@pytest.mark.parametrize("primitive", SMALL, ids=lambda primitive: primitive.name)
def test_a_slope_is_what_its_rule_returns(primitive: Primitive) -> None:
    """At Values, at floats, and where one operand is a Value and the other one a float, also a second time."""
    assert primitive.arity is not None
    for x in POINTS:
        for y in POINTS if primitive.arity == 2 else POINTS[:1]:
            floats = [x, y][: primitive.arity]
            with ieee_arithmetic():
                for kind in range(2**primitive.arity):
                    given = [Value(a, f"operand {i}") if kind >> i & 1 else a for i, a in enumerate(floats)]
                    out = primitive(*given)
                    for which in (0, 1)[: primitive.arity]:
                        expected = written(primitive.slopes[which](out, *given), [out, *given])
                        for _ in range(2):
                            assert written(slope_of(primitive, which, out, *given), [out, *given]) == expected


def test_what_a_rule_computes_in_vain_is_left_out() -> None:
    square = TracedRule(power.slopes[0], 3).at_number(2.0)
    assert square is not None
    assert square.instructions == [(multiply, 2.0, 1)]  # x ** 1 is x
    in_vain = TracedRule(lambda out, x: [where(x, out, x), x, absolute(x)][1], 2)
    cube = TracedRule(power.slopes[0], 3).at_number(3.0)
    assert cube is not None
    assert cube.instructions == [(power, 1, 2.0), (multiply, 3.0, 2)]
    assert (in_vain.instructions, in_vain.result) == ([], 1)


def test_a_rule_is_traced_for_few_numbers() -> None:
    rule = TracedRule(power.slopes[0], 3)
    numbers = [0.0, -0.0, *map(float, range(1, 2 * MOST_NUMBERS))]
    traced = [rule.at_number(number) is not None for number in numbers]
    assert traced == [False, False] + [True] * MOST_NUMBERS + [False] * (MOST_NUMBERS - 1)
    x = Value(1.5)
    for exponent in numbers:
        assert autograd.gradients(x**exponent, [x])[0].data == exponent * 1.5 ** (exponent - 1.0)


def test_a_rule_that_asks_is_refused() -> None:
    with pytest.raises(TypeError, match="must not ask whether a number is zero"):
        TracedRule(lambda out, x: x or out, 2)


def test_a_rule_of_ones_own_runs_each_time() -> None:
    factors = iter([2.0, 3.0, 4.0])
    scaled = autograd.primitive(lambda out, x: next(factors), check=False)(lambda x: x)
    x = Value(1.0)
    assert [autograd.gradients(scaled(x), [x])[0].data for _ in range(3)] == [2.0, 3.0, 4.0]


def test_a_class_with_operators_of_its_own_keeps_them() -> None:
    applied = []

    class Loud(Value):
        def __mul__(self, other: Any) -> Value:
            applied.append("times")
            return super().__mul__(other)

    for kind, count in ((Loud, 1), (Parameter, 0), (Value, 0)):
        x = kind(3.0)
        applied.clear()
        assert slope_of(PRIMITIVES["atan"], 0, x.atan(), x).data == 0.1
        assert applied == ["times"] * count
    assert slope_of(PRIMITIVES["exp"], 0, Constant(2.0), 0.5).data == 2.0
