"""Compiled functions, as someone uses them who comes from JAX or PyTorch."""

from __future__ import annotations

import copy
import gc
import inspect
import math
import pickle
import random
import threading
import tracemalloc
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd
from autograd import (
    Constant,
    Parameter,
    Value,
    compile,
    dot,
    exp,
    grad,
    gradients,
    greater,
    hessian,
    hvp,
    jacobian,
    jvp,
    log,
    no_grad,
    sin,
    sqrt,
    stop_gradient,
    tanh,
    value_and_grad,
    where,
)
from autograd.programs.compilation import MOST_PROGRAMS, Compiled
from autograd.programs.program import Program

ULPS = 0.0 if autograd.engine == "compiled" else 8 * 2.0**-52  # NumPy rounds exp, tanh and others in its own way


class Point(NamedTuple):
    x: Any
    y: Any


def same(given: Any, wanted: Any) -> None:
    """Whether a result has the tree and the numbers of another one; Values count as their numbers."""
    if isinstance(wanted, dict):
        assert isinstance(given, dict)
        assert list(given) == list(wanted)
        for key in wanted:
            same(given[key], wanted[key])
    elif isinstance(wanted, list | tuple):
        assert type(given) is type(wanted)
        assert len(given) == len(wanted)
        for one, other in zip(given, wanted, strict=True):
            same(one, other)
    elif isinstance(wanted, np.ndarray):
        assert isinstance(given, np.ndarray)
        assert given.shape == wanted.shape
        assert given.dtype == np.float64
        same(given.ravel().tolist(), wanted.ravel().tolist())
    elif isinstance(wanted, Value | float | int) and not isinstance(wanted, bool):
        number = wanted.data if isinstance(wanted, Value) else float(wanted)
        assert type(given) is float
        assert given == pytest.approx(number, rel=ULPS, abs=ULPS, nan_ok=True)
    else:
        assert given == wanted


def as_values(tree: Any) -> Any:
    """The same tree of Values."""
    if isinstance(tree, dict):
        return {key: as_values(part) for key, part in tree.items()}
    if isinstance(tree, list | tuple):
        parts = [as_values(part) for part in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    if isinstance(tree, np.ndarray):
        array = np.empty(tree.shape, object)
        array.ravel()[:] = [Value(float(number)) for number in tree.ravel()]
        return array
    return Value(float(tree))


def network(x: Any, weights: Any) -> Any:
    hidden = [tanh(dot(row, x) + bias) for row, bias in zip(weights["w"], weights["b"], strict=True)]
    return dot(hidden, weights["out"])


WEIGHTS = {"w": [[0.1, -0.4], [0.7, 0.2], [-0.3, 0.5]], "b": [0.0, 0.1, -0.1], "out": (1.0, -0.5, 0.25)}

CALLS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "numbers": (lambda x, y: x * sin(y) + x**2 / y, (1.3, 0.7)),
    "ints": (lambda x, y: x**y + x % y, (7, 3)),
    "a list": (lambda v: v[0] * v[1] - v[2], ([1.3, 0.7, 2.1],)),
    "a list of ints": (lambda v: sum(v) * v[0], ([1, 2, 3],)),
    "a tuple": (lambda v: (v[1], v[0], v[0] * v[1]), ((1.3, 0.7),)),
    "a named tuple": (lambda p: Point(p.y, p.x * p.y), (Point(1.3, 0.7),)),
    "a dict": (lambda d: {"b": d["a"] * 2.0, "a": d["b"]}, ({"a": 1.3, "b": 0.7},)),
    "nested": (network, ([0.5, -1.0], WEIGHTS)),
    "an array": (lambda v: v * 2.0 + v[0], (np.array([1.3, 0.7]),)),
    "a matrix and a vector": (lambda m, v: np.tanh(m @ v), (np.arange(6.0).reshape(3, 2), np.array([0.1, 0.2]))),
    "an array of three dimensions": (lambda a: a.sum(axis=1), (np.arange(24.0).reshape(2, 3, 4),)),
    "an empty array": (lambda a: a * 2.0, (np.empty((0, 3)),)),
    "an empty list": (lambda v: [*v, 1.0], ([],)),
    "integers": (lambda a: a / 2, (np.arange(5),)),
    "float32": (np.exp, (np.arange(5, dtype=np.float32),)),
    "every other number": (np.sin, (np.arange(10.0)[::2],)),
    "a transposed array": (lambda a: a[0] - a[1], (np.arange(6.0).reshape(3, 2).T,)),
    "reversed": (lambda a: a[0] * 2.0 - a[1], (np.arange(6.0)[::-1],)),
    "a row of a matrix": (lambda a: a.sum(), (np.arange(6.0).reshape(2, 3)[1],)),
    "NumPy numbers": (lambda x, y: x * y, (np.float32(1.5), np.int64(3))),
    "an array without dimensions": (lambda x: x * 2.0, (np.array(1.5),)),
    "constants": (lambda x: [1.0, 2, Constant(3.0), np.array([4.0, 5.0]), None, "text", True], (1.3,)),
    "what was given": (lambda x, v: (v, x, v, x), (1.3, [0.7, 2.1])),
    "the same number twice": (lambda x: [x.sin()] * 2 + [x.sin()], (1.3,)),
    "nothing": (lambda x: (), (1.3,)),
    "no arguments": (lambda: 2.0, ()),
    "None": (lambda x: None, (1.3,)),
    "mixed arrays": (lambda x: np.array([x, 1.0, 2], dtype=object), (1.3,)),
    "a subclass of dict": (lambda d: d["a"], ({"a": np.arange(3.0)},)),
    "grad of a number": (grad(lambda x: x * sin(x)), (1.3,)),
    "grad of a list": (grad(lambda v: v[0] * v[1] ** 2), ([1.3, 0.7],)),
    "grad of an array": (grad(lambda v: (v**2).sum()), (np.arange(6.0).reshape(2, 3),)),
    "grad of a named tuple": (grad(lambda p: p.x * p.y), (Point(1.3, 0.7),)),
    "grad by several": (grad(lambda x, y: x * sin(y), argnums=(0, 1)), (1.3, 0.7)),
    "grad of nested": (grad(lambda w, x: network(x, w)), (WEIGHTS, [0.5, -1.0])),
    "third derivative": (grad(grad(grad(sin))), (1.3,)),
    "value_and_grad": (value_and_grad(lambda v: exp(v[0]) * v[1]), ([1.3, 0.7],)),
    "hessian": (hessian(lambda v: v[0] ** 2 * v[1] + sin(v[1])), ([1.3, 0.7],)),
    "jacobian": (jacobian(lambda v: [v[0] * v[1], v[0] ** 3, 2.0]), ([1.3, 0.7],)),
    "jvp": (lambda x, t: jvp(lambda x: sin(x) * x, (x,), (t,)), (1.3, 0.7)),
    "hvp": (lambda v, t: hvp(lambda v: v[0] ** 2 * v[1], (v,), (t,)), ([1.3, 0.7], [1.0, -1.0])),
    "gradients": (lambda x, y: gradients(x * y + x, [x, y]), (1.3, 0.7)),
    "grad under no_grad": (lambda x: no_grad()(grad(sin))(x) * x, (1.3,)),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_the_result_is_that_of_the_function(name: str) -> None:
    function, arguments = CALLS[name]
    compiled = compile(function)
    wanted = function(*[as_values(argument) for argument in arguments])
    for _ in range(3):
        same(compiled(*arguments), wanted)


@pytest.mark.parametrize("name", [name for name in CALLS if "grad" in name or name in ("hessian", "jacobian")])
def test_a_derivative_gives_what_it_gives_for_plain_numbers(name: str) -> None:
    function, arguments = CALLS[name]
    if name not in ("gradients", "grad under no_grad"):
        same(compile(function)(*arguments), function(*arguments))


def test_random_numbers_give_the_bits_of_the_eager_engine() -> None:
    rng = random.Random(1)
    function = value_and_grad(lambda w, x: (network(x, w) - 0.3) ** 2)
    compiled = compile(function)
    for _ in range(50):
        weights = {
            "w": [[rng.gauss(0, 1) for _ in range(2)] for _ in range(3)],
            "b": [rng.gauss(0, 1) for _ in range(3)],
            "out": tuple([rng.gauss(0, 1) for _ in range(3)]),
        }
        x = [rng.gauss(0, 1), rng.gauss(0, 1)]
        if autograd.engine == "compiled":
            assert compiled(weights, x) == function(weights, x)
        else:
            same(_rounded(compiled(weights, x)), _rounded(function(weights, x)))


def _rounded(tree: Any) -> Any:
    """The same with twelve digits after the point: errors of one rounding grow where terms cancel."""
    if isinstance(tree, dict):
        return {key: _rounded(part) for key, part in tree.items()}
    return type(tree)(map(_rounded, tree)) if isinstance(tree, list | tuple) else round(tree, 12) + 0.0


def test_a_step_of_training_is_a_function_like_others() -> None:
    def moved(weights: Any, slopes: Any) -> list[Any]:
        return [w - 0.1 * s for w, s in zip(weights, slopes, strict=True)]

    def step(weights: Any, x: Any, target: Any) -> Any:
        slopes = grad(lambda w: (network(x, w) - target) ** 2)(weights)
        return {
            "w": [moved(*rows) for rows in zip(weights["w"], slopes["w"], strict=True)],
            "b": moved(weights["b"], slopes["b"]),
            "out": tuple(moved(weights["out"], slopes["out"])),
        }

    compiled = compile(step)
    eager: Any = WEIGHTS
    fast: Any = WEIGHTS
    for i in range(20):
        x, target = [math.sin(i), math.cos(i)], 0.1 * i
        eager, fast = step(eager, x, target), compiled(fast, x, target)
    assert type(eager["out"]) is tuple
    assert _rounded(fast) == _rounded(eager)
    if autograd.engine == "compiled":
        assert fast == eager


# When a function is recorded, and when it is called.


def test_a_function_is_recorded_once_for_each_form() -> None:
    forms = []

    def function(v: Any, scale: Any = 1.0) -> Any:
        forms.append((v, scale))
        return [x * scale for x in v]

    compiled = compile(function)
    for v in ([1.0, 2.0], [3.0, 4.0], [5, 6], [np.float64(7.0), 8]):
        compiled(v)
    assert len(forms) == 1
    compiled([1.0])
    compiled((1.0, 2.0))
    compiled(np.array([1.0, 2.0]))
    compiled(np.array([1, 2]))
    compiled([1.0, 2.0], 3.0)
    compiled([1.0, 2.0], scale=3.0)
    compiled([1.0, 2.0], scale=4.0)
    assert len(forms) == 1 + 5
    assert all(isinstance(x, Value) for v, _ in forms for x in v)


def test_keywords_are_arguments() -> None:
    def function(x: Any, *, scale: Any, shift: Any = 1.0) -> Any:
        return x * scale + shift

    compiled = compile(function)
    assert compiled(2.0, scale=3.0) == 7.0
    assert compiled(2.0, scale=3.0, shift=10.0) == 16.0
    assert compiled(2.0, shift=10.0, scale=3.0) == 16.0
    with pytest.raises(TypeError, match="scale"):
        compiled(2.0)
    with pytest.raises(TypeError, match="unexpected keyword"):
        compiled(2.0, scale=1.0, other=2.0)


def test_as_many_floats_run_faster_and_give_the_same() -> None:
    compiled = compile(lambda *xs: sum(xs) * 1.5)
    for count in range(1, 6):
        xs = [0.1 * i for i in range(1, count + 1)]
        assert {compiled(*xs) for _ in range(3)} == {compiled._call(tuple(xs), {})}
        assert compiled(*map(np.float64, xs)) == compiled(*xs)
    assert set(compiled._of_floats) == {1, 2, 3, 4, 5}
    assert compiled(1, 2) == compiled(1.0, 2.0)


def test_of_arguments_that_are_values_the_result_is_part_of_their_graph() -> None:
    calls = []

    def function(x: Any, y: Any) -> Any:
        calls.append(x)
        return x * y

    compiled = compile(function)
    x = Value(3.0)
    for y in (2.0, Value(2.0)):
        output = compiled(x, y)
        assert isinstance(output, Value)
        x.grad = 0.0
        output.backward()
        assert x.grad == 2.0
    assert calls == [x, x]
    assert compile(lambda d: d["a"][0] * 2.0)({"a": [x]}).parents[0] is x
    assert compile(lambda v: v[0] * 2.0)(np.array([x, 1.0], object)).parents[0] is x
    assert compile(lambda x, settings: x * 2.0)(x, object()).parents[0] is x
    assert compile(lambda v, k: v * k)(2.0, k=x).parents[1] is x


def test_transformations_of_compiled_functions() -> None:
    def function(x: Any) -> Any:
        return x * sin(x)

    compiled = compile(function)
    compiled(1.3)  # recorded before
    assert grad(compiled)(1.3) == grad(function)(1.3)
    assert hessian(compiled)(1.3) == hessian(function)(1.3)
    assert compile(compiled) is compiled
    same(compile(grad(compiled))(1.3), grad(function)(1.3))
    same(compile(grad(compile(grad(compiled))))(1.3), grad(grad(function))(1.3))
    same(compile(lambda x: compiled(x) + compiled(2.0))(1.3), function(Value(1.3)) + function(Value(2.0)))
    same(compile(lambda x: x * compile(lambda: 2.0)())(1.3), 2.6)


def test_what_a_compiled_function_refers_to_is_differentiated() -> None:
    """Also where its arguments are plain numbers, so that its own result would be one."""
    w = Value(5.0)
    square = compile(lambda x: x * w)
    inner: list[Any] = []

    def outer(w: Any) -> Any:
        inner[:] = [compile(lambda x: x * w * w)]
        return inner[0](2.0) + inner[0](3.0)

    assert grad(outer)(5.0) == 50.0
    assert hessian(outer)(5.0) == 10.0
    assert compile(outer)(5.0) == 125.0
    assert compile(grad(outer))(5.0) == 50.0
    sums: Callable[[Any], Any] = lambda f: f.batch([1.0, 2.0], reduce="sum")  # noqa: E731  # for each of them
    with pytest.raises(TypeError, match=r"refers to what is differentiated by .* run without a graph"):
        grad(lambda w: sums(compile(lambda x: x * w)))(5.0)
    assert grad(lambda w: w * sums(square))(5.0) == sums(square)  # refers to something else
    with pytest.raises(TypeError, match="a leaf that the function refers to"):
        compile(lambda x: x * sums(square))(1.0)
    assert grad(lambda w: compile(lambda x: x * w).repeat(2, 1.0))(5.0) == 10.0
    assert compile(lambda x: x * square.repeat(2, 1.0))(1.0) == 25.0
    assert grad(lambda w: w * square.repeat(2, 1.0))(5.0) == 25.0
    assert square(2.0) == 10.0
    assert compile(lambda x: x * square(2.0))(3.0) == 30.0
    other = compile(lambda x: x * square(2.0))
    assert other(3.0) == 30.0
    w.data = 7.0
    assert other(3.0) == 42.0


def test_no_grad_changes_nothing_around_and_stops_gradients_inside() -> None:
    def function(x: Any) -> Any:
        with no_grad():
            factor = x * x
        return factor * x

    compiled, slope = compile(function), compile(grad(function))
    with no_grad():
        assert compiled(3.0) == 27.0
        assert slope(3.0) == 9.0
    assert compiled(4.0) == 64.0
    assert slope(4.0) == 16.0
    with no_grad():
        constant = compiled(Value(3.0))
    assert isinstance(constant, Constant)


def test_leaves_that_a_function_refers_to_are_read_at_each_call() -> None:
    w, b = Parameter(2.0), Value(1.0)
    compiled = compile(lambda x: w * x + b)
    assert compiled(3.0) == 7.0
    w.data, b.data = 5.0, -1.0
    assert compiled(3.0) == 14.0
    assert compiled.batch([1.0, 2.0], reduce="each").tolist() == [4.0, 9.0]
    assert compiled.repeat(2, 1.0) == 19.0
    slopes = compile(lambda x: gradients((w * x + b) ** 2, [w, b]))
    assert slopes(3.0) == [2 * 14.0 * 3.0, 2 * 14.0]
    half = w * 0.5
    computed = compile(lambda x: half * x)
    assert computed(2.0) == 5.0
    w.data = 8.0
    assert computed(2.0) == 8.0  # computed again from the leaf


def test_stop_gradient_and_detach_inside() -> None:
    for stopped in (stop_gradient, lambda x: x.detach()):

        def function(x: Any, stopped: Any = stopped) -> Any:
            return x * stopped(x * x)

        compiled = compile(value_and_grad(lambda x, f=function: f(x)))
        for x in (3.0, 4.0):
            assert compiled(x) == (x**3, x * x)
            assert compile(grad(grad(lambda x, f=function: f(x))))(x) == 0.0


def test_primitives_of_one_s_own() -> None:
    calls = []

    @autograd.primitive(lambda out, x: 3.0 * x * x)
    def cube(x: float) -> float:
        calls.append(x)
        return x * x * x

    function = value_and_grad(lambda x: cube(x) * x)
    compiled = compile(function)
    assert compiled(2.0) == (16.0, 32.0)
    calls.clear()
    assert compiled(3.0) == (81.0, 108.0)
    assert calls == [3.0]
    assert compile(cube).batch([1.0, 2.0, 3.0], reduce="each").tolist() == [1.0, 8.0, 27.0]

    @autograd.primitive(lambda out, x: 1.0, check=False)
    def picky(x: float) -> float:
        if x > 5.0:
            raise OSError("no more")
        return x

    picking = compile(lambda x: picky(x) + 1.0)
    assert picking(2.0) == 3.0
    for _ in range(20):
        with pytest.raises(OSError, match="no more"):
            picking(9.0)
    assert picking(2.0) == 3.0


# Results that are not finite.


def test_a_branch_that_is_not_chosen_may_be_outside_its_domain() -> None:
    def function(x: Any) -> Any:
        return where(greater(x, 0.0), sqrt(where(greater(x, 0.0), x, 1.0)), 0.0)

    same(compile(value_and_grad(function))(4.0), (2.0, 0.25))
    same(compile(value_and_grad(function))(-4.0), (0.0, 0.0))
    masked = compile(lambda x: where(greater(x, 0.0), log(x), 0.0))
    assert masked(-1.0) == 0.0  # the eager engine computes both branches, and raises
    assert masked(1.0) == 0.0


def test_outside_a_domain_the_error_of_the_engine_is_raised() -> None:
    compiled = compile(lambda x, y: x * log(y))
    assert compiled(2.0, 1.0) == 0.0
    for _ in range(3):  # also by the short way for floats
        with pytest.raises(ValueError, match=r"cannot take log of -1\.0"):
            compiled(2.0, -1.0)
    with pytest.raises(ZeroDivisionError):
        compile(lambda v: v[0] / v[1])([1.0, 0.0])
    with pytest.raises(ValueError, match="log"):
        compile(lambda x, k: log(x) * k)(-1.0, k=2.0)
    assert compiled(2.0, math.e) == pytest.approx(2.0)


def test_an_infinite_result_is_given_where_the_engine_gives_it() -> None:
    compiled = compile(exp)
    assert compiled(1000.0) == math.inf
    assert compiled(1000.0) == math.inf
    assert compile(grad(sqrt))(0.0) == grad(sqrt)(0.0) == math.inf
    assert compile(lambda x: x * 1.0)(math.inf) == math.inf
    assert math.isnan(compile(lambda x: x * 1.0)(math.nan))
    same(compile(lambda v: v * 2.0)(np.array([1.0, math.inf, -math.inf])), np.array([2.0, math.inf, -math.inf]))


# Arguments that are no numbers.


def test_static_arguments() -> None:
    recorded = []

    def power(x: Any, n: Any, kind: Any = "up") -> Any:
        recorded.append((n, kind))
        result = x
        for _ in range(n - 1):
            result = result * x
        return result if kind == "up" else 1.0 / result

    compiled = compile(power, static_argnums=1)
    assert [compiled(2.0, n) for n in (1, 2, 3, 3, 2)] == [2.0, 4.0, 8.0, 8.0, 4.0]
    assert recorded == [(1, "up"), (2, "up"), (3, "up")]
    assert compiled(2.0, n=3) == 8.0
    assert compiled(2.0, 3, "down") == compiled(2.0, 3, kind="down") == 0.125
    assert compile(power, static_argnums=(-1,))(2.0, 3) == 8.0
    numbers: list[Any] = [1, np.int64(1), np.array(1), [np.int8(1)]]
    for static_argnums in numbers:
        assert compile(compiled, static_argnums=static_argnums) is compiled
    assert compile(compiled) is compiled
    with pytest.raises(TypeError, match="a static argument must be hashable"):
        compile(lambda x, v: x * v[0], static_argnums=1)(1.0, [1.0])


def test_texts_truth_values_and_none_are_part_of_the_form() -> None:
    def function(x: Any, kind: str, negative: bool = False, bias: Any = None) -> Any:
        factor = (1.0 if kind == "same" else 2.0) * (-1.0 if negative else 1.0)
        return x * factor + (0.0 if bias is None else bias)

    compiled = compile(function)
    assert compiled(2.0, "same") == 2.0
    assert compiled(2.0, "twice") == 4.0
    assert compiled(2.0, "twice", negative=True) == -4.0
    assert compiled(2.0, "twice", True, 1.0) == -3.0
    assert compiled(2.0, "twice", bias=1.0) == 5.0


@pytest.mark.parametrize("wrong", [object(), b"bytes", 1j, {1.0}, np.array(["a"]), np.array([1j])])
def test_an_argument_of_another_kind_is_refused(wrong: Any) -> None:
    for argument in (wrong, [wrong], {"a": wrong}):
        with pytest.raises(TypeError, match=r"expected .* got"):
            compile(lambda x: 1.0)(argument)
    with pytest.raises(TypeError, match="static_argnums"):
        compile(lambda x: 1.0)(object())


def test_a_result_of_another_kind_is_refused() -> None:
    with pytest.raises(TypeError, match=r"the result of <lambda> .* got <object object .* of type object"):
        compile(lambda x: [x, object()])(1.0)


def test_compile_needs_a_function() -> None:
    for wrong in (1.0, None, "f"):
        with pytest.raises(TypeError, match="compile needs a function"):
            compile(wrong)  # type: ignore[call-overload]  # this is refused


def test_an_error_of_the_function_is_raised_and_nothing_is_kept() -> None:
    fails = [True]

    def function(x: Any) -> Any:
        if fails[0]:
            raise LookupError("not today")
        return x * 2.0

    compiled = compile(function)
    with pytest.raises(LookupError, match="not today"):
        compiled(1.0)
    fails[0] = False
    assert compiled(1.0) == 2.0
    assert Value(1.0) > 0.5  # no recording is left under way


# As an object.


@compile
def decorated(x: Any, y: Any = 2.0) -> Any:
    """Multiply."""
    return x * y


def double(x: Any) -> Any:
    return x * 2.0


compiled_double = compile(double)


class Model:
    def __init__(self, w: float) -> None:
        self.w = Value(w)

    def __call__(self, x: Any) -> Any:
        return self.w * x


def scaled(model: Any, x: Any) -> Any:
    return model.w * x


Model.scaled = compile(scaled, static_argnums=0)  # type: ignore[attr-defined]  # a method made outside


def test_it_looks_like_its_function() -> None:
    assert decorated(3.0) == 6.0
    assert (decorated.__name__, decorated.__doc__) == ("decorated", "Multiply.")  # type: ignore[attr-defined]
    assert list(inspect.signature(decorated).parameters) == ["x", "y"]
    assert repr(decorated) == "<compiled decorated>"
    assert callable(decorated)
    assert isinstance(decorated, Compiled)
    assert repr(compile(Model(1.0))).startswith("<compiled <tests.test_compilation.Model object")


def test_a_function_in_a_class_is_a_method() -> None:
    one, other = Model(2.0), Model(3.0)
    assert one.scaled(5.0) == 10.0  # type: ignore[attr-defined]  # see above
    assert other.scaled(5.0) == 15.0  # type: ignore[attr-defined]
    one.w.data = 7.0
    assert one.scaled(5.0) == 35.0  # type: ignore[attr-defined]
    assert compile(one)(5.0) == 35.0


def test_pickles_and_copies() -> None:
    assert pickle.loads(pickle.dumps(decorated)) is decorated
    decorated(1.5)
    other = pickle.loads(pickle.dumps(compiled_double))
    assert other is not compiled_double
    assert other(3.0) == 6.0
    assert copy.copy(decorated) is copy.deepcopy(decorated) is decorated
    assert copy.deepcopy(compile(lambda x: x * 2.0))(3.0) == 6.0
    with_static = compile(scaled, static_argnums=0)
    assert pickle.loads(pickle.dumps(with_static)).static_argnums == (0,)
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(compile(lambda x: x))


def test_the_program_of_a_call() -> None:
    w = Value(5.0)
    compiled = compile(lambda x, k: x * k + w)
    program = compiled.program(2.0, k=3.0)
    assert isinstance(program, Program)
    assert (len(program.inputs), len(program.parameters), len(program.outputs)) == (2, 1, 1)
    assert program.run([2.0, 3.0], [10.0]) == (16.0,)
    assert Program.from_json(program.to_json()).run([2.0, 3.0], [10.0]) == (16.0,)
    assert compiled.program(7.0, k=1.0) is program


# Threads and memory.


def test_threads_call_one_function() -> None:
    compiled = compile(lambda v, x: [sin(a) * x for a in v])
    wanted = {x: compiled([0.1 * i for i in range(50)], float(x)) for x in range(8)}
    fresh = compile(lambda v, x: [sin(a) * x for a in v])
    short = compile(lambda x: x * x + 1.0)
    wrong = []

    def work(x: int) -> None:
        for i in range(300):
            if fresh([0.1 * i for i in range(50)], float(x)) != wanted[x]:
                wrong.append((x, i))
            if short(float(x)) != x * x + 1.0:
                wrong.append((x, -i))

    threads = [threading.Thread(target=work, args=(x,)) for x in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_memory_does_not_grow_with_calls() -> None:
    short, nested = compile(lambda x: x * 1.5), compile(lambda d, v: (d["a"] * v, [d["a"]]))
    vector = np.arange(10.0)

    def call(times: int) -> None:
        for _ in range(times):
            short(2.0)
        for _ in range(times // 20):
            nested({"a": 1.0}, vector)
            short.batch(vector)
            short.repeat(5, 1.0)

    call(1000)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        call(100_000 if autograd.engine == "compiled" else 10_000)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 20_000


# Programs elsewhere.


def test_parameters_are_the_leaves_that_a_call_reads_besides_its_arguments() -> None:
    w, b, other = Value(2.0), Parameter(0.5), Value(1.0)
    function = compile(lambda x: b + w * x + Constant(1.0))
    leaves, program = function.parameters(3.0), function.program(3.0)
    assert {id(leaf) for leaf in leaves} == {id(w), id(b)}
    assert [leaf.data for leaf in leaves] == [program.numbers[slot] for slot in program.parameters]
    assert compile(lambda x: x).parameters(other.data) == []


# How many programs are kept.


def test_the_programs_that_were_used_last_are_kept() -> None:
    recorded: list[int] = []

    def function(v: Any) -> Any:
        recorded.append(len(v))
        return v[0] * 2.0

    compiled = compile(function)
    for size in range(1, MOST_PROGRAMS + 1):
        assert compiled([3.0] * size) == 6.0
    compiled([3.0])  # the first one is the last one used now
    compiled([3.0] * (MOST_PROGRAMS + 1))
    assert recorded == list(range(1, MOST_PROGRAMS + 2))
    recorded.clear()
    for size in (1, 3, MOST_PROGRAMS, MOST_PROGRAMS + 1):
        compiled([3.0] * size)
    assert recorded == []
    compiled([3.0] * 2)  # the one that was dropped
    assert recorded == [2]


@pytest.mark.parametrize("arguments", [(1.0,), ([1.0, 2.0],), ()], ids=["floats", "a list", "a batch"])
def test_a_program_that_is_found_without_a_search_counts_as_used(arguments: tuple[Any, ...]) -> None:
    recorded: list[int] = []

    def function(*numbers: Any) -> Any:
        recorded.append(1)
        return numbers[0]

    compiled = compile(function)
    for size in range(4 * MOST_PROGRAMS):
        for _ in range(2):
            assert compiled(*arguments) if arguments else len(compiled.batch([1.0], [2.0]))
        compiled(0.0, 0.0, *[0.0] * size, None)
    assert len(recorded) == 4 * MOST_PROGRAMS + 1


def test_dropped_programs_give_their_memory_back() -> None:
    compiled = compile(lambda *numbers: autograd.sum(numbers))
    programs = [weakref.ref(compiled._record(compiled._flatten((0.0,) * size, {})[0])) for size in range(1, 400)]
    gc.collect()
    assert sum(program() is not None for program in programs) == MOST_PROGRAMS
    for size in range(1, 400):
        assert compiled(*[1.0] * size) == compiled(*[1.0] * size) == size
    assert len(compiled._of_floats) <= MOST_PROGRAMS
    assert compiled.batch(np.ones(3)).tolist() == [1.0] * 3
    compiled.clear()
    gc.collect()
    assert not any(program() for program in programs)
    assert compiled(2.0, 3.0) == 5.0


def test_threads_that_use_more_programs_than_are_kept() -> None:
    compiled = compile(autograd.sum)
    wrong: list[int] = []

    def call(first: int) -> None:
        for size in range(first, first + 3 * MOST_PROGRAMS, 2):
            if compiled([1.0] * size) != size:
                wrong.append(size)
            if size % 50 == 1:
                compiled.clear()

    threads = [threading.Thread(target=call, args=(first,)) for first in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(compiled._recorded) <= MOST_PROGRAMS
