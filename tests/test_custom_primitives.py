"""Primitives of your own: like those of the table, and refused if their slopes are wrong."""

import math

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
