"""Batches: many examples of a compiled function, side by side."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd
from autograd import Value, ValueArray, compile, dot, grad, log, tanh, value_and_grad
from tests.random_programs import total_in_order

ULPS = 0.0 if autograd.engine == "compiled" else 64 * 2.0**-52


class Point(NamedTuple):
    x: Any
    y: Any


def close(wanted: Any) -> Any:
    return pytest.approx(wanted, rel=ULPS, abs=ULPS)


def error(w: Any, x: Any, target: Any) -> Any:
    return (tanh(dot(w, x)) - target) ** 2


GRADIENT = compile(value_and_grad(error))
COUNTS = [*range(1, 71), 127, 128, 129, 1000]


@pytest.mark.parametrize("counts", [COUNTS[::3], COUNTS[1::3], COUNTS[2::3]])
def test_every_count_of_examples(counts: list[int]) -> None:
    """To the bit what one example after another gives, added in their order."""
    rng = random.Random(len(counts))
    w = [0.3, -0.2, 0.5]
    xs = np.array([[rng.gauss(0, 1) for _ in w] for _ in range(max(counts))])
    targets = np.array([rng.gauss(0, 1) for _ in xs])
    one_by_one = [GRADIENT(w, x, target) for x, target in zip(xs, targets.tolist(), strict=True)]
    for count in counts:
        value, slopes = GRADIENT.batch(w, xs[:count], targets[:count], over=(1, 2), reduce="each")
        assert value.tolist() == close([value for value, _ in one_by_one[:count]])
        assert [slope.tolist() for slope in slopes] == [
            close([slopes[i] for _, slopes in one_by_one[:count]]) for i in range(3)
        ]
        total, sums = GRADIENT.batch(w, xs[:count], targets[:count], over=(1, 2), reduce="sum")
        assert total == close(total_in_order([value for value, _ in one_by_one[:count]]))
        assert sums == close([total_in_order([s[i] for _, s in one_by_one[:count]]) for i in range(3)])
        mean, means = GRADIENT.batch(w, xs[:count], targets[:count], over=(1, 2), reduce="mean")
        assert mean == total / count
        assert means == [part / count for part in sums]


OPERATIONS: list[Callable[..., Any]] = [
    lambda a, b, c, d: autograd.sin(a),
    lambda a, b, c, d: a + b,
    lambda a, b, c, d: a * b * 0.5,
    lambda a, b, c, d: 0.25 - a,
    lambda a, b, c, d: autograd.maximum(a, b),
    lambda a, b, c, d: autograd.where(autograd.greater(a, b), c, d),
    lambda a, b, c, d: autograd.sum([a, b, c, 0.125, d]) * 0.25,
    lambda a, b, c, d: dot([a, b, 0.5], [c, d, a]) * 0.25,
]


def deep_function(rng: random.Random, steps: int) -> Callable[[Any, Any], list[Any]]:
    """A function of two numbers that is deep and narrow, with results from anywhere in it."""
    chosen = [(rng.choice(OPERATIONS), [rng.randrange(4) for _ in range(4)]) for _ in range(steps)]
    kept = sorted(rng.sample(range(steps), 3))

    def function(x: Any, w: Any) -> list[Any]:
        recent = [x, w, x * 0.5, w.exp()]
        results = []
        for step, (operation, places) in enumerate(chosen):
            recent = [*recent[-3:], operation(*[recent[place] for place in places])]
            results += recent[-1:] * (step in kept)
        return results

    return function


@pytest.mark.parametrize("seed", range(40))
def test_deep_functions_of_which_some_arguments_vary(seed: int) -> None:
    rng = random.Random(seed)
    steps = [3, 10, 100] if autograd.engine == "compiled" else [3, 10]  # in which NumPy's last digits do not grow
    compiled = compile(deep_function(rng, rng.choice(steps)))
    xs, ws = (np.array([rng.uniform(-1, 1) for _ in range(150)]) for _ in range(2))
    for over in (0, 1, (0, 1)):
        x, w = (array if place in np.ravel(over) else 0.3 for place, array in enumerate((xs, ws)))
        one_by_one = [compiled(float(a), float(b)) for a, b in np.broadcast(x, w)]
        each = compiled.batch(x, w, over=over)
        assert [result.tolist() for result in each] == [close(list(column)) for column in zip(*one_by_one, strict=True)]
    sums = compiled.batch(xs, ws, reduce="sum")  # so that every result varies
    assert sums == close([total_in_order(list(column)) for column in zip(*one_by_one, strict=True)])


def test_examples_are_added_in_their_order() -> None:
    """From left to right each 1 is lost beside 2**53; from right to left they are added up before."""
    compiled = compile(lambda x: x)
    for count in (3, 40, 1000):
        numbers = [2.0**53] + [1.0] * (count - 1)
        assert compiled.batch(numbers, reduce="sum") == 2.0**53
        assert compiled.batch(numbers[::-1], reduce="sum") == float(2**53 + count - 1)


def test_over_one_or_several_arguments() -> None:
    compiled = compile(lambda x, y: x * y + 1.0)
    xs, ys = np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0, 30.0])
    assert compiled.batch(xs, ys, reduce="each").tolist() == [11.0, 41.0, 91.0]
    assert compiled.batch(xs, 10.0, over=0, reduce="each").tolist() == [11.0, 21.0, 31.0]
    assert compiled.batch(2.0, ys, over=1, reduce="each").tolist() == [21.0, 41.0, 61.0]
    assert compiled.batch(2.0, ys, over=-1, reduce="each").tolist() == [21.0, 41.0, 61.0]
    assert compiled.batch(xs, ys, over=[0, 1], reduce="sum") == 143.0
    assert compiled.batch(xs, ys, reduce="mean") == 143.0 / 3
    assert compiled.batch(xs.tolist(), ys.tolist(), reduce="mean") == 143.0 / 3


def test_nested_examples() -> None:
    compiled = compile(lambda p, d: {"s": p[0] * d["k"][1], "v": [d["k"][0], p[1]]})
    firsts, seconds = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    ks = np.array([[5.0, 6.0], [7.0, 8.0]])
    result = compiled.batch((firsts, seconds), {"k": ks}, reduce="each")
    assert result["s"].tolist() == [6.0, 16.0]
    assert [part.tolist() for part in result["v"]] == [[5.0, 7.0], [3.0, 4.0]]
    assert compiled.batch((firsts, seconds), {"k": ks}, reduce="sum") == {"s": 22.0, "v": [12.0, 7.0]}
    by_point = compile(lambda p: p.x - p.y)
    assert by_point.batch(Point(firsts, seconds), reduce="each").tolist() == [-2.0, -2.0]


def test_a_list_is_one_of_examples() -> None:
    seen = []

    def function(v: Any) -> Any:
        seen.append(type(v))
        return v[0] * 10.0 + v[1]

    compiled = compile(function)
    wanted = [12.0, 34.0, 56.0]
    assert compiled.batch([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], reduce="each").tolist() == wanted
    assert compiled.batch([(1, 2), (3, 4), (5, 6)], reduce="each").tolist() == wanted
    assert compiled.batch(np.array([[1, 2], [3, 4], [5, 6]]), reduce="each").tolist() == wanted
    rows = list(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    assert compiled.batch(rows, reduce="each").tolist() == wanted
    assert seen == [list, tuple, ValueArray]
    by_key = compile(lambda d: d["a"] * d["b"])
    assert by_key.batch([{"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 4.0}], reduce="each").tolist() == [2.0, 12.0]


@pytest.mark.parametrize(
    "array",
    [np.arange(6), np.arange(6, dtype=np.float32), np.arange(12.0)[::2], np.arange(6.0)[::-1],
     np.arange(12.0).reshape(6, 2)[:, 0], np.arange(6).astype(object)],
)  # fmt: skip
def test_arrays_of_any_kind(array: Any) -> None:
    assert compile(lambda x: x * 2.0).batch(array, reduce="each").tolist() == [2.0 * x for x in array.tolist()]


def test_matrices_as_examples() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(7, 2, 3)), rng.normal(size=(7, 3))
    each = compile(lambda a, b: a @ b).batch(a, b, reduce="each")
    assert each.shape == (7, 2)
    assert each == pytest.approx(np.einsum("nij,nj->ni", a, b), rel=1e-13)
    slope = compile(grad(lambda a, b: ((a @ b) ** 2).sum())).batch(a, b, reduce="mean")
    assert slope.shape == (2, 3)
    empty = compile(lambda a, b: (a, b)).batch(np.empty((3, 0)), np.ones(3), reduce="each")
    assert (empty[0].shape, empty[1].tolist()) == ((3, 0), [1.0, 1.0, 1.0])


def test_results_that_no_example_changes() -> None:
    w = Value(3.0)
    compiled = compile(lambda x, y: [x, y * w, 5.0, None])
    xs = [1.0, 2.0, 3.0]
    assert compiled.batch(xs, 2.0, over=0, reduce="sum") == [6.0, 18.0, 15.0, None]
    assert compiled.batch(xs, 2.0, over=0, reduce="mean") == [2.0, 6.0, 5.0, None]
    each = compiled.batch(xs, 2.0, over=0, reduce="each")
    assert [part if part is None else part.tolist() for part in each] == [xs, [6.0] * 3, [5.0] * 3, None]
    fixed = compile(lambda x, y: y * w)
    assert fixed.batch(xs, 2.0, over=0, reduce="sum") == 18.0
    assert fixed.batch(xs, 2.0, over=0, reduce="mean") == 6.0
    assert fixed.batch(xs, 2.0, over=0, reduce="each").tolist() == [6.0, 6.0, 6.0]
    assert compile(lambda x: ()).batch(xs) == ()


def test_static_arguments_are_the_same_for_all() -> None:
    compiled = compile(lambda n, x: x**n, static_argnums=0)
    assert compiled.batch(2, [1.0, 2.0, 3.0], reduce="each").tolist() == [1.0, 4.0, 9.0]
    numbers: list[Any] = [1, np.int64(1), (-1,), np.array([1])]
    for over in numbers:
        assert compiled.batch(3, [1.0, 2.0], over=over, reduce="sum") == 9.0
    with pytest.raises(ValueError, match="has a static argument"):
        compiled.batch(2, [1.0], over=(0, 1))
    with pytest.raises(TypeError, match="hashable"):
        compiled.batch([2], [1.0])


def test_one_program_for_every_count() -> None:
    calls = []
    compiled = compile(lambda x: calls.append(1) or x * 2.0)  # type: ignore[func-returns-value]  # for its effect
    for count in (1, 5, 100, 1000):
        compiled.batch(np.ones(count))
        compiled.batch(np.ones(count), reduce="each")
    compiled(1.0)
    assert len(calls) == 1


def test_a_primitive_of_one_s_own_is_called_once_for_each_example() -> None:
    calls = []

    @autograd.primitive(lambda out, x: 1.0)
    def same(x: float) -> float:
        calls.append(x)
        return x

    compiled = compile(same)
    compiled(1.0)
    calls.clear()
    xs = [float(i) for i in range(13)]
    assert compiled.batch(xs, reduce="sum") == sum(xs)
    assert sorted(calls) == xs


# What is not finite, and what is refused.


def test_the_error_of_the_engine_names_the_example_s_number() -> None:
    compiled = compile(log)
    for reduce in ("mean", "sum", "each"):
        with pytest.raises(ValueError, match=r"cannot take log of -7\.0"):
            compiled.batch([1.0, 2.0, -7.0, 3.0] * 30, reduce=reduce)
    both = compile(lambda x, y: x * log(y))
    with pytest.raises(ValueError, match=r"cannot take log of -2\.0"):
        both.batch([1.0, 2.0], -2.0, over=0)
    xs = [1.0, math.inf]
    assert compile(lambda x: x * 2.0).batch(xs, reduce="sum") == math.inf
    assert compile(lambda x: x * 2.0).batch(xs, reduce="each").tolist() == [2.0, math.inf]
    assert compile(lambda x: x * 2.0).batch([1e308, 1e308], reduce="sum") == math.inf


def test_arguments_that_are_no_examples() -> None:
    compiled = compile(lambda x, y: x * y)
    cases: list[tuple[tuple[Any, ...], dict[str, Any], type[Exception], str]] = [
        (([1.0, 2.0], [1.0]), {}, ValueError, r"as many examples in each argument .* \[1, 2\]"),
        (([], []), {}, ValueError, r"at least one; got \[0\]"),
        ((1.0, 2.0), {"over": ()}, ValueError, "got none"),
        (([1.0], 2.0), {"over": 2}, ValueError, "there is no argument 2 as in over=2: 2 were given"),
        (([1.0], 2.0), {"over": [0, -3]}, ValueError, "there is no argument -3"),
        (([1.0], [2.0]), {"reduce": "average"}, ValueError, "reduce must be 'each', 'mean' or 'sum', got 'average'"),
        ((1.0, [2.0]), {}, TypeError, r"argument 0 must be an array or a list .* got 1\.0 of type float"),
        (("ab", [2.0]), {}, TypeError, "argument 0 must be an array or a list"),
        (((1.0, 2.0), [2.0]), {}, TypeError, "argument 0 must be an array or a list"),
        ((None, [2.0]), {}, TypeError, "argument 0 must be an array or a list"),
        ((np.array(1.0), [2.0]), {}, TypeError, "argument 0 must be an array or a list"),
        ((np.array(["a"]), [2.0]), {}, TypeError, "expected an array of real numbers"),
        ((["a"], [2.0]), {}, TypeError, "argument 0 must be an array or a list"),
        (([[1.0], [1.0, 2.0]], [1.0, 2.0]), {}, TypeError, "do not have the same structure: compare entries 0 and 1"),
        (([1.0, [2.0]], [1.0, 2.0]), {}, TypeError, "do not have the same structure: compare entries 0 and 1"),
        (([Value(1.0)], [2.0]), {}, TypeError, r"argument 0 holds a Value, .*v\.data"),
        ((np.array([Value(1.0)]), [2.0]), {}, TypeError, "argument 0 holds a Value"),
        ((Value(1.0), [2.0]), {"over": 1}, TypeError, "argument 0 holds a Value"),
        ((object(), [2.0]), {"over": 1}, TypeError, "expected numbers"),
    ]
    for arguments, settings, kind, message in cases:
        with pytest.raises(kind, match=message):
            compiled.batch(*arguments, **settings)


def test_arrays_that_are_given_again_are_read_again() -> None:
    """Their numbers, and their shapes, may have changed in place."""
    function, x = compile(lambda x: 2.0 * x if isinstance(x, Value) else x[0] - x[1]), np.array([1.0, 2.0, 3.0, 4.0])
    assert function.batch(x).tolist() == [2.0, 4.0, 6.0, 8.0]
    x[0] = 5.0
    assert function.batch(x).tolist() == [10.0, 4.0, 6.0, 8.0]
    x.resize(2, 2, refcheck=False)
    assert function.batch(x).tolist() == [3.0, -1.0]
