"""Loops: by themselves, compiled, differentiated, and beside JAX."""

import _thread
import dataclasses
import inspect
import math
import random
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import (
    Parameter,
    Value,
    compile,
    cond,
    cos,
    dot,
    exp,
    fori_loop,
    grad,
    greater,
    hessian,
    hvp,
    jacobian,
    jvp,
    log,
    primitive,
    scan,
    sigmoid,
    sin,
    tanh,
    value_and_grad,
    vjp,
    where,
    while_loop,
)
from autograd.programs import control_flow


def root(a: Any) -> Any:
    """The square root, by Newton's method."""
    return while_loop(lambda x: abs(x * x - a) > 1e-14 * a, lambda x: 0.5 * (x + a / x), a)


def power(a: Any, n: Any) -> Any:
    """The n-th power of a, for n of at least 0."""
    return fori_loop(0, n, lambda i, product: product * a, 1.0)


def polynomial(x: Any, coefficients: Any) -> Any:
    """By Horner's rule: the value, and all values on the way."""
    return scan(lambda value, c: (value * x + c, value), 0.0, coefficients)


def state(x: Any) -> Any:
    """The end of a curve with two coordinates and a parameter that is used in many places."""

    def step(i: Any, point: Any) -> Any:
        u, v = point["u"], point["v"]
        return {"u": u + 0.1 * sin(v) * x, "v": v - 0.1 * u * x + 0.01 * i}

    end = fori_loop(0, 7, step, {"u": 1.0, "v": x * x})
    return end["u"] * end["v"] + x


def branch(x: Any) -> Any:
    return cond(lambda: x > 1.0, lambda y: y**3, lambda y: sin(y) * x, x)


def reversed_scan(x: Any) -> Any:
    last, rows = scan(lambda s, r: (s * x + r[0], tanh(s) * r[1]), x, [(1.0, x), (0.5, 2.0), (x, x)], reverse=True)
    return last * rows[0] + rows[1] * rows[2] ** 2


def nested(x: Any) -> Any:
    """A loop within a loop, which refers to the state and the row of the outer one."""

    def outer(s: Any, r: Any) -> Any:
        inner, found = scan(lambda t, q: (t * r + s * 0.1, t * q), s, [1.0, x])
        return inner, found[1] * x

    last, found = scan(outer, x, [0.5, x, 0.25])
    return last + (found * found).sum()


def rows_of_a_map(x: Any) -> Any:
    found = autograd.map(lambda row: {"e": exp(row[0] * x), "f": row[1] - x}, [(0.1, 0.2), (0.3, x), (0.5, 0.6)])
    return found["e"].sum() * found["f"][1] + found["f"][2]


FUNCTIONS: dict[str, tuple[Callable[..., Any], float]] = {
    "while": (root, 2.0),
    "state": (state, 0.7),
    "scan": (lambda x: polynomial(x, [1.0, x, 3.0, -2.0])[0] * polynomial(x, [1.0, 2.0])[1][1], 1.3),
    "true": (branch, 1.5),
    "false": (branch, 0.5),
    "reversed": (reversed_scan, 0.4),
    "nested": (nested, 0.8),
    "map": (rows_of_a_map, 0.9),
}
ALL = pytest.mark.parametrize("name", FUNCTIONS)


def central(function: Callable[[float], float], x: float) -> float:
    """A derivative by differences, of fourth order."""
    h = 1e-3 * max(1.0, abs(x))
    return (8.0 * (function(x + h) - function(x - h)) - function(x + 2 * h) + function(x - 2 * h)) / (12.0 * h)


@ALL
def test_values_and_derivatives(name: str) -> None:
    """The values of a compiled function have the bits of the eager one; derivatives are those of differences."""
    function, x = FUNCTIONS[name]
    assert compile(function)(x) == function(x)
    first, second = grad(function), grad(grad(function))
    assert compile(first)(x) == pytest.approx(first(x), rel=1e-14)
    assert first(x) == pytest.approx(central(function, x), rel=1e-9)
    assert compile(second)(x) == pytest.approx(second(x), rel=1e-13)
    assert second(x) == pytest.approx(central(first, x), rel=1e-9)
    assert compile(grad(second))(x) == pytest.approx(grad(second)(x), rel=1e-12)
    assert compile(hessian(function))(x) == pytest.approx(second(x), rel=1e-13)
    assert compile(lambda x, t: jvp(function, (x,), (t,)))(x, 2.0) == pytest.approx(
        jvp(function, (x,), (2.0,)), rel=1e-14
    )
    assert compile(lambda x, t: hvp(function, (x,), (t,)))(x, 2.0) == pytest.approx(2.0 * second(x), rel=1e-13)
    assert compile(lambda x: vjp(function, x)[1](3.0))(x)[0] == pytest.approx(3.0 * first(x), rel=1e-14)


@ALL
def test_batches(name: str) -> None:
    """Examples of a batch may take another branch, or another number of rounds, each."""
    function, x = FUNCTIONS[name]
    xs = np.linspace(0.5 * x, 1.5 * x, 21)
    for compiled, eager in ((compile(function), function), (compile(grad(function)), grad(function))):
        assert compiled.batch(xs) == pytest.approx([eager(each) for each in xs.tolist()], rel=1e-13)
    value, slope = compile(value_and_grad(function)).batch(xs, reduce="sum")
    assert value == pytest.approx(sum(map(function, xs.tolist())), rel=1e-13)
    assert slope == pytest.approx(sum(map(grad(function), xs.tolist())), rel=1e-12)


def random_loops(generator: random.Random) -> Callable[[Any], list[Any]]:
    """A function of some numbers, which gives five: of loops within each other, which read what was computed before."""

    def expression() -> Callable[[list[Any]], Any]:
        kind, a, b, number = generator.randrange(6), generator.random(), generator.random(), generator.uniform(-1, 1)

        def compute(known: list[Any]) -> Any:
            left, right = known[int(a * len(known))], known[int(b * len(known))]
            ways: list[Callable[[], Any]] = [
                lambda: left * 0.5 + right * number,
                lambda: left * right * 0.7,
                lambda: sin(left) + number,
                lambda: tanh(left - right),
                lambda: autograd.max([left, right, number]),
                lambda: left,
            ]
            return ways[kind]()

        return compute

    def loop(depth: int) -> Callable[[list[Any]], list[Any]]:
        kind, size = generator.choice(["scan", "map", "fori_loop", "while_loop", "cond"]), generator.randint(1, 3)
        inner = loop(depth + 1) if depth < 2 and generator.random() < 0.5 else lambda known: []
        first, following = ([expression() for _ in range(size)] for _ in range(2))
        rows = [expression() for _ in range(generator.randint(1, 4))]

        def run(known: list[Any]) -> list[Any]:
            def step(state: list[Any], row: Any) -> list[Any]:
                seen = [*known, *state, row]
                seen += inner(seen)
                return [each(seen) for each in following]

            state, read, count = [each(known) for each in first], [each(known) for each in rows], float(len(rows))
            if kind == "scan":
                last, found = scan(lambda s, r: (step(s, r), s[0] * r), state, read)
                return [*last, *found]
            if kind == "map":
                return list(autograd.map(lambda r: step(state, r)[0], read))
            if kind == "fori_loop":
                return list(fori_loop(0, len(rows), lambda i, s: step(s, i), state))
            if kind == "while_loop":
                return list(
                    while_loop(lambda s: s[0] < count, lambda s: [s[0] + 1.0, *step(s[1:], s[0])], [0.0, *state])
                )
            return list(cond(lambda: known[0] > 0.1, lambda *s: step([*s], 1.0), lambda *s: [*s], *state))

        return run

    loops = [loop(0) for _ in range(2)]
    pairs = [(generator.random(), generator.random()) for _ in range(5)]

    def function(x: Any) -> list[Any]:
        known = list(x)
        for each in loops:
            known += each(known)
        return [known[int(a * len(known))] + known[int(b * len(known))] for a, b in pairs]

    return function


@pytest.mark.parametrize("seed", range(24))
def test_random_loops(seed: int) -> None:
    """Beside the same loops run by Python, which record what they do."""
    generator = random.Random(seed)
    function = random_loops(generator)
    x, along = ([generator.uniform(-1.5, 1.5) for _ in range(3)] for _ in range(2))

    def total(x: Any) -> Any:
        return autograd.sum([(1.0 + place) * number for place, number in enumerate(function(x))])

    changes: list[Callable[[Any], Any]] = [
        jacobian(function),
        hessian(total),
        lambda x: jvp(function, (x,), (along,))[1],
        lambda x: hvp(total, (x,), (along,)),
    ]
    values = [number.data if isinstance(number, Value) else number for number in function(x)]
    np.testing.assert_allclose(compile(function)(x), values, rtol=1e-12)
    for change in changes:
        np.testing.assert_allclose(compile(change)(x), change(x), rtol=1e-9, atol=1e-12)


@ALL
def test_programs_run_node_by_node(name: str) -> None:
    """`Program.run` and `Program.gradient` run the rounds of a loop one by one."""
    function, x = FUNCTIONS[name]
    program = compile(function).program(x)
    assert program.run([x]) == (function(x),)
    assert program.gradient([x])[0] == pytest.approx((grad(function)(x),), rel=1e-14)
    of_gradient = compile(grad(function)).program(x)
    assert of_gradient.run([x]) == pytest.approx((grad(function)(x),), rel=1e-14)


def test_derivatives_of_a_root() -> None:
    """Of √a: 1 / (2 √a), and −1 / (4 a √a)."""
    for a in (0.3, 2.0, 900.0):
        assert compile(grad(root))(a) == pytest.approx(0.5 / math.sqrt(a), rel=1e-14)
        assert compile(grad(grad(root)))(a) == pytest.approx(-0.25 / (a * math.sqrt(a)), rel=1e-13)


def test_second_derivatives_have_the_bits_of_the_unrolled_graph() -> None:
    def unrolled(x: Any) -> Any:
        value = 0.0
        for c in (1.0, 2.0, 3.0, -2.0):
            value = value * x + c
        return value

    def function(x: Any) -> Any:
        return polynomial(x, [1.0, 2.0, 3.0, -2.0])[0]

    for derivative in (grad, lambda f: grad(grad(f)), lambda f: grad(grad(grad(f)))):
        assert compile(derivative(function))(1.1) == compile(derivative(unrolled))(1.1) == derivative(unrolled)(1.1)


def test_a_count_may_be_an_argument() -> None:
    """One program serves all counts, and its gradient goes back through as many rounds."""
    compiled = compile(value_and_grad(power))
    for n in (0.0, 1.0, 5.0, 60.0):
        assert compiled(1.1, n) == pytest.approx((1.1**n, n * 1.1 ** (n - 1)), rel=1e-13)
    assert len(compiled._recorded) == 1
    values, slopes = compiled.batch(np.full(9, 1.1), np.arange(9.0))
    assert values == pytest.approx(1.1 ** np.arange(9.0), rel=1e-14)
    assert slopes == pytest.approx(np.arange(9.0) * 1.1 ** (np.arange(9.0) - 1), rel=1e-13)
    between = compile(lambda a, b: fori_loop(a, b, lambda i, s: s + i, 0.0))
    assert [between(2.0, 5.0), between(5.0, 2.0), between(-1.0, 0.5)] == [9.0, 0.0, -1.0]
    assert compile(grad(lambda n: power(2.0, n)))(5.0) == 0.0


def test_a_round_is_recorded_once() -> None:
    calls = []

    def step(i: Any, s: Any) -> Any:
        calls.append(i)
        return sin(s)

    compiled = compile(grad(lambda x: fori_loop(0, 100_000, step, x)))
    slope, x = 1.0, 0.5
    for _ in range(100_000):
        slope, x = slope * math.cos(x), math.sin(x)
    assert compiled(0.5) == pytest.approx(slope, rel=1e-9)
    assert len(calls) == 1
    assert len(compiled.program(0.5)) < 20


def test_one_branch_alone_is_run() -> None:
    runs = []

    @primitive(lambda out, x: 2.0 * x, check=False)
    def square(x: float) -> float:
        runs.append(x)
        return x * x

    compiled = compile(lambda x: cond(greater(x, 0.0), square, lambda y: -y, x))
    assert compiled(-3.0) == 3.0
    runs.clear()  # of the recording
    assert (compiled(-3.0), compiled(3.0), runs) == (3.0, 9.0, [3.0])
    runs.clear()
    assert cond(False, square, lambda y: -y, 3.0) == -3.0
    assert not runs
    assert compile(lambda x: cond(lambda: x > 0.0, log, lambda y: y, x))(-1.0) == -1.0
    assert compile(grad(lambda x: cond(lambda: x > 0.0, log, lambda y: y, x)))(-1.0) == 1.0


def test_leaves_and_values_that_a_round_refers_to_are_differentiated() -> None:
    weight = Value(1.5)

    def function(x: Any) -> Any:
        between = sin(x)  # used within and outside
        return scan(lambda s, r: (s * weight + between * r, None), x, [1.0, 2.0])[0] * between

    compiled = compile(value_and_grad(function))
    assert compiled(0.4) == pytest.approx(value_and_grad(function)(0.4), rel=1e-14)
    weight.data = -0.5
    assert compiled(0.4) == pytest.approx(value_and_grad(function)(0.4), rel=1e-14)
    inner = compile(lambda w, x: autograd.gradients(scan(lambda s, r: (s * w + r, None), x, [1.0, 2.0])[0], [w])[0])
    assert inner(2.0, 3.0) == 2.0 * 2.0 * 3.0 + 1.0  # of (x w + 1) w + 2


def test_trees_and_arrays() -> None:
    @dataclasses.dataclass
    class Point:
        x: Any
        y: Any

    def function(start: Any, table: Any) -> Any:
        def step(s: Any, row: Any) -> Any:
            return Point(s.x + row["a"] @ s.y, np.tanh(s.y * row["b"])), (row["a"] * s.x, s.x)

        return scan(step, start, table)

    table = {"a": np.arange(12.0).reshape(4, 3) / 10.0, "b": [0.5, 1.0, 1.5, 2.0]}
    start = Point(0.5, np.array([0.1, 0.2, 0.3]))
    eager, compiled = function(start, table), compile(function)(start, table)
    for last, (arrays, numbers) in (eager, compiled):
        assert isinstance(last, Point)
        assert (np.shape(last.y), arrays.shape, numbers.shape) == ((3,), (4, 3), (4,))
    assert compiled[0].x == eager[0].x
    assert compiled[1][0].tolist() == eager[1][0].tolist()

    def total(start: Any, table: Any) -> Any:
        last, (arrays, numbers) = function(start, table)
        return last.x * last.y.sum() + (arrays**2).sum() + numbers[2]

    ours, slopes = compile(value_and_grad(total, (0, 1)))(start, table)
    wanted, eager_slopes = value_and_grad(total, (0, 1))(start, table)
    assert ours == wanted
    assert slopes[0].y == pytest.approx(eager_slopes[0].y, rel=1e-13)
    assert slopes[1]["a"].ravel() == pytest.approx(eager_slopes[1]["a"].ravel(), rel=1e-13)
    assert slopes[1]["b"] == pytest.approx(eager_slopes[1]["b"], rel=1e-13)
    rows = jacobian(lambda y: function(Point(0.5, y), table)[0].y)(start.y)
    assert compile(jacobian(lambda y: function(Point(0.5, y), table)[0].y))(start.y) == pytest.approx(rows, rel=1e-13)


def test_truth_values_of_an_array_are_rows_of_ones_and_zeros() -> None:
    mask, table = np.array([True, False, True]), np.array([[True, False], [True, True]])

    def function(x: Any) -> Any:
        total, chosen = scan(lambda total, holds: (total + where(holds, x, 0.0), holds * x), 0.0, mask)
        return total, chosen, autograd.map(lambda row: (row * x).sum(), table)

    for run in (function, compile(function)):
        total, chosen, sums = run(3.0)
        assert (total, chosen.tolist(), sums.tolist()) == (6.0, [3.0, 0.0, 3.0], [3.0, 6.0])


def test_results_are_those_of_jax() -> None:
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    jnp, lax = jax.numpy, jax.lax

    def function(scan: Any, fori_loop: Any, while_loop: Any, sin: Any, map: Any) -> Callable[..., Any]:
        def of(x: Any, xs: Any) -> Any:
            last, rows = scan(lambda s, r: (s * x + sin(r), s * r), x, xs)
            last = fori_loop(1, 6, lambda i, s: s + sin(s * x) / i, last)
            last = while_loop(lambda s: s[0] < 3.0, lambda s: (s[0] + x * s[1], s[1] * 1.1), (last * 0.01, 1.0))[0]
            return last + (map(lambda r: sin(r * x), rows) * xs).sum()

        return of

    ours = function(scan, fori_loop, while_loop, sin, autograd.map)
    theirs = function(lax.scan, lax.fori_loop, lax.while_loop, jnp.sin, lax.map)
    xs = np.linspace(0.1, 2.0, 9)
    with jax.enable_x64(True):
        value = float(jax.jit(theirs)(0.7, xs))
        _, slope = jax.jvp(lambda x: theirs(x, xs), (0.7,), (1.0,))
        _, slopes = jax.jvp(lambda v: theirs(0.7, v), (xs,), (np.cos(xs),))
    assert compile(ours)(0.7, xs) == pytest.approx(value, rel=1e-13)
    first, row = compile(grad(ours, (0, 1)))(0.7, xs)
    assert (first, row @ np.cos(xs)) == pytest.approx((float(slope), float(slopes)), rel=1e-12)


def line_of(function: Callable[..., Any]) -> int:
    return inspect.getsourcelines(function)[1]


@pytest.mark.parametrize("run", [lambda f: f(2.0), lambda f: compile(f)(2.0)], ids=["eager", "compiled"])
def test_what_changes_its_structure_is_named_with_its_line(run: Callable[..., Any]) -> None:
    def pair(i: Any, s: Any) -> Any:
        return (s, s)

    def no_pair(s: Any, r: Any) -> Any:
        return s

    def words(s: Any) -> Any:
        return [s]

    with pytest.raises(TypeError, match=rf"it was a number, and became a tuple of 2 numbers.*line {line_of(pair)} of"):
        run(lambda x: fori_loop(0, 3, pair, x))
    with pytest.raises(TypeError, match=rf"a pair, the next state and a result, got .*line {line_of(no_pair)} of"):
        run(lambda x: scan(no_pair, x, [1.0, 2.0]))
    with pytest.raises(TypeError, match=rf"became a list of 1 number.*line {line_of(words)} of"):
        run(lambda x: while_loop(lambda s: s < 9.0, words, x))
    with pytest.raises(ValueError, match=r"as many rows in each part, and as its length says, got \[2, 3\]"):
        run(lambda x: scan(lambda s, r: (s, s), x, ([1.0, 2.0], [1.0, 2.0, 3.0])))
    with pytest.raises(ValueError, match="needs rows, or a length"):
        run(lambda x: scan(lambda s, r: (s, s), x))
    with pytest.raises(ValueError, match="at least one round, got 0"):
        run(lambda x: scan(lambda s, r: (s, s), x, []))
    with pytest.raises(TypeError, match="an entry for each round, got a number"):
        run(lambda x: scan(lambda s, r: (s, s), x, x))


def test_branches_of_different_structure_are_refused() -> None:
    with pytest.raises(
        TypeError, match=r"different structures: a number, by <lambda> at line .* and a list of 1 number"
    ):
        compile(lambda x: cond(greater(x, 1.0), lambda y: y, lambda y: [y], x))(2.0)


def test_truth_values_of_recorded_comparisons_are_refused() -> None:
    for condition in (lambda s: s < 9.0 and s > 0.0, lambda s: not s > 9.0, lambda s: 0.0 < s < 9.0):
        assert while_loop(condition, lambda s: s * 2.0, 1.0) == 16.0
        with pytest.raises(TypeError, match=r"write a \* b for `and`"):
            compile(lambda x, condition=condition: while_loop(condition, lambda s: s * 2.0, x))(1.0)
    joined = compile(lambda x: while_loop(lambda s: (s < 9.0) * (s != 4.0), lambda s: s * 2.0, x))
    assert (joined(1.0), joined(3.0)) == (4.0, 12.0)
    either = compile(lambda x: while_loop(lambda s: autograd.max([s < 9.0, s == 16.0]), lambda s: s * 2.0, x))
    assert (either(1.0), either(3.0)) == (32.0, 12.0)
    with pytest.raises(TypeError, match="compiled functions cannot branch on a number"):  # outside of a condition
        compile(lambda x: where(x > 1.0, x, 2.0))(1.0)


def test_a_node_of_a_round_is_of_no_use_outside() -> None:
    kept = []

    def step(s: Any, r: Any) -> Any:
        kept.append(s * r)
        return s + r, s

    with pytest.raises(TypeError, match="uses a node of a round of a loop outside of it"):
        compile(lambda x: scan(step, x, [1.0, 2.0])[0] + kept[0])(1.0)


@pytest.mark.usefixtures("interruptible")
def test_an_endless_loop_can_be_interrupted() -> None:
    compiled = compile(lambda x: while_loop(lambda s: s > 0.0, lambda s: s + 1.0, x))
    assert compiled(-1.0) == -1.0
    cases: list[tuple[Callable[..., Any], Any]] = [
        (compiled, pytest.raises(KeyboardInterrupt)),
        (lambda x: compiled.batch([x]), pytest.raises(KeyboardInterrupt)),
        (partial(compiled.repeat, 2), pytest.warns(RuntimeWarning, match="after 0 of 2 calls")),
    ]
    for run, caught in cases:
        timer = threading.Timer(0.3, _thread.interrupt_main)
        timer.start()
        with caught:
            run(1.0)
        timer.join()
    assert compiled(-2.0) == -2.0


def test_results_that_are_not_finite_name_the_operation() -> None:
    function = compile(lambda x: scan(lambda s, r: (s - r, log(s)), x, [1.0, 2.0])[1].sum())
    assert function(4.0) == math.log(4.0) + math.log(3.0)
    with pytest.raises(ValueError, match="log"):
        function(0.5)


def test_what_is_not_chosen_contributes_nothing() -> None:
    def function(x: Any) -> Any:
        return scan(lambda s, r: (s + where(greater(r, 0.0), autograd.sqrt(x * r), x), None), 0.0, [0.0, 4.0])[0]

    assert compile(grad(function))(1.0) == grad(function)(1.0) == 2.0


def test_tangents_of_what_is_not_chosen_count_nothing() -> None:
    """Where forward mode gave nan, too, products are guarded."""

    def halved(x: Any) -> Any:  # 0.5 · x twice, but for numbers above 1
        return fori_loop(0, 2, lambda i, s: where(greater(s, 1.0), autograd.sqrt(s - 1.0), 0.5 * s * x), x)

    x = 1.0  # where the slope of sqrt is infinite, and it is not chosen
    assert compile(lambda x: jvp(halved, (x,), (3.0,)))(x) == (0.25, 3.0 * 0.75)  # 0.25 x³
    assert compile(lambda x: hvp(halved, (x,), (3.0,)))(x) == 3.0 * 1.5
    assert compile(jacobian(lambda x: [halved(x), x * halved(x)]))(x) == [0.75, 1.0]


def test_a_first_round_that_all_lanes_make_counts() -> None:
    """Whether there is a first round is the same for all lanes here, but not whether there is a second one."""

    def function(x: Any) -> Any:
        return while_loop(lambda s: s[1] < 3.0, lambda s: (s[0] * 1.1 + x * x, s[1] + 0.4 + abs(s[0])), (x, 0.0))[0]

    xs = np.linspace(-1.0, 2.0, 9)
    assert compile(grad(function)).batch(xs) == pytest.approx([grad(function)(x) for x in xs.tolist()], rel=1e-13)


@pytest.mark.parametrize("lanes", [1, 5, 33])
def test_rounds_differ_from_lane_to_lane(lanes: int) -> None:
    """Of a loop that ends by a condition of another loop's state, whose gradient needs all states."""

    def function(x: Any) -> Any:
        def step(s: Any) -> Any:
            return (s[0] * 1.5 + cos(s[1]), fori_loop(0, s[2], lambda i, t: t * 0.9 + x, s[1]), s[2] + 1.0)

        return while_loop(lambda s: s[0] < 20.0, step, (x, 1.0, 1.0))[1]

    xs = np.linspace(0.5, 15.0, lanes)
    assert compile(function).batch(xs) == pytest.approx([function(x) for x in xs.tolist()], rel=1e-13)
    assert compile(grad(function)).batch(xs) == pytest.approx([grad(function)(x) for x in xs.tolist()], rel=1e-12)


@pytest.mark.parametrize("count", [1, 7, 8, 64, 65, 200])
def test_rounds_without_a_state_run_side_by_side(count: int) -> None:
    """With the bits of a loop of Python's, and gradients of constants that are added up round by round."""

    @primitive(lambda out, x: 2.0 * x, check=False)
    def square(x: float) -> float:
        return x * x

    def row(x: Any, w: Any) -> Any:
        return square(x) * w + fori_loop(0, 3, lambda i, s: s * w + i * x, w), where(greater(x, w), x, w)

    def function(xs: Any, w: Any) -> Any:
        found, chosen = autograd.map(lambda x: row(x, w), xs)
        return (found * chosen).sum()

    def unrolled(xs: Any, w: Any) -> Any:
        rows = [row(x, w) for x in xs]
        return autograd.sum([a * b for a, b in rows])

    xs = np.linspace(-1.0, 1.0, count)
    assert compile(function)(xs, 0.5) == function(xs, 0.5) == unrolled(xs, 0.5).data
    slopes, slope = compile(grad(function, (0, 1)))(xs, 0.5)
    wanted, total = grad(unrolled, (0, 1))(xs, 0.5)
    assert slopes == pytest.approx(wanted, rel=1e-14)
    assert slope == pytest.approx(total, rel=1e-13)
    assert compile(hessian(lambda w: function(xs, w)))(0.5) == pytest.approx(
        hessian(lambda w: unrolled(xs, w))(0.5), rel=1e-12
    )
    assert compile(grad(function, 1)).batch(np.array([xs, xs + 0.1]), np.array([0.5, 0.6])) == pytest.approx(
        [grad(unrolled, 1)(xs, 0.5), grad(unrolled, 1)(xs + 0.1, 0.6)], rel=1e-13
    )


@pytest.mark.parametrize(("rounds", "width"), [(1, 9), (2, 9), (63, 9), (64, 9), (65, 9), (150, 9), (3, 30)])
@pytest.mark.parametrize("is_reversed", [False, True])
def test_gradients_of_weights_are_totals_over_the_rounds(rounds: int, width: int, is_reversed: bool) -> None:
    """Of more than 64 weights: what each round adds is a product, which has the bits of an unrolled loop."""
    generator = np.random.default_rng(rounds)
    weights, inputs = 0.3 * generator.normal(size=(width, width + 2)), generator.normal(size=(rounds, 2))

    def step(w: Any, s: Any, x: Any) -> Any:
        return np.tanh(w @ np.concatenate([s, x]))

    def function(w: Any, inputs: Any) -> Any:
        return scan(lambda s, x: (step(w, s, x), s[0]), np.full(width, 0.1), inputs, reverse=is_reversed)[0].sum()

    def unrolled(w: Any, inputs: Any) -> Any:
        s = np.full(width, 0.1)
        for x in inputs[::-1] if is_reversed else inputs:
            s = step(w, s, x)
        return s.sum()

    found = compile(grad(function, (0, 1)))(weights, inputs)
    wanted = compile(grad(unrolled, (0, 1)))(weights, inputs)
    assert found[0].tolist() == wanted[0].tolist()
    assert found[1].tolist() == wanted[1].tolist()


class Recurrent(nn.Module):
    """An LSTM over a sequence of numbers, by `scan`."""

    def __init__(self, width: int, generator: random.Random) -> None:
        self.width = width
        self.weights = [[Parameter(generator.uniform(-0.5, 0.5)) for _ in range(width + 2)] for _ in range(4 * width)]
        self.last = [Parameter(generator.uniform(-0.5, 0.5)) for _ in range(width)]

    def __call__(self, numbers: Any) -> Any:
        n = self.width

        def step(state: Any, x: Any) -> Any:
            hidden, cell = state
            net = [dot(row, [x, *hidden, 1.0]) for row in self.weights]
            cell = [sigmoid(net[i]) * cell[i] + sigmoid(net[n + i]) * tanh(net[2 * n + i]) for i in range(n)]
            return ([sigmoid(net[3 * n + i]) * tanh(cell[i]) for i in range(n)], cell), None

        start = [0.0] * n
        return dot(scan(step, (start, start), numbers)[0][0], self.last)


@pytest.mark.parametrize("batch_size", [None, 4])
def test_networks_with_loops_are_trained(batch_size: int | None) -> None:
    generator = random.Random(2)
    inputs = [[generator.uniform(-1.0, 1.0) for _ in range(6)] for _ in range(12)]
    cases = [(numbers, numbers[0] - 0.5 * numbers[-1]) for numbers in inputs]
    ends, errors = [], []
    for compiled in (False, True):
        network = Recurrent(3, random.Random(1))
        optimizer = nn.Adam(network.parameters(), learning_rate=0.05)
        nn.fit(network, cases, optimizer=optimizer, rounds=60, batch_size=batch_size, compiled=compiled, progress=False)
        ends.append([parameter.data for parameter in network.parameters()])
        errors.append(nn.average_error(network, cases))
    assert ends[1] == pytest.approx(ends[0], rel=1e-9)
    assert errors[0] < 0.02


@pytest.mark.parametrize("rounds", [4, 5, 16, 30, 101])
def test_a_long_loop_keeps_one_state_in_many_rounds(rounds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def function(x: Any) -> Any:
        u, v = fori_loop(
            2, 2 + rounds, lambda i, s: (s[0] + 0.1 * sin(s[1] * x), s[1] - 0.1 * s[0] + 0.01 * i), (x, 1.0)
        )
        return u * v

    whole = compile(value_and_grad(function))(0.7)
    second = compile(grad(grad(function)))(0.7)
    monkeypatch.setattr(control_flow, "MOST_KEPT", 3)
    parts = compile(value_and_grad(function))
    assert parts(0.7)[0] == whole[0] == function(0.7)
    assert parts(0.7)[1] == pytest.approx(whole[1], rel=1e-13)
    assert compile(grad(grad(function)))(0.7) == pytest.approx(second, rel=1e-12)


@pytest.mark.parametrize("count", [8, 9, 63, 64, 65, 150])  # up to 64 rounds are run side by side
def test_gradients_of_rounds_side_by_side(count: int) -> None:
    """By what all rounds use, whose slopes are products of what varies and of what does not; and by rows."""
    rng = np.random.default_rng(count)
    weights, rows = rng.normal(size=4), rng.normal(size=(count, 3))

    def function(weights: Any, rows: Any) -> Any:
        def each(row: Any) -> Any:
            a, b, c, d = weights
            hidden = sin(a * row[0] + b) + exp(c) * row[1]
            return hidden * d, exp(c) * row[2] * row[0]

        first, second = autograd.map(each, rows)
        return sum(first) + sum([x * (i + 1.0) for i, x in enumerate(second)])

    expected = grad(function, (0, 1))(weights, rows)
    a, b, c, d = weights
    t, u, v = rows.T
    factors = np.arange(1.0, count + 1.0)
    closed = [
        np.sum(d * np.cos(a * t + b) * t), np.sum(d * np.cos(a * t + b)),
        np.sum(np.exp(c) * (u * d + factors * v * t)), np.sum(np.sin(a * t + b) + np.exp(c) * u),
    ]  # fmt: skip
    by_rows = np.stack(
        [d * np.cos(a * t + b) * a + factors * np.exp(c) * v, d * np.exp(c) + 0.0 * t, factors * np.exp(c) * t], axis=1
    )
    for of_weights, of_rows in (compile(grad(function, (0, 1)))(weights, rows), expected):
        assert np.allclose(np.asarray(of_weights), closed, rtol=1e-12)
        assert np.allclose(np.asarray(of_rows), by_rows, rtol=1e-12)
