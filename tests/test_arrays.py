"""Arrays of Values, and NumPy's functions on Values: the truth is what NumPy computes with floats."""

import copy
import functools
import math
import operator
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy
import pytest

import autograd
from autograd import (
    Constant,
    Value,
    ValueArray,
    array,
    compile,
    grad,
    hessian,
    jacobian,
    maximum,
    value_and_grad,
    where,
)
from autograd.arrays import FUNCTIONS, OPERATORS

np: Any = numpy  # whose stubs know nothing of Values
TWO = [np.arctan2, np.hypot, np.fmod, np.remainder, np.maximum, np.minimum, np.power, np.add, np.subtract]
TWO += [np.multiply, np.divide, np.float_power, np.floor_divide, np.logaddexp]
ONE = [getattr(np, name) for name in (*FUNCTIONS, *OPERATORS) if getattr(getattr(np, name), "nin", 0) == 1]
ENDS = {np.arccosh: 1.3}  # arguments of functions that have no value at 0.3

A = np.array([[0.53, -1.27, 2.11], [2.31, 0.12, -0.77]])
B = np.array([[1.53, 0.27, -2.14], [2.19, 3.08, 0.58]])
V, W = np.array([0.53, -1.27, 2.11]), np.array([1.0, 3.25, -2.0])
N = np.array([np.nan, 1.0, np.inf])
ARGUMENTS = A, B, V, W, N

# Expressions of arrays: a and b of shape (2, 3), v and w of shape (3,), n with nan and inf.
SMOOTH = """
a + b; a - 1.0; 2.0 * a; a / b; a % 0.75; a // 0.5; abs(a) ** b; -a; a @ v; v @ w; a @ b.T; 7.0 // b
np.float64(2.0) * a; np.exp(a); np.sin(a); np.tanh(a); np.sqrt(abs(a)); np.log1p(a * a); np.sign(a); np.floor(a)
np.ceil(a); np.fabs(a); np.rint(a); np.trunc(a); np.fix(a); np.round(a, 1); np.round(a, -1); a.round(1); a.round()
np.square(a); np.conjugate(a); np.maximum(a, 0.0); np.minimum(a, b); np.clip(a, -0.5, 1.0); a.clip(0.0, 1.0)
np.clip(a, None, 1.0); np.fmod(a, 0.75); np.hypot(a, b); np.arctan2(a, b); np.logaddexp(a, b); np.logaddexp.reduce(v)
np.maximum.outer(v, w); a.sum(); np.sum(a, axis=0); np.sum(a, dtype=float); np.sum(a, initial=2.0)
np.sum(a, where=[True, False, True]); a.prod(); a.mean(); a.mean(axis=1, keepdims=True); a.var(); a.std(axis=0)
np.var(a, ddof=1); np.average(a, axis=0, weights=[1, 2]); a.max(); a.min(axis=1); np.max(a, initial=9.0); np.ptp(a)
np.cumsum(a); np.cumprod(v); np.maximum.accumulate(v); np.nansum(a); np.diff(v); np.trace(a); np.polyval(v, 2.0)
np.polyval([1.0, 2.0], v); np.dot(v, w); v.dot(w); np.vdot(v, w); np.inner(a, b); np.outer(v, w)
np.tensordot(v, w, 1); np.tensordot(a, b, 2); np.einsum('ij,ij->i', a, b); np.kron(v, w); np.cross(v, w)
np.convolve(v, w); np.linalg.norm(a); np.linalg.norm(v, 1); np.linalg.norm(a, 2, axis=1)
np.linalg.matrix_power(a @ b.T, 3); np.linalg.multi_dot([a, b.T, a]); np.vander(v); np.where(a > 0, a, 0.0)
np.where(a > b, a, b); np.where(~((a > 0) & (b > 0)), a, b); np.where((a > 0) | (b > 1), a, b)
np.where((a > 0) ^ (b > 1), a, b); np.where(np.logical_and(a > 0, b > 0), a, b)
np.where(np.logical_or(a > 0, b > 0), a, b); np.where(a == b, b, a); np.where(a != b, b, a); np.where(a >= 0.5, a, b)
np.where(a <= b, a, b); np.where(1.0 < a, a, b); np.where(np.isnan(n), v, w); np.where(np.isinf(n), v, w)
np.where(np.isfinite(n), v, w); np.where(n != n, v, w); np.where(n >= 1.0, v, w); np.where(n <= 1.0, v, w)
np.where(n == 1.0, v, w); np.where(n > n, v, w); np.where(n == n, v, w); np.where([True, False, True], v, 0.0)
np.where(np.array([True, False, True]), v, w); np.where(np.logical_not(a), a, b)
np.where((a > 0).any(axis=1), a[:, 0], b[:, 0]); np.where((a > 0).all(), a, b)
np.where(np.logical_xor(a > 0, b > 0), a, b); a * (a > 0); (a > 0) * b; (a > 0).astype(float) * a; (a > 0).sum() * v
np.mean(a > 0) * v; a * np.array([True, False, True]); np.concatenate([a, b]); np.stack([v, w]); np.vstack([a, v])
np.hstack([v, [1.0]]); np.append(v, 1.0); np.split(v, 3); np.pad(v, 1); np.roll(v, 1); np.flip(v); np.diag(v)
np.tril(a); np.repeat(v, 2); np.take(v, [0, 2]); np.squeeze(v[:1]); np.insert(v, 1, 9.0); np.delete(v, 0); a.T
a.reshape(3, 2); np.broadcast_to(v, (2, 3)); np.moveaxis(a, 0, 1); np.meshgrid(v, w); np.zeros_like(a) + a
np.ones_like(a) * a; np.full_like(a, 2.0) * a; np.apply_along_axis(sum, 1, a); np.block([[a], [b]])
np.vectorize(lambda x: x * x)(v); np.sum([v[0], w[0]]); np.max(v[0]) * v; np.clip(v[0], 0.0, 0.25); np.round(v[0], 1)
np.stack([v[0], w[0]]); np.concatenate([[v[0]], w]); np.where(np.array([True, False]), v[0], 0.0)
v[:1].reshape(()) * w; np.exp(v[:1].reshape(())); round(v[0]) * v; round(v[2] * 10.0, -1); v[0] // 0.3; 7.0 // w[1]
v[0] * True; v[0] + np.bool_(True); autograd.exp(a); maximum(a, 0.0); where(a > 0, a, b); autograd.sum(v) * w
autograd.dot(v, w) * w; autograd.where(a > 0, a, 0.0); v[0].maximum(w); v[0] > w; v[0] == w; np.greater(v[0], 0.25)
"""
# These look at numbers, so they have no place in a program; an error says so while one is recorded.
DECIDING = """
np.sort(a); np.sort(n); np.sort(a, axis=None); np.argsort(a); a.argsort(); n.argmax(); np.argmin(a, axis=1); a[a > 0]
np.count_nonzero(a); a.nonzero(); np.where(a); np.argwhere(a); np.unique(a); np.isclose(a, b); np.allclose(a, a)
np.partition(v, 1); np.array_equal(a, b); np.searchsorted([0.0, 1.0], v); np.digitize(v, [0.0, 1.0]); np.signbit(a)
np.isin(v, w); np.setdiff1d(v, w); np.nanargmax(n); np.extract(a > 0, a); np.select([a > 0, b > 0], [a, b], 0.0)
np.piecewise(v, [v < 0, v >= 0], [-1.0, 1.0]); max(v); sorted(v); np.average(a, weights=b * b)
np.linspace(v[0], v[2], 4); np.nanmean(n); np.nanvar(n); np.nanmax(n)
"""
REFUSED = """
np.linalg.inv(a[:, :2]); np.linalg.det(a[:, :2]); np.linalg.solve(a[:, :2], v[:2]); np.linalg.svd(a)
np.linalg.norm(v, np.inf); np.linalg.norm(a, 1); np.interp(v, [0.0, 1.0], [2.0, 3.0]); np.percentile(a, 30)
np.median(a); np.nanmedian(a); np.quantile(a, 0.5); np.cbrt(a); np.fmax(a, b); np.heaviside(a, 0.5); np.gcd(a, b)
np.divmod(a, b); np.nan_to_num(n); np.polyfit(v, w, 1); np.cov(a); np.fft.fft(v); np.gradient(v)
np.bincount([0, 1, 1], weights=v); np.sum(a, dtype=np.float32); a & b; np.modf(a)
"""


def parts(text: str) -> list[str]:
    return [part.strip() for part in text.replace("\n", ";").split(";") if part.strip()]


def function_of(text: str) -> Any:
    return eval(f"lambda a, b, v, w, n: {text}", globals())


def numbers(result: Any) -> Any:
    """A result with floats in place of Values; whatever comes as an array of objects must hold Values alone."""
    if isinstance(result, Value):
        return result.data
    if isinstance(result, list | tuple):
        return list(map(numbers, result))
    if isinstance(result, np.ndarray) and result.dtype == object:
        assert type(result) is ValueArray
        assert all(isinstance(entry, Value) for entry in result.flat)
        return np.array([entry.data for entry in result.flat], float).reshape(result.shape)
    return result


def agree(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, list | tuple):
        return len(found) == len(wanted) and all(map(agree, found, wanted))
    is_close = np.allclose(np.asarray(found, float), np.asarray(wanted, float), rtol=1e-14, atol=1e-15, equal_nan=True)
    return np.shape(found) == np.shape(wanted) and bool(is_close)


def total(result: Any) -> Any:
    """Some number that depends on all of a result."""
    if isinstance(result, list | tuple):
        return sum(map(total, result))
    return sum((1.0 + i / 8.0) * entry for i, entry in enumerate(np.ravel(result).tolist()))


def difference(function: Callable[[float], float], x: float) -> float:
    step = 1e-6
    return float((function(x + step) - function(x - step)) / (2.0 * step))


def values(*numbers: float) -> Any:
    return array(numbers)


# NumPy's functions of arrays.


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated:DeprecationWarning")  # since NumPy 2.5
@pytest.mark.parametrize("text", parts(SMOOTH))
def test_a_function_of_arrays_of_values(text: str) -> None:
    """Eager, compiled and differentiated, whatever NumPy carries out itself and whatever is carried out here."""
    function = function_of(text)
    with np.errstate(all="ignore"):
        wanted = function_with_floats(text)(*ARGUMENTS)
    assert agree(numbers(function(*map(array, ARGUMENTS))), wanted)
    assert agree(numbers(compile(function)(*ARGUMENTS)), wanted)
    slopes = value_and_grad(
        lambda *arguments: total(function(*arguments)) + 0.0 * arguments[0][0, 0], argnums=(0, 1, 2, 3)
    )
    (value, eager), (compiled_value, compiled) = slopes(*ARGUMENTS), compile(slopes)(*ARGUMENTS)
    is_same = np.array_equal if autograd.engine == "compiled" else agree  # programs of the plain one use NumPy's tanh
    assert is_same(value, compiled_value)
    assert all(map(is_same, eager, compiled))
    for place, slope in enumerate(eager):
        for index in np.ndindex(slope.shape):

            def at(x: float, place: int = place, index: Any = index) -> float:
                moved = [argument.copy() for argument in ARGUMENTS]
                moved[place][index] = x
                return float(total(function_with_floats(text)(*moved)))

            with np.errstate(all="ignore"):
                assert slope[index] == pytest.approx(difference(at, ARGUMENTS[place][index]), rel=1e-6, abs=1e-6)


def function_with_floats(text: str) -> Any:
    """The same function, with NumPy's in place of those that are ours."""
    for ours, theirs in {"autograd.": "np.", "v[0].maximum(w)": "np.maximum(v[0], w)"}.items():
        text = text.replace(ours, theirs)
    names = {"maximum": np.maximum, "where": np.where}
    return eval(f"lambda a, b, v, w, n: {text}", {**globals(), **names})


@pytest.mark.parametrize("text", parts(DECIDING))
def test_a_function_that_decides_by_numbers(text: str) -> None:
    function = function_of(text)
    with np.errstate(all="ignore"):
        assert agree(numbers(function(*map(array, ARGUMENTS))), function(*ARGUMENTS))
    with pytest.raises(TypeError, match=r"compiled functions cannot|NumPy's \w+ is no function of Values"):
        compile(function)(*ARGUMENTS)


@pytest.mark.parametrize("text", parts(REFUSED))
def test_a_function_that_values_do_not_have_is_refused(text: str) -> None:
    function = function_of(text)
    for run, given in ((function, map(array, ARGUMENTS)), (compile(function), ARGUMENTS)):
        with pytest.raises(TypeError, match=r"NumPy's \w+ is no function of Values.*: write it with"):
            run(*given)


@pytest.mark.parametrize("function", [np.cbrt, np.heaviside, np.gcd, np.modf])
def test_a_function_that_a_value_does_not_have_is_refused(function: Any) -> None:
    with pytest.raises(TypeError, match=rf"NumPy's {function.__name__} is no function of Values"):
        function(*[Value(2.0, "v")] * function.nin)


@pytest.mark.parametrize("number", [-1.0, -0.0, 0.0, 2.0, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("other", [0.0, 2.0, math.nan, math.inf, -math.inf])
def test_an_array_has_the_values_and_slopes_of_its_elements(number: float, other: float) -> None:
    functions = {
        np.maximum: maximum, np.minimum: autograd.minimum, np.hypot: autograd.hypot, np.sign: None, np.floor: None,
        np.fabs: autograd.absolute, np.greater: None, np.equal: None, np.less_equal: None, np.isnan: None,
    }  # fmt: skip
    for function, ours in functions.items():
        operands = (number, other)[: function.nin]
        with np.errstate(all="ignore"):
            wanted = function(*operands)
        for given in (values(number), np.array([number])):
            if function.nin == 2 or given is not operands:
                found = function(array(given), *operands[1:])
                assert numpy.array_equal(numbers(found), [wanted], equal_nan=True)
        recorded = compile(lambda x, y, function=function: function(*(x, y)[: function.nin]))
        assert numpy.array_equal(recorded(np.array([number]), np.array([other])), [wanted], equal_nan=True)
        if ours is not None and math.isfinite(number) and math.isfinite(other):
            scalar = grad(ours)(*operands)
            assert grad(lambda x, y, function=function: function(*(x, y)[: function.nin]).sum())(
                np.array([number]), other
            ).tolist() == pytest.approx([scalar], nan_ok=True)


@pytest.mark.parametrize("x", [-math.inf, -800.0, 0.0, 1e300, math.inf, math.nan])
@pytest.mark.parametrize("y", [-math.inf, -800.0, 0.0, 1e300, math.inf, math.nan])
def test_logaddexp_over_the_whole_range(x: float, y: float) -> None:
    with np.errstate(all="ignore"):
        wanted = np.logaddexp(x, y)
    assert np.logaddexp(Value(x), y).data == pytest.approx(wanted, rel=1e-15, nan_ok=True)
    assert compile(np.logaddexp)(x, y) == pytest.approx(wanted, rel=1e-15, nan_ok=True)
    if math.isfinite(x + y):
        assert grad(np.logaddexp)(x, y) == pytest.approx(autograd.sigmoid(x - y), rel=1e-15)
        assert grad(grad(np.logaddexp))(x, y) == pytest.approx(grad(autograd.sigmoid)(x - y), rel=1e-15)


@pytest.mark.parametrize(
    "x", [0.5, 1.5, 2.5, -0.5, -1.5, 0.49999999999999994, 4503599627370497.0, 1e300, math.inf, 2.6]
)
def test_rounding(x: float) -> None:
    assert round(Value(x)).data == np.rint(x) == np.rint(Value(x)).data
    assert round(Value(x), 2).data == np.round(x, 2)
    assert grad(round)(x) == 0.0


@pytest.mark.parametrize("a", [-7.5, 7.0, 0.0, 1.0, 4503599627370497.0, 1e300, 0.3])
@pytest.mark.parametrize("b", [0.1, -0.1, 2.0, -3.0, 1e-300, 1.0])
def test_the_floor_of_a_quotient_is_that_of_floats(a: float, b: float) -> None:
    for found in (Value(a) // b, a // Value(b), Value(a) // Value(b), np.floor_divide(values(a), b)[0]):
        assert found.data == pytest.approx(a // b, rel=1e-15)
    assert compile(lambda x, y: x // y)(a, b) == (Value(a) // b).data
    assert b == 1e-300 or grad(lambda x, y: x // y, argnums=(0, 1))(a, b) == (0.0, 0.0)


# What functions get.


def test_transformations_hand_on_arrays_of_values() -> None:
    kinds: list[type] = []

    def square(x: Any) -> Any:
        kinds.append(type(x))
        return np.maximum(x, 0.0).sum()

    x = np.array([1.0, -2.0, 0.0])
    assert grad(square)(x).tolist() == [1.0, 0.0, 0.5]
    assert jacobian(square)(x).tolist() == [1.0, 0.0, 0.5]
    assert hessian(square)(x).tolist() == [[0.0] * 3] * 3
    assert compile(square)(x) == 1.0
    assert compile(square)(np.array([Value(1.0), 2.0], object)).data == 3.0
    assert grad(lambda tree: square(tree["x"]))({"x": x})["x"].tolist() == [1.0, 0.0, 0.5]
    assert set(kinds) == {ValueArray}
    assert compile(square).batch(np.array([[1.0, 2.0], [-1.0, 1.0]])).tolist() == [3.0, 1.0]
    found = jacobian(lambda x: np.maximum(x, 0.0))(array(x))
    assert type(found) is ValueArray
    assert numbers(found).tolist() == [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.5]]


def test_the_hessian_of_a_function_of_numpy() -> None:
    x = np.array([0.5, -1.0, 2.0])
    assert hessian(lambda a: a.var())(x) == pytest.approx((np.eye(3) - 1.0 / 3.0) * 2.0 / 3.0, abs=1e-15)


def test_results_without_dimensions() -> None:
    for function in (
        lambda v: np.tensordot(v, v, 1),
        lambda v: np.squeeze(v[:1] ** 2),
        lambda v: (v[:1] ** 2).reshape(()),
    ):
        x = np.array([3.0])
        assert (compile(function)(x), grad(function)(x).tolist()) == (9.0, [6.0])
    assert type(np.tensordot(values(1.0), values(2.0), 1)) is Value


def test_arguments_without_dimensions_and_of_truths() -> None:
    assert Value(np.array(3.0)).data == 3.0
    assert (Value(2.0) * np.array(3.0)).data == 6.0
    assert Value(2.0).maximum(np.array(3)).data == 3.0
    assert grad(lambda x: x * x)(np.array(3.0)) == compile(grad(lambda x: x * x))(np.array(3.0)) == 6.0
    mask, x = np.array([True, False]), np.array([3.0, 4.0])
    for function in (
        lambda a, m: np.where(m, a, 1.0).sum(),
        lambda a, m: (a * m + (1.0 - m)).sum() if a is m else (a * m).sum() + 1,
    ):
        assert grad(function)(x, mask).tolist() == compile(grad(function))(x, mask).tolist() == [1.0, 0.0]
        assert compile(function)(x, mask) == 4.0
    assert compile(lambda a, m: np.where(m, a, 0.0)).batch(x, mask).tolist() == [3.0, 0.0]
    assert grad(lambda tree: (tree["x"] * tree["m"]).sum())({"x": x, "m": mask})["m"] is mask
    for truth in (np.bool_(True), np.array(True), True):
        assert compile(lambda x, is_double: x * 2.0 if is_double else x)(3.0, truth) == 6.0
    for bad in (True, np.bool_(True), np.array(True), np.array([True])):
        with pytest.raises(TypeError, match="expected a real number"):
            Value(bad)
        with pytest.raises(TypeError, match="expected a real number"):
            grad(lambda x: 1.0)(bad)


def test_truth_values_are_numbers_in_arithmetic() -> None:
    v, w = Value(3.0), Value(2.0)
    for truth in (True, np.bool_(True)):
        for result in (
            v * truth,
            truth * v,
            v + truth - truth,
            v**truth,
            maximum(v, truth),
            v.maximum(truth),
            where(truth, v, w),
        ):
            assert isinstance(result, Value)
            assert result.data == 3.0
        assert np.hypot(truth, v).data == math.hypot(1.0, 3.0)
        assert autograd.exp(truth) == math.e
    assert (v * (w > 0)).data == 3.0
    assert (v * (w < 0)).data == 0.0
    assert autograd.sum([w > 0, w > 5, v]).data == 4.0
    assert grad(lambda x: x * (x > 0))(2.0) == 1.0


def test_masks_and_matrices_are_refused() -> None:
    masked, matrix = np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0]), np.eye(2).view(np.matrix)
    mapped = np.array([1.0, 2.0]).view(np.memmap)
    calls: list[Callable[[Any], Any]] = [
        compile(lambda a: a.sum()), compile(lambda a: a * 1.0).batch, grad(lambda a: a.sum()), array,
        lambda a: compile(lambda tree: tree["x"].sum())({"x": a}), lambda a: np.multiply(Value(1.0), a),
        lambda a: maximum(Value(1.0), a), autograd.exp,
    ]  # fmt: skip
    for bad in (masked, matrix, np.ma.masked, matrix.view(type("Unit", (np.ndarray,), {}))):
        for call in calls:
            with pytest.raises(TypeError, match=r"got (a Masked|a matrix|a Unit|masked of)"):
                call(bad)
    assert compile(lambda a: a.sum())(mapped) == 3.0
    assert grad(lambda a: (a * a).sum())(mapped).tolist() == [2.0, 4.0]


# Arrays of Values themselves.


def test_numbers_become_variables_and_values_stay() -> None:
    v = Value(2.0, "v")
    a = array([[v, 1], [np.float32(0.5), np.array(3.0)]])
    assert a.shape == (2, 2)
    assert a[0, 0] is v
    assert all(type(entry) is Value for entry in a.flat)
    (a * a).sum().backward()
    assert [entry.grad for entry in a.flat] == [4.0, 2.0, 1.0, 6.0]
    assert array(np.arange(3))[2].data == 2.0
    assert array(v).shape == ()
    for bad in (["1"], [None], [1j], [True], [[1.0], [2.0, 3.0]], np.array(["a"])):
        with pytest.raises((TypeError, ValueError)):
            array(bad)


def test_an_array_holds_values_alone() -> None:
    a = values(1.0, 2.0, 3.0)
    a[0] = 5.0
    a[1:] = [6.0, True]
    assert numbers(a).tolist() == [5.0, 6.0, 1.0]
    assert type(a[0]) is Constant
    a += 1.0
    a[a > 6.5] = 0.0
    assert numbers(a).tolist() == [6.0, 0.0, 2.0]
    out = np.zeros_like(a)
    assert np.add(a, [1.0, 2.0, 3.0], out=out) is out
    assert numbers(out).tolist() == [7.0, 2.0, 5.0]
    np.add.at(out, [0, 0], 1.0)
    out.sort()
    assert numbers(out).tolist() == [2.0, 5.0, 9.0]
    assert [type(empty) for empty in (values().sum(), np.sum(values(), axis=0), values().prod())] == [Constant] * 3
    with pytest.raises(ValueError, match="zero-size array to reduction operation maximum"):
        values().max()
    with pytest.raises(TypeError, match="expected a real number"):
        a[0] = "1"
    with pytest.raises(TypeError, match="NumPy's add is no function of Values"):
        np.add(a, 1.0, out=np.zeros(3))
    with pytest.raises(TypeError, match=r"turning .* into a plain float"):
        np.zeros(3)[0] = a[0]


def test_floats_alone_stay_floats() -> None:
    x = np.array([[0.5, -1.0]])
    for found in (
        autograd.exp(x),
        maximum(x, 0.0),
        autograd.where(x > 0, x, 0.0) if False else autograd.primitives.where(x > 0, x, 0.0),
    ):
        assert (type(found), found.dtype, found.shape) == (np.ndarray, np.float64, (1, 2))
    assert autograd.exp(x).tolist() == [[math.exp(0.5), math.exp(-1.0)]]
    assert type(autograd.exp(np.float64(1.0))) is float
    assert type(autograd.exp(np.array(1.0))) is float


def test_a_masked_array_beside_a_value_is_refused() -> None:
    masked = np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0])
    for operation in (operator.mul, operator.add, operator.sub, operator.truediv):
        with pytest.raises(TypeError, match=r"a masked array by a\.filled"):
            operation(Value(2.0), masked)


def test_a_value_beside_a_masked_array_keeps_its_gradient() -> None:
    masked = np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0])
    assert grad(lambda x: (masked * x).sum())(2.0) == 4.0  # 1 + 3
    assert grad(lambda x: (masked + x).sum())(2.0) == 2.0


def test_an_array_is_filled_with_constants() -> None:
    a = values(1.0, 2.0)
    a.fill(3.0)
    assert numbers(np.exp(a)).tolist() == [math.exp(3.0)] * 2
    with pytest.raises(TypeError, match="NumPy's put is no function of Values"):
        np.put(a, [0], [2.0])


def test_copies_and_pickles() -> None:
    a = values(1.0, 2.0)
    for twin in (copy.copy(a), copy.deepcopy(a), pickle.loads(pickle.dumps(a)), a.copy()):
        assert type(twin) is ValueArray
        assert numbers(np.maximum(twin, 1.5)).tolist() == [1.5, 2.0]
    assert repr(a) == "ValueArray([Value(1.0), Value(2.0)], dtype=object)"


def test_comparisons_of_constants_while_recording_stay_truths() -> None:
    seen: list[Any] = []

    def function(x: Any) -> Any:
        seen.append(array([Constant(1.0), Constant(-1.0)]) > 0.0)
        return x

    compile(function)(1.0)
    assert seen[0].dtype == bool


def test_a_condition_is_no_truth_while_a_program_is_recorded() -> None:
    for function in (lambda a: a if (a > 0)[0] else -a, lambda a: a if (a > 0).all() else -a, lambda a: a[a > 0]):
        with pytest.raises(TypeError, match="compiled functions cannot"):
            compile(function)(np.array([1.0, 2.0]))
    with pytest.raises(TypeError, match=r"where= takes an array of bool; choose by numpy\.where"):
        compile(lambda a: np.sum(a, where=a > 0))(np.array([1.0, 2.0]))
    with pytest.raises(TypeError, match="leave out= out"):
        compile(lambda a: np.greater(a, 0.0, out=np.zeros(1, bool)))(np.array([1.0]))


def test_an_array_of_numpys_own_class_follows_python() -> None:
    """These limits are documented."""
    a = np.array([Value(1.0), Value(-2.0)])
    assert np.maximum(a, 0.0).tolist() == [a[0], 0.0]
    assert type(a + values(1.0, 2.0)) is type(a * Value(2.0)) is type(np.exp(a) * Value(1.0)) is ValueArray
    assert np.round(a.var(), 2).data == np.round(np.var([1.0, -2.0]), 2)
    assert type(np.asarray(values(1.0))) is np.ndarray


def test_it_says_that_numpy_is_missing() -> None:
    code = "import sys; sys.modules['numpy'] = None; import autograd; autograd.array([1.0])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ImportError: arrays of Values need NumPy: install it by pip install numpy" in done.stderr


# NumPy's functions of Values themselves.


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
    x = ENDS.get(function, 0.3)
    v = Value(x)
    result = function(v)
    result.backward()
    assert isinstance(result, Value)
    assert result.data == pytest.approx(function(x), rel=1e-15)
    assert v.grad == pytest.approx(difference(function, x), rel=1e-8, abs=1e-8)
    assert function(array([v]))[0].data == result.data


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
        assert type(result) is ValueArray
        assert numbers(result).tolist() == [2.5, math.hypot(4.0, 2.0)]
    assert numbers(v.maximum(sides)).tolist() == [2.0, 4.0]
    assert (
        numbers(v.clip(sides - 1.0, sides)).tolist() == numbers(np.clip(v, sides - 1.0, sides)).tolist() == [1.5, 3.0]
    )
    total = np.sum(np.arctan2(sides, v))
    total.backward()
    assert v.grad == pytest.approx(-1.5 / (1.5**2 + 4.0) - 4.0 / (4.0**2 + 4.0), rel=1e-15)
    assert np.multiply.outer(sides, v).shape == (2,)
    assert numbers(np.array([7.0, -7.0]) % v).tolist() == [1.0, 1.0]
    target = np.empty(2, object)
    assert np.add(sides, v, out=target) is target
    assert [element.data for element in target] == [3.5, 6.0]


def test_questions_and_comparisons_are_about_the_data() -> None:
    v: Any = Value(2.0)
    assert (np.isfinite(v), np.isnan(v), np.isinf(Value(math.inf)), np.signbit(-v)) == (True, False, True, True)
    assert list(np.array([1.0, 3.0]) > v) == [False, True]
    assert list(v >= np.array([1.0, 3.0])) == [True, False]
    assert (np.float64(1.0) < v, np.float64(2.0) == v, v == v) == (True, True, True)
    assert (values(1.0, 2.0) == values(1.0, 3.0)).tolist() == [True, False]


def test_comparisons_with_numbers_of_other_sizes() -> None:
    v = Value(2.0)
    for number in (
        np.longdouble(1),
        np.float16(1),
        np.int8(1),
        np.uint64(1),
        np.array(np.longdouble(1)),
        np.bool_(True),
    ):
        assert (v > number, number < v, v == number, number != v, v <= number) == (True, True, False, True, False)
        assert max(v, number) is max(number, v) is v
    assert (np.array([1, 2], np.longdouble) == v).tolist() == [False, True]


def test_clip_through_numpy() -> None:
    for number, clipped, slope in ((-1.0, 0.0, 0.0), (0.5, 0.5, 1.0), (3.0, 2.0, 0.0)):
        v: Any = Value(number)
        result = np.clip(v, 0.0, 2.0)
        result.backward()
        assert (result.data, v.grad) == (clipped, slope)


def test_a_derivative_of_a_function_written_with_numpy() -> None:
    assert grad(lambda x: np.arctan2(1.0, x) + np.log2(x))(2.0) == pytest.approx(-0.2 + 0.5 / math.log(2), rel=1e-15)


@pytest.mark.parametrize("bad", ["1", None, 1j, np.array(["1"])], ids=repr)
def test_what_is_no_number_is_refused(bad: Any) -> None:
    for call in (lambda: np.hypot(bad, Value(2.0)), lambda: Value(2.0).hypot(bad), lambda: Value(2.0).maximum(bad)):
        with pytest.raises(TypeError, match="expected a real number"):
            call()
