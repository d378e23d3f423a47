"""NumPy's functions on Values, and methods of Values over arrays."""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy
import pytest

from autograd import Value, grad
from autograd.arrays import FUNCTIONS, OPERATORS

np: Any = numpy  # whose stubs know nothing of Values
TWO = [np.arctan2, np.hypot, np.fmod, np.remainder, np.maximum, np.minimum, np.power, np.add, np.subtract]
TWO += [np.multiply, np.divide, np.float_power]
ONE = [getattr(np, name) for name in (*FUNCTIONS, *OPERATORS) if getattr(np, name).nin == 1]
NOT_IN_ARRAYS = np.sign, np.fabs  # of an array of Values: NumPy compares with 0, and looks for a method fabs


def difference(function: Callable[[float], float], x: float) -> float:
    step = 1e-6
    return float((function(x + step) - function(x - step)) / (2.0 * step))


@pytest.mark.parametrize("function", TWO, ids=lambda function: function.__name__)
@pytest.mark.parametrize("plain", [1.25, 2, np.float64(1.25), np.float32(1.25), np.int64(2)], ids=repr)
def test_a_plain_number_on_either_side(function: Any, plain: Any) -> None:
    number = float(plain)
    for left_is_plain in (True, False):
        v = Value(0.7)
        result = function(plain, v) if left_is_plain else function(v, plain)

        def of(x: float, left_is_plain: bool = left_is_plain) -> float:
            return float(function(number, x) if left_is_plain else function(x, number))

        result.backward()
        assert isinstance(result, Value)
        assert result.data == pytest.approx(of(0.7), rel=1e-15)
        assert v.grad == pytest.approx(difference(of, 0.7), rel=1e-8)


@pytest.mark.parametrize("function", ONE, ids=lambda function: function.__name__)
def test_a_function_of_one_value(function: Any) -> None:
    x = 1.3 if function is np.arccosh else 0.3
    v = Value(x)
    result = function(v)
    result.backward()
    assert type(result) is Value
    assert result.data == pytest.approx(function(x), rel=1e-15)
    assert v.grad == pytest.approx(difference(function, x), rel=1e-8, abs=1e-8)
    if function not in NOT_IN_ARRAYS:
        assert function(np.array([v]))[0].data == result.data


@pytest.mark.parametrize("left", [-7.5, 7.5, 0.0])
@pytest.mark.parametrize("right", [-2.0, 2.0])
def test_the_two_remainders_are_those_of_numpy(left: float, right: float) -> None:
    for function in (np.fmod, np.remainder):
        assert function(Value(left), Value(right)).data == function(left, right)
        if left:
            x, y = Value(left), Value(right)
            function(x, y).backward()
            assert x.grad == 1.0
            assert y.grad == pytest.approx(difference(functools.partial(function, left), right), rel=1e-8)
    x = Value(0.0)
    x.fmod(right).backward()
    assert x.grad == 1.0


def test_arrays_map_element_by_element() -> None:
    v: Any = Value(2.0)
    sides = np.array([1.5, 4.0])
    for result in (np.hypot(sides, v), np.hypot(v, sides), v.hypot(sides)):
        assert result.dtype == object
        assert [element.data for element in result] == [2.5, math.hypot(4.0, 2.0)]
    assert [element.data for element in v.maximum(sides)] == [2.0, 4.0]
    assert [element.data for element in np.maximum(sides, v)] == [2.0, 4.0]
    total = np.sum(np.arctan2(sides, v))
    total.backward()
    assert v.grad == pytest.approx(-1.5 / (1.5**2 + 4.0) - 4.0 / (4.0**2 + 4.0), rel=1e-15)
    assert np.multiply.outer(sides, v).shape == (2,)
    assert [element.data for element in np.remainder(np.array([7.0, -7.0]), v)] == [1.0, 1.0]
    assert [element.data for element in np.array([7.0, -7.0]) % v] == [1.0, 1.0]
    target = np.empty(2, object)
    assert np.add(sides, v, out=target) is target
    assert [element.data for element in target] == [3.5, 6.0]


def test_questions_and_comparisons_are_about_the_data() -> None:
    v: Any = Value(2.0)
    assert (np.isfinite(v), np.isnan(v), np.isinf(Value(math.inf)), np.signbit(-v)) == (True, False, True, True)
    assert list(np.array([1.0, 3.0]) > v) == [False, True]
    assert list(v >= np.array([1.0, 3.0])) == [True, False]
    assert (np.float64(1.0) < v, np.float64(2.0) == v, v == v) == (True, False, True)


def test_clip_through_numpy() -> None:
    for number, clipped, slope in ((-1.0, 0.0, 0.0), (0.5, 0.5, 1.0), (3.0, 2.0, 0.0)):
        v: Any = Value(number)
        result = np.clip(v, 0.0, 2.0)
        result.backward()
        assert (result.data, v.grad) == (clipped, slope)


def test_a_derivative_of_a_function_written_with_numpy() -> None:
    assert grad(lambda x: np.arctan2(1.0, x) + np.log2(x))(2.0) == pytest.approx(-0.2 + 0.5 / math.log(2), rel=1e-15)


@pytest.mark.parametrize("function", [np.cbrt, np.trunc, np.rint, np.floor_divide, np.logaddexp, np.heaviside, np.gcd])
def test_a_function_that_values_do_not_have_is_refused(function: Any) -> None:
    with pytest.raises(TypeError, match=rf"NumPy's {function.__name__} is no function of Values, got Value\(2\.0"):
        function(*[Value(2.0, "v")] * function.nin)


@pytest.mark.parametrize("bad", ["1", None, 1j, True, np.bool_(True), np.array(["1"])], ids=repr)
def test_what_is_no_number_is_refused(bad: Any) -> None:
    for call in (lambda: np.hypot(bad, Value(2.0)), lambda: Value(2.0).hypot(bad), lambda: Value(2.0).maximum(bad)):
        with pytest.raises(TypeError, match="expected a real number"):
            call()
