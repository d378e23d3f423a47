"""A compiled function called again and again on its own results."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd
from autograd import Value, compile, dot, exp, grad, greater, log, sin, value_and_grad, where
from autograd.programs.batching import replay

ULPS = 0.0 if autograd.engine == "compiled" else 2.0**-40  # a rounding of NumPy's grows from round to round


class Point(NamedTuple):
    x: Any
    y: Any


def close(wanted: Any) -> Any:
    return pytest.approx(wanted, rel=ULPS, abs=ULPS)


def test_one_number_as_state() -> None:
    step = compile(lambda x: x - 0.1 * sin(x))
    x = 1.0
    for times in range(6):
        assert step.repeat(times, 1.0) == close(x)
        x = step(x)
    assert step.repeat(0, 1) == 1.0
    assert type(step.repeat(3, 1.0)) is float


@pytest.mark.parametrize(
    "state",
    [[1.0, 2.0], (1.0, 2.0), Point(1.0, 2.0), np.array([1.0, 2.0]), {"x": 1.0, "y": [2.0, (3.0,)]}, [[1.0], [2.0]]],
    ids=repr,
)
def test_a_nesting_as_state(state: Any) -> None:
    def turned(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {key: turned(part) for key, part in tree.items()}
        if isinstance(tree, list | tuple):
            parts = [turned(part) for part in tree]
            return type(tree)(*parts) if isinstance(tree, Point) else type(tree)(parts)
        return tree * 2.0 + 1.0

    found = compile(turned).repeat(3, state)
    wanted = turned(turned(turned(state)))
    assert type(found) is type(state)
    assert found.tolist() == wanted.tolist() if isinstance(state, np.ndarray) else found == wanted


def test_several_arguments_as_state() -> None:
    def fibonacci(a: Any, b: Any) -> Any:
        return b, a + b

    assert compile(fibonacci).repeat(50, 0, 1) == (12586269025.0, 20365011074.0)
    assert compile(lambda a, b: [b, a + b]).repeat(10, 0, 1) == (55.0, 89.0)
    assert compile(lambda p, v: ([p[0] + v, p[1]], v * 0.5)).repeat(2, [0.0, 7.0], 1.0) == ([1.5, 7.0], 0.25)


def test_records_and_arguments_for_each_call() -> None:
    def descent(w: Any, x: Any, target: Any) -> Any:
        error, slopes = value_and_grad(lambda w: (dot(w, x) - target) ** 2)(w)
        return [a - 0.05 * s for a, s in zip(w, slopes, strict=True)], error, x

    compiled = compile(descent)
    rng = np.random.default_rng(1)
    xs, targets = rng.normal(size=(30, 2)), rng.normal(size=40)
    w: Any = [0.5, -0.5]
    errors = []
    for x, target in zip(xs.tolist(), targets.tolist(), strict=False):
        w, error, _ = descent(w, x, target)
        errors.append(error)
    by_array = compiled.repeat(30, [0.5, -0.5], each=[xs, targets])
    by_list = compiled.repeat(30, [0.5, -0.5], each=[xs.tolist(), targets.tolist()])
    for found in (by_array, by_list):
        assert found[0] == close(w)
        assert found[1].tolist() == close(errors)
    assert by_array[2].shape == (30, 2)
    assert [part.tolist() for part in by_list[2]] == xs.T.tolist()
    assert compiled.repeat(0, [0.5, -0.5], each=[xs, targets])[0] == [0.5, -0.5]
    assert compiled.repeat(0, [0.5, -0.5], each=[xs, targets])[1].tolist() == []


def test_records_alone_and_no_state() -> None:
    state, squares = compile(lambda x: (x + 1.0, x * x)).repeat(4, 0.0)
    assert (state, squares.tolist()) == (4.0, [0.0, 1.0, 4.0, 9.0])
    (only,) = compile(lambda x: (x * 2.0,)).repeat(3, each=[[1.0, 2.0, 3.0]])
    assert only.tolist() == [2.0, 4.0, 6.0]


def test_static_arguments_stay_as_they_are() -> None:
    def power(x: Any, n: int, y: Any) -> Any:
        return x * y**n, y + 1.0

    assert compile(power, static_argnums=1).repeat(3, 1.0, 2, 1.0) == (36.0, 4.0)


def test_the_state_that_was_given_is_not_changed() -> None:
    state = np.array([1.0, 2.0])
    assert compile(lambda v: v * 2.0).repeat(3, state).tolist() == [8.0, 16.0]
    assert state.tolist() == [1.0, 2.0]


def test_leaves_that_the_function_refers_to_are_read_at_the_start() -> None:
    w = Value(2.0)
    compiled = compile(lambda x: x * w)
    assert compiled.repeat(3, 1.0) == 8.0
    w.data = 3.0
    assert compiled.repeat(3, 1.0) == 27.0


def test_a_primitive_of_one_s_own_and_its_error() -> None:
    @autograd.primitive(lambda out, x: 1.0)
    def counted(x: float) -> float:
        if x > 5.5:
            raise OSError("no more")
        return x + 1.0

    compiled = compile(counted)
    assert compiled.repeat(5, 0.0) == 5.0
    with pytest.raises(OSError, match="no more"):
        compiled.repeat(100, 0.0)
    assert compiled.repeat(5, 0.0) == 5.0


# What is not finite, and what is refused.


def test_outside_a_domain_the_error_of_the_engine_is_raised() -> None:
    with pytest.raises(ValueError, match="cannot take log of -"):
        compile(log).repeat(1000, 3.0)
    with pytest.raises(ValueError, match=r"cannot take log of -0\.5"):  # in a record: the state stays finite
        compile(lambda x: (x - 1.0, log(x))).repeat(1000, 6.5)
    with pytest.raises(ValueError, match=r"cannot take log of -3\.0"):
        compile(lambda x, y: x + log(y)).repeat(4, 1.0, each=[[1.0, 2.0, -3.0, 4.0]])
    slope = compile(lambda x: x - 10.0 * grad(lambda x: x * log(x))(x))
    with pytest.raises(ValueError, match="log"):
        slope.repeat(50, 3.0)


def test_an_overflow_is_given_where_the_engine_gives_it() -> None:
    assert compile(lambda x: x * 10.0).repeat(1000, 1.0) == math.inf
    assert compile(exp).repeat(100, 1.0) == math.inf
    state, records = compile(lambda x: (x * 0.0 + 1.0, x * 1e308 * 10.0)).repeat(3, 1.0)
    assert (state, records.tolist()) == (1.0, [math.inf] * 3)


def test_what_does_not_fit_is_refused() -> None:
    twice = compile(lambda x: x * 2.0)
    cases: list[tuple[Any, tuple[Any, ...], dict[str, Any], type[Exception], str]] = [
        (twice, (-1, 1.0), {}, ValueError, "times must be at least 0, got -1"),
        (twice, (1.5, 1.0), {}, TypeError, "float"),
        (twice, (2**64, 1.0), {}, ValueError, f"times must be at most .*, got {2**64}"),
        (compile(lambda x: (x, x)), (2**62, 1.0), {}, ValueError, "for 1 recorded numbers a call"),
        (twice, (2, object()), {}, TypeError, "expected numbers"),
        (compile(lambda v: v[0]), (2, [1.0, 2.0]), {}, ValueError, "of the state, a list of 2 numbers, .* is a number"),
        (compile(tuple), (2, [1.0, 2.0]), {}, ValueError, "its result is a tuple of 2 numbers"),
        (compile(list), (2, np.ones(2)), {}, ValueError, r"of shape \(2,\), .* a list of 2 numbers"),
        (compile(lambda x, y: x), (2, 1.0, 2.0), {}, ValueError, "a number, a number, .* is a number"),
        (compile(lambda d: {"b": d["b"], "a": d["a"]}), (2, {"a": 1, "b": 2}), {}, ValueError, "'b': a number, 'a'"),
        (compile(lambda x, y: x * y), (3, 1.0), {"each": [[1.0, 2.0]]}, ValueError, "needs 3 entries, .* 0 has 2"),
        (compile(lambda x, y: x * y), (3, 1.0), {"each": [2.0]}, TypeError, "entry 0 of each must be an array"),
        (compile(lambda x, y: x * y), (3, 1.0), {}, TypeError, "missing 1 required positional argument"),
    ]  # fmt: skip
    for compiled, arguments, settings, kind, message in cases:
        with pytest.raises(kind, match=message):
            compiled.repeat(*arguments, **settings)


# Interrupts.


@pytest.mark.no_cover
@pytest.mark.skipif(os.name != "posix", reason="signals are sent as on POSIX")
@pytest.mark.usefixtures("interruptible")
def test_after_an_interrupt_the_state_is_that_of_whole_calls() -> None:
    compiled = compile(lambda n, m, k: (n + 1.0, m + 2.0, [k[0] + 3.0], n))
    compiled.repeat(1, 0.0, 0.0, [0.0])
    times = 3 * 10**7 if autograd.engine == "compiled" else 10**6
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    start = time.perf_counter()
    timer.start()
    with pytest.warns(RuntimeWarning, match=rf"repeat was interrupted after \d+ of {times} calls") as caught:
        n, m, k, records = compiled.repeat(times, 0.0, 0.0, [0.0])
    took = time.perf_counter() - start
    timer.join()
    assert took < 0.1 + 0.2 + 0.3  # two tenths, and some more on a machine that others use too
    assert caught[0].filename == __file__
    assert 0 < n < times
    assert (m, k, len(records)) == (2.0 * n, [3.0 * n], n)
    assert records[-1] == n - 1.0
    assert compiled.repeat(2, 0.0, 0.0, [0.0])[0] == 2.0


@pytest.mark.no_cover
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no interval timers")
@pytest.mark.parametrize("is_record", [False, True])
def test_an_interrupt_ends_the_search_for_what_is_not_finite(is_record: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It must not go on from the state of another call, whose error would be another one."""
    times = 2 * 10**7 if autograd.engine == "compiled" else 10**5

    def step(k: Any, x: Any) -> Any:
        wrong = where(greater(k, times - 10.0), log(-1.0 - x * x), x)
        return (k + 1.0, x, wrong) if is_record else (k + 1.0, wrong)

    def search(*arguments: Any) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        replay(*arguments)

    monkeypatch.setattr("autograd.programs.batching.replay", search)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            compile(step).repeat(times, 0.0, 0.0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def test_an_interrupt_within_a_primitive_of_one_s_own_is_one_between_calls() -> None:
    @autograd.primitive(lambda out, x: 1.0)
    def counted(x: float) -> float:
        if x == 5.0:
            raise KeyboardInterrupt
        return x + 1.0

    with pytest.warns(RuntimeWarning, match="repeat was interrupted after 5 of 100 calls"):
        state, squares = compile(lambda x: (counted(x), x * x)).repeat(100, 0.0)
    assert (state, squares.tolist()) == (5.0, [0.0, 1.0, 4.0, 9.0, 16.0])


def test_a_repetition_is_differentiated() -> None:
    """Its state, what follows it, and what the function refers to; by itself and in a function that is compiled."""
    weight = Value(0.5)
    step = compile(lambda s, v, r: (s * weight + sin(v) * r, v - 0.1 * s, s * v))
    rows = [1.0, 2.0, 0.5]

    def last(s: Any, rows: Any) -> Any:
        s, v, records = step.repeat(3, s, 1.0, each=[rows])
        return s * v + (records * records).sum()

    def unrolled(s: Any, rows: Any) -> Any:
        v, total = 1.0, 0.0
        for r in rows:
            total = total + (s * v) ** 2
            s, v = s * weight.data + sin(v) * r, v - 0.1 * s
        return s * v + total

    assert last(2.0, rows) == pytest.approx(unrolled(2.0, rows), rel=1e-15)
    wanted = value_and_grad(unrolled, (0, 1))(2.0, rows)
    for found in (value_and_grad(last, (0, 1))(2.0, rows), compile(value_and_grad(last, (0, 1)))(2.0, rows)):
        assert (found[0], found[1][0]) == pytest.approx((wanted[0], wanted[1][0]), rel=1e-14)
        assert found[1][1] == pytest.approx(wanted[1][1], rel=1e-14)
    output = last(Value(2.0), rows)
    output.backward()
    expected = 0.0
    for w, sign in ((0.5 + 1e-6, 1.0), (0.5 - 1e-6, -1.0)):
        weight.data = w
        expected += sign * unrolled(2.0, rows) / 2e-6
    weight.data = 0.5
    assert weight.grad == pytest.approx(expected, rel=1e-8)
    bare = compile(lambda x: x * x)
    assert grad(lambda x: bare.repeat(3, x))(1.1) == pytest.approx(8.0 * 1.1**7, rel=1e-14)
    assert bare.repeat(0, Value(2.0)).data == 2.0
