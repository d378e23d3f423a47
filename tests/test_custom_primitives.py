"""Primitives of your own: like those of the table, and refused if their slopes are wrong."""

import math
from typing import Any

import pytest

import autograd
from autograd import Value, check_gradients, cos, draw, explain, grad, hessian, jvp, primitive
from autograd.notation import Formula
from autograd.primitives import PRIMITIVES


def test_a_primitive_of_one_s_own_is_a_row_like_any_other() -> None:
    @primitive(lambda out, x: cos(x * x) * 2.0 * x, latex=r"\operatorname{chirp}")
    def chirp(x: float) -> float:
        return math.sin(x * x)

    x = 0.9
    assert chirp(x) == math.sin(0.81)
    assert grad(chirp)(x) == pytest.approx(2 * x * math.cos(x * x), rel=1e-15)
    second = 2 * math.cos(x * x) - 4 * x * x * math.sin(x * x)
    assert grad(grad(chirp))(x) == pytest.approx(second, rel=1e-14)
    assert hessian(chirp)(x) == pytest.approx(second, rel=1e-14)
    assert jvp(chirp, [x], [2.0])[1] == pytest.approx(4 * x * math.cos(x * x), rel=1e-15)
    v = Value(x, "x")
    output = chirp(v)
    assert "chirp(x)" in draw(output).source
    assert str(explain(output, v)).startswith("∂output/∂x = cos(x · x) · 2 · x = ")
    assert chirp(Formula("x")).latex == r"\operatorname{chirp}\left(x\right)"
    check_gradients(chirp, x)
    assert "chirp" not in PRIMITIVES


def test_several_operands_and_a_domain() -> None:
    @primitive(lambda out, x, y: 1.0 / x, lambda out, x, y: -1.0 / y, samples=[(1.5, 2.5)], domain="positive inputs")
    def log_ratio(x: float, y: float) -> float:
        return math.log(x) - math.log(y)

    assert grad(log_ratio, argnums=(0, 1))(2.0, 4.0) == (0.5, -0.25)
    with pytest.raises(ValueError, match=r"cannot take log_ratio of -1\.0.*log_ratio needs positive inputs"):
        log_ratio(Value(-1.0), 2.0)


def test_a_wrong_slope_is_refused_when_it_is_defined() -> None:
    with pytest.raises(ValueError, match=r"slope of cube with respect to operand 0 is wrong: at 0\.37 the rule gives"):

        @primitive(lambda out, x: 3.0003 * x**2)
        def cube(x: float) -> float:
            return x**3

    with pytest.raises(ValueError, match="operand 1 is wrong"):
        primitive(lambda out, x, y: y, lambda out, x, y: y)(lambda x, y: x * y)
    with pytest.raises(ValueError, match="no value at any sample point"):
        primitive(lambda out, x: 1.0 / x, samples=[(-1.0,)])(math.log)
    with pytest.raises(TypeError, match="needs a slope for each"):
        primitive()


def test_slopes_that_are_meant_to_be_others() -> None:
    @primitive(lambda out, x: 1.0, check=False)
    def rounded(x: float) -> float:
        return float(round(x))

    @primitive(lambda out, x: autograd.minimum(autograd.maximum(2.0 * x, -1.0), 1.0), check=False)
    def clipped_square(x: float) -> float:
        return x * x

    assert grad(lambda x: rounded(x) * x)(2.6) == pytest.approx(3.0 + 2.6)  # straight through
    assert [grad(clipped_square)(x) for x in (-3.0, 0.25, 3.0)] == [-1.0, 0.5, 1.0]


def test_whatever_number_a_function_returns_becomes_a_float() -> None:
    halves = primitive(lambda out, x: 0.0, check=False, name="halves")(lambda x: int(2 * x))
    value = halves(Value(1.7))
    assert (type(value.data), value.data) == (float, 3.0)
    text = primitive(lambda out, x: 0.0, check=False)(str)
    with pytest.raises(TypeError, match=r"expected a real number .* got '1.7' of type str"):
        text(Value(1.7))


def test_an_error_of_a_function_of_one_s_own_passes_as_it_is() -> None:
    @primitive(lambda out, x: 1.0)
    def picky(x: float) -> float:
        if x == 77.0:
            raise ValueError("not today")
        return x

    @primitive(lambda out, x, y, z: 1.0, lambda out, x, y, z: 1.0, lambda out, x, y, z: 1.0)
    def picky_too(x: float, y: float, z: float) -> float:
        if x == 77.0:
            raise ZeroDivisionError("nor of three")
        return x + y + z

    with pytest.raises(ValueError, match=r"^not today$"):
        picky(Value(77.0))
    with pytest.raises(ZeroDivisionError, match=r"^nor of three$"):
        picky_too(Value(77.0), 2.0, 3.0)


def test_operands_that_a_rule_does_not_name_are_numbered() -> None:
    @primitive(lambda out, *operands: operands[1] * 1.0, lambda out, *operands: operands[0] * 1.0)
    def times(x: float, y: float) -> float:
        return x * y

    assert str(times.__doc__).startswith("times(x1, x2)")


# Several results.

RUNS: list[tuple[float, float]] = []


@primitive(
    [
        lambda out, a, b: out[0] / (2.0 * (out[0] ** 2 - out[1] ** 2)),
        lambda out, a, b: out[1] / (out[1] ** 2 - out[0] ** 2),
    ],
    [
        lambda out, a, b: out[1] / (2.0 * (out[1] ** 2 - out[0] ** 2)),
        lambda out, a, b: out[0] / (out[0] ** 2 - out[1] ** 2),
    ],
    samples=[(5.0, 2.0), (3.0, -1.2)],
)
def crossing(a: float, b: float) -> tuple[float, float]:
    """The point x > |y| with x² + y² = a and x · y = b, by Newton's method."""
    RUNS.append((a, b))
    x, y = math.sqrt(a), b / math.sqrt(a)
    for _ in range(50):
        f, g, determinant = x * x + y * y - a, x * y - b, 2.0 * (x * x - y * y)
        x, y = x - (x * f - 2.0 * y * g) / determinant, y - (2.0 * x * g - y * f) / determinant
    return x, y


def closed_form(a: Any, b: Any) -> tuple[Any, Any]:
    plus, minus = autograd.sqrt(a + 2.0 * b), autograd.sqrt(a - 2.0 * b)
    return (plus + minus) / 2.0, (plus - minus) / 2.0


@pytest.mark.parametrize("point", [(5.0, 2.0), (3.0, -1.2), (10.0, 0.3)])
def test_an_implicit_root_of_two_unknowns(point: tuple[float, float]) -> None:
    def of(roots: Any) -> Any:
        def function(a: Any, b: Any) -> Any:
            x, y = roots(a, b)
            return x**3 * y + autograd.exp(y) * a

        return function

    implicit, explicit = of(crossing), of(closed_form)
    assert crossing(*point) == pytest.approx(closed_form(*point), rel=1e-13)
    for order in (lambda f: grad(f, (0, 1)), lambda f: autograd.compile(grad(f, (0, 1)))):
        assert order(implicit)(*point) == pytest.approx(order(explicit)(*point), rel=1e-12)
    for order in (lambda f: hessian(f, (0, 1)), lambda f: autograd.compile(hessian(f, (0, 1)))):
        for row, wanted in zip(order(implicit)(*point), hessian(explicit, (0, 1))(*point), strict=True):
            assert row == pytest.approx(wanted, rel=1e-11)
    third = grad(grad(grad(implicit)))(*point)
    assert third == pytest.approx(grad(grad(grad(explicit)))(*point), rel=1e-9)
    assert jvp(implicit, point, (1.0, -2.0))[1] == pytest.approx(jvp(explicit, point, (1.0, -2.0))[1], rel=1e-12)
    check_gradients(implicit, *point)


def test_a_function_with_several_results_runs_once() -> None:
    a, b = Value(5.0, "a"), Value(2.0, "b")
    RUNS.clear()
    x, y = crossing(a, b)
    (x * y + x).backward()
    assert RUNS == [(5.0, 2.0)]
    assert a.grad == pytest.approx(2.0 / 6.0, rel=1e-14)
    assert b.grad == pytest.approx(1.0 - 1.0 / 3.0, rel=1e-14)
    crossing(5.0, -2.0)
    assert RUNS[1:] == [(5.0, -2.0)]
    x.label = "x"
    assert str(explain(x, a)).startswith("∂x/∂a = x / (2 · (x ** 2 − crossing(a, b)[1] ** 2)) = 2 / (2 · (2 ** 2 − ")
    assert "crossing(a, b)[1]" in draw(y).source
    assert math.copysign(1.0, crossing(5.0, -0.0)[1]) == -1.0  # not that of 0.0
    assert str(crossing.__doc__).startswith("The point")


def test_slopes_of_several_results_are_checked() -> None:
    with pytest.raises(ValueError, match=r"slope of turned\[1\] with respect to operand 0 is wrong"):

        @primitive([lambda out, x, y: 0.0, lambda out, x, y: 1.0], [lambda out, x, y: 1.0, lambda out, x, y: 0.0])
        def turned(x: float, y: float) -> tuple[float, float]:
            return y, -x

    two = [lambda out, x: 1.0], [lambda out, x: 2.0]
    with pytest.raises(TypeError, match="slopes of 2 results returned 3"):
        primitive(*two)(lambda x: (x, 2 * x, 3 * x))
    mixed: Any = primitive
    for slopes in ((two[0], lambda out, x: 1.0), ([], []), (two[0], [*two[0], *two[1]])):
        with pytest.raises(TypeError, match="needs for each of them a list with a slope for each operand"):
            mixed(*slopes)
