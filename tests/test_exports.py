"""Programs on JAX: values, gradients and transformations, beside those of this package."""

from __future__ import annotations

import math
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from autograd import (
    Constant,
    Value,
    absolute,
    compile,
    dot,
    exp,
    grad,
    greater,
    hessian,
    maximum,
    relu,
    sin,
    stop_gradient,
    value_and_grad,
)
from autograd.calculus.custom_primitives import primitive
from autograd.primitives import PRIMITIVES, Primitive
from autograd.programs.exports import JaxArrays
from autograd.programs.program import Program
from tests.random_programs import by_python, random_program, rounding
from tests.test_array_rules import points, units

jax = pytest.importorskip("jax", reason="JAX, which the extra stepgrad[jax] installs, is not installed here")
jnp = jax.numpy

ROOT = Path(__file__).parent.parent
TINY = sys.float_info.min  # XLA takes smaller numbers for 0
MOST_UNITS = 4.0
# Units in the last place by which results of XLA may differ: it computes these functions in ways of its own.
MORE_UNITS = {"tanh": 8.0, "log1p": 128.0, "atanh": 256.0, "sinh": 512.0, "cosh": 512.0, "erfc": 512.0, "gelu": 512.0}


@pytest.fixture(autouse=True)
def settings_of_jax() -> Iterator[None]:
    """JAX computes in float64; afterwards its settings are those of before."""
    before = {name: jax.config.values[name] for name in ("jax_enable_x64", "jax_disable_most_optimizations")}
    jax.config.update("jax_enable_x64", True)
    yield
    for name, setting in before.items():
        jax.config.update(name, setting)


class Point(NamedTuple):
    x: Any
    y: Any


def same(given: Any, wanted: Any, distance: float = 1e-12) -> bool:
    """Whether two nestings hold the same numbers."""
    assert jax.tree.structure(given) == jax.tree.structure(wanted)
    pairs = zip(jax.tree.leaves(given), jax.tree.leaves(wanted), strict=True)
    return all(np.allclose(one, other, rtol=distance, atol=distance) for one, other in pairs)


# Values, and derivatives by JAX.


def function_of(row: Primitive) -> Callable[[Any], Any]:
    """A primitive as a function of JAX, of an array of the operands."""
    inputs = [Value(1.5 if row.name == "acosh" else 0.5) for _ in range(row.arity or 4)]
    function = Program.of([row(*inputs)], inputs=inputs).to_jax()
    return lambda operands: function(operands)[0]


@pytest.mark.engine_independent
@pytest.mark.parametrize("row", PRIMITIVES.values(), ids=list(PRIMITIVES))
def test_values_are_those_of_the_table(row: Primitive) -> None:
    function = function_of(row)
    operands = points(row)
    given = jax.vmap(function)(np.array(operands)).tolist()
    wrong = []
    for numbers, result in zip(operands, given, strict=True):
        wanted = row(*numbers)
        if any(0.0 < abs(number) < TINY for number in (*numbers, wanted)):
            continue
        if row.name in ("sum", "dot"):  # in another order, which shows where terms cancel
            scale = row(*map(abs, numbers))
            is_right = result == wanted or not math.isfinite(wanted) or abs(result - wanted) <= 4.0 * math.ulp(scale)
        else:
            is_right = units(result, wanted) <= MORE_UNITS.get(row.name, MOST_UNITS)
        if not is_right:
            wrong.append((numbers, result, wanted))
    assert not wrong


KINKS = {
    "relu": (0.0,),
    "leaky_relu": (0.0, 0.3),
    "abs": (0.0,),
    "maximum": (1.0, 1.0),
    "minimum": (-2.0, -2.0),
    "sign": (0.0,),
    "floor": (2.0,),
    "remainder": (6.0, 3.0),
    "power": (0.0, 2.0),
    "where": (0.0, 1.0, 2.0),
    "sqrt": (0.0,),
    "log": (0.0,),
    "divide": (1.0, 0.0),
    "asin": (1.0,),
}


def places_of(row: Primitive) -> list[tuple[float, ...]]:
    rng = random.Random(row.name)
    shift = 1.0 if row.name == "acosh" else 0.0
    found = [tuple([shift + rng.uniform(0.1, 0.9) for _ in range(row.arity or 4)]) for _ in range(3)]
    return [*found, *([KINKS[row.name]] if row.name in KINKS else [])]


@pytest.mark.engine_independent
@pytest.mark.parametrize("row", PRIMITIVES.values(), ids=list(PRIMITIVES))
def test_jax_differentiates_by_the_slopes_of_the_table(row: Primitive) -> None:
    jax.config.update("jax_disable_most_optimizations", True)  # it compiles in half the time
    function, places = function_of(row), places_of(row)
    derivatives = jax.vmap(lambda x: (jax.grad(function)(x), jax.hessian(function)(x)))
    for numbers, first, second in zip(places, *jax.jit(derivatives)(np.array(places)), strict=True):
        wanted = np.array(row.local_slopes(row(*numbers), *numbers), float)
        assert np.allclose(first, wanted, rtol=1e-12, equal_nan=True), numbers
        if row.name not in KINKS or numbers != KINKS[row.name]:
            wanted = np.array(hessian(lambda x: row(*x))(list(numbers)))
            assert np.allclose(second, wanted, rtol=1e-11, atol=1e-11), numbers


def test_kinks_within_a_program() -> None:
    def function(x: Any) -> Any:
        return relu(x * 0.0) + absolute(x - 1.0) * 3.0 + maximum(x, x * 1.0) + stop_gradient(x) * sin(x)

    exported = compile(function).program(1.0).to_jax()
    assert same(exported(1.0), compile(function)(1.0))
    assert float(jax.grad(exported)(1.0)) == grad(function)(1.0)


def test_what_does_not_vary_needs_no_slope() -> None:
    """The slope of a power by its exponent is nan for a base below 0."""
    exported = compile(lambda x, y: x**y).program(2.0, 2.0).to_jax()
    assert float(jax.grad(exported)(-3.0, 3.0)) == 27.0
    assert math.isnan(jax.grad(exported, 1)(-3.0, 3.0))


@pytest.mark.engine_independent
def test_random_programs() -> None:
    for seed in range(5):
        rng = random.Random(seed)
        program = random_program(rng)
        given = [rng.uniform(-2.0, 2.0) for _ in program.inputs]
        wanted, distance = rounding(by_python, program, given)
        is_known = np.isfinite(wanted) & np.isfinite(distance) & (np.abs(wanted) > 1e-290)
        parameters = [program.numbers[program.parameters]] if len(program.parameters) else []
        found = np.asarray(program.to_jax()(*parameters, np.array(given)))
        assert (np.abs(found[is_known] - wanted[is_known]) <= distance[is_known] + 1e-12).all(), seed


def attention(x: Any) -> Any:
    """Groups of all kinds: maps, sums, dot products and matrix products, of which some are ragged."""
    rows = [x[i : i + 4] for i in range(0, 60, 4)]
    queries, keys, values = rows[:5], rows[5:10], rows[10:]
    total: Any = 0.0
    for last, query in enumerate(queries, start=1):
        powers = [exp(dot(query, key)) for key in keys[:last]]
        whole = sum(powers)
        total = total + sum(
            [dot([p / whole for p in powers], column) ** 2 for column in zip(*values[:last], strict=True)]
        )
    return total


@pytest.mark.engine_independent
def test_gradients_of_groups_of_all_kinds() -> None:
    x = np.random.default_rng(1).normal(size=60)
    ours = compile(value_and_grad(attention))
    value, gradient = ours(x)
    exported = compile(attention).program(x).to_jax()
    assert same(jax.jit(jax.value_and_grad(exported))(x), (value, gradient))
    assert same(jax.jit(ours.program(x).to_jax())(x), (value, gradient))
    assert same(jax.jvp(exported, (x,), (np.ones(60),))[1], gradient.sum())


@pytest.mark.engine_independent
def test_second_derivatives() -> None:
    def valley(x: Any) -> Any:
        return sum([100.0 * (b - a**2) ** 2 + (1.0 - a) ** 2 + sin(a * b) for a, b in pairwise(x)])

    x = np.random.default_rng(1).normal(size=5)
    wanted = compile(hessian(valley))(x.tolist())
    assert same(compile(hessian(valley)).program(x.tolist()).to_jax()(x.tolist()), wanted)
    assert same(jax.jit(jax.hessian(compile(valley).program(x).to_jax()))(x), np.array(wanted))
    assert same(jax.jacrev(compile(grad(valley)).program(x).to_jax())(x), np.array(wanted))


@pytest.mark.engine_independent
def test_a_deep_and_narrow_program() -> None:
    def chain(x: Any) -> Any:
        for _ in range(30):
            x = sin(x) * 1.01 + 0.1
        return x

    ours = compile(value_and_grad(chain))
    assert same(ours.program(0.3).to_jax()(0.3), ours(0.3))


@pytest.mark.engine_independent
def test_many_examples() -> None:
    def error(weights: Any, x: Any, target: Any) -> Any:
        return (dot(weights["w"], x).tanh() + weights["b"] - target) ** 2

    rng = np.random.default_rng(1)
    weights, xs, targets = {"w": rng.normal(size=3), "b": 0.5}, rng.normal(size=(7, 3)), rng.normal(size=7)
    program = compile(value_and_grad(error))
    over = jax.vmap(program.program(weights, xs[0], targets[0]).to_jax(), (None, 0, 0))
    mean = jax.tree.map(lambda each: each.mean(0), jax.jit(over)(weights, xs, targets))
    assert same(mean, program.batch(weights, xs, targets, over=(1, 2), reduce="mean"))
    assert same(over(weights, xs, targets), program.batch(weights, xs, targets, over=(1, 2), reduce="each"))


# Arguments and results.


def test_arguments_and_results_have_the_nesting_of_the_function() -> None:
    def function(point: Point, lists: Any, *, scale: Any, mode: Any = None) -> Any:
        assert mode == "fast"
        (a, b), matrix = lists
        sums = matrix.sum(axis=0) * scale
        return {"sums": sums, "point": Point(point.y * a, [b, 1.0]), "none": None, "all": (matrix * 2.0,)}

    arguments = Point(1.0, 2.0), [(3.0, 4.0), np.arange(6.0).reshape(3, 2)]
    names = {"scale": 0.5, "mode": "fast"}
    ours = compile(function)
    exported = ours.program(*arguments, **names).to_jax()
    given = exported(*arguments, **names)
    assert same(given, ours(*arguments, **names))
    assert type(given["point"]) is Point
    assert given["all"][0].shape == (3, 2)
    assert exported.__doc__ is not None
    assert "mode='fast', and gives {'sums': an array of shape (2,)" in exported.__doc__


def test_a_dict_may_come_in_another_order() -> None:
    exported = compile(lambda w: w["b"] - w["a"]).program({"b": 1.0, "a": 2.0}).to_jax()
    assert float(exported({"a": 2.0, "b": 10.0})) == 8.0
    assert float(jax.grad(exported)({"b": 1.0, "a": 2.0})["a"]) == -1.0  # JAX sorts the keys


def test_leaves_that_the_function_refers_to_are_the_first_argument() -> None:
    w, b = Value(2.0), Value(0.5)
    ours = compile(lambda x: b + w * x)
    leaves = ours.parameters(3.0)
    assert set(map(id, leaves)) == {id(w), id(b)}
    exported = ours.program(3.0).to_jax()
    numbers = jnp.array([leaf.data for leaf in leaves])
    assert float(exported(numbers, 3.0)) == ours(3.0) == 6.5
    assert jax.grad(exported)(numbers, 3.0)[leaves.index(w)] == 3.0


def test_a_program_without_a_function_takes_and_gives_arrays() -> None:
    x, w, unused = Value(3.0), Value(0.5), Value(1.0)
    program = Program.of([w * x, x, Constant(2.0)], inputs=[x, unused])
    assert program.to_jax()(np.array([0.5]), np.array([4.0, 0.0])).tolist() == [2.0, 4.0, 2.0]
    assert Program.from_json(program.to_json()).to_jax()(np.array([0.5]), np.array([4.0, 0.0])).tolist() == [2, 4, 2]
    assert Program.of([w * w]).to_jax()(np.array([3.0])).tolist() == [9.0]
    assert Program.of([Constant(2.0)]).to_jax()().tolist() == [2.0]


def test_empty_arrays() -> None:
    exported = compile(lambda x: (x, x * 2.0, [])).program(np.zeros((0, 3))).to_jax()
    assert [part.shape for part in exported(np.zeros((0, 3)))[:2]] == [(0, 3), (0, 3)]


WRONG: list[tuple[Callable[[Any], Any], str]] = [
    (lambda f: f(np.ones(3)), "takes an array of shape .3,., .1.0, .a number, a number.*; got 1 argument$"),
    (lambda f: f(np.ones(3), [True, [1.0, 2.0]], x=1.0), "got 2 arguments, x"),
    (
        lambda f: f(np.ones(4), [True, [1.0, 2.0]]),
        r"expected an array of shape \(3,\), .* got an array of shape \(4,\)",
    ),
    (lambda f: f([1.0, 1.0, 1.0], [True, [1.0, 2.0]]), r"expected an array of shape \(3,\), .* of type list"),
    (lambda f: f(np.ones(3), [False, [1.0, 2.0]]), "expected True, as when the function was recorded, got False"),
    (lambda f: f(np.ones(3), [1, [1.0, 2.0]]), "expected True, .*, got 1 of type int"),
    (lambda f: f(np.ones(3), [True, [1.0]]), "expected a list of 2 numbers, .*, got .1.0. of type list"),
    (lambda f: f(np.ones(3), [True, [1.0, np.ones(2)]]), r"expected a number, .*, got an array of shape \(2,\)"),
    (lambda f: f(np.ones(3), [True, [1.0, None]]), "expected a number, .*, got None"),
    (lambda f: f(np.ones(3), {"a": 1.0}), "expected .True, a list of 2 numbers., .* got .* of type dict"),
    (lambda f: f(np.ones(3) * 1j, [True, [1.0, 2.0]]), "expected real numbers, got numbers of the type complex"),
]


@pytest.mark.parametrize(("call", "message"), WRONG, ids=range(len(WRONG)))
def test_arguments_of_another_form_are_refused(call: Callable[[Any], Any], message: str) -> None:
    exported = compile(lambda x, rest: x * rest[1][0]).program(np.ones(3), [True, [1.0, 2.0]]).to_jax()
    with pytest.raises(TypeError, match=message.replace(".1.0, .a number, a number.", ".True, a list of 2 numbers.")):
        call(exported)


# What JAX does with a function.


@pytest.mark.engine_independent
def test_the_type_of_numbers_is_that_of_jax_and_of_the_arguments() -> None:
    exported = (
        compile(lambda x, y: (np.exp(x * y), greater(x[0], 0.5), relu(y) + 0.1)).program(np.ones(2), 1.0).to_jax()
    )
    x = jnp.ones(2, jnp.float32)
    assert {part.dtype.name for part in exported(np.ones(2), 1.0)} == {"float64"}
    assert {part.dtype.name for part in exported(x, 1.0)} == {"float32"}
    assert {part.dtype.name for part in exported(x.astype(jnp.bfloat16), 2)} == {"bfloat16"}
    assert {part.dtype.name for part in exported(jnp.ones(2, int), 2)} == {"float64"}
    assert jax.grad(lambda x: exported(x, 1.0)[0].sum())(x).dtype == jnp.float32
    jax.config.update("jax_enable_x64", False)
    assert {part.dtype.name for part in exported(np.ones(2), 1.0)} == {"float32"}


def test_stablehlo() -> None:
    exported = compile(lambda x: x * 2.0).program(np.ones(3)).to_jax()
    assert "stablehlo.multiply" in jax.jit(exported).lower(np.ones(3)).as_text()


@pytest.mark.engine_independent
def test_the_page_of_the_documentation_with_four_devices() -> None:
    """Its examples, gradients over several devices among them; the tests of the documentation run them with one."""
    variables = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4", "JAX_PLATFORMS": "cpu"}
    code = "import doctest, jax; print(len(jax.devices()), *doctest.testfile('docs/how_to/run_on_jax.md', False))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    devices, failed, tried = map(int, done.stdout.split())
    assert (devices, failed) == (4, 0), done.stdout + done.stderr
    assert tried > 30


# What is refused.


def test_a_primitive_of_one_s_own_is_refused() -> None:
    @primitive(lambda out, x: 2.0 * x)
    def square(x: float) -> float:
        return x * x

    program = compile(lambda x: square(x) + 1.0).program(2.0)
    with pytest.raises(TypeError, match=r"square.* is not in the table.*jax.numpy cannot run; compose it of"):
        program.to_jax()


def test_each_primitive_is_a_function_of_jax() -> None:
    arrays = JaxArrays()
    assert all(arrays.function(row) is not None for row in PRIMITIVES.values())


def test_without_jax_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(ImportError, match=r"needs JAX.* get it with pip install 'stepgrad\[jax\]'"):
        Program.of([Value(1.0) * 2.0]).to_jax()
