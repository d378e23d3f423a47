"""Results of calls and batches in arrays that are given."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Value, compile, exp, grad, log, primitive, value_and_grad


def affine(p: Any, x: Any) -> Any:
    return {"y": p["w"] @ x + p["b"], "norm": (x**2).sum(), "kind": "affine"}


ARGUMENTS = {"w": np.arange(6.0).reshape(2, 3), "b": np.array([0.5, -0.5])}, np.array([1.0, 2.0, 3.0])


def test_a_call_writes_into_the_arrays() -> None:
    compiled = compile(affine)
    wanted = compiled(*ARGUMENTS)
    out: Any = {"norm": np.zeros(()), "y": np.zeros(2), "kind": "affine"}
    for _ in range(3):
        out["y"][:], out["norm"][...] = math.nan, math.nan
        result = compiled(*ARGUMENTS, out=out)
        assert result["y"] is out["y"]
        assert result["norm"] is out["norm"]
        assert (out["y"].tolist(), float(out["norm"]), result["kind"]) == (
            wanted["y"].tolist(),
            wanted["norm"],
            "affine",
        )
    fresh = compile(affine)(*ARGUMENTS, out=out)
    assert fresh["y"] is out["y"]


def test_none_makes_a_part_anew() -> None:
    compiled = compile(affine)
    y = np.zeros(2)
    for out in ({"y": y, "norm": None, "kind": None}, {"y": y, "norm": None, "kind": "affine"}):
        results = [compiled(*ARGUMENTS, out=out) for _ in range(2)]
        assert results[0]["y"] is results[1]["y"] is y
        assert results[0]["norm"] is not results[1]["norm"]
        assert [float(result["norm"]) for result in results] == [14.0, 14.0]
    assert compile(lambda x: (x, [x * 2.0, x * 3.0]))(1.0, out=(np.zeros(()), None))[1] == [2.0, 3.0]
    assert compile(lambda x: x * 2.0)(1.0, out=None) == 2.0


def test_an_argument_is_updated_in_place() -> None:
    x, total = np.array([1.0, 2.0]), np.zeros(())
    halve = compile(lambda x: (x / 2.0, x.sum()))
    for i in range(3):
        assert halve(x, out=(x, total))[0] is x
        assert (x.tolist(), float(total)) == ([0.5**i / 2.0, 0.5**i], 3.0 * 0.5**i)
    turned = compile(lambda a, b: (b, a))
    a, b = np.arange(3.0), np.arange(3.0) + 10.0
    turned(a, b, out=(a, b))
    assert (a.tolist(), b.tolist()) == ([10.0, 11.0, 12.0], [0.0, 1.0, 2.0])


@pytest.mark.parametrize("count", [100, 5_000])  # from some thousand numbers on an array is read where it is
def test_an_array_is_read_and_not_written_to(count: int) -> None:
    compiled = compile(lambda x: x * 3.0)
    given = np.linspace(-1.0, 1.0, count)
    for _ in range(2):
        x = given.copy()
        result = compiled(x)
        assert np.array_equal(result, 3.0 * given)
        assert np.array_equal(x, given)
        assert not np.may_share_memory(result, x)
        assert np.array_equal(compiled(x, out=x), 3.0 * given), "it may be its own result"
    x = given.copy()
    x.flags.writeable = False
    assert np.array_equal(compiled(x), 3.0 * given)
    assert np.array_equal(compiled(np.repeat(given, 2)[::2]), 3.0 * given)
    single = given.astype(np.float32)
    assert np.array_equal(compiled(single), 3.0 * single.astype(float))
    x = given.copy()
    x[7] = math.inf
    with np.errstate(all="raise"):
        assert compiled(x)[7] == math.inf
    compiled(x, out=x)
    assert np.array_equal(np.delete(x, 7), np.delete(3.0 * given, 7))


def test_an_array_is_read_before_functions_of_python_write_to_it() -> None:
    numbers = np.linspace(-1.0, 1.0, 5_000)
    given = numbers.copy()

    @primitive(lambda out, x: 1.0)
    def clearing(x: float) -> float:
        given[:] = 0.0
        return x

    compiled = compile(lambda x: clearing(x[0]) + exp(exp(x[1])) * x)
    wanted = compiled(numbers)
    for _ in range(2):
        given[:] = numbers
        assert np.array_equal(compiled(given), wanted)


@pytest.mark.parametrize("reduce", ["sum", "mean", "each"])
def test_a_batch_writes_into_the_arrays(reduce: Any) -> None:
    compiled = compile(value_and_grad(lambda w, x, y: ((w * x).sum() - y) ** 2))
    rng = np.random.default_rng(1)
    w, xs, ys = rng.normal(size=3), rng.normal(size=(40, 3)), rng.normal(size=40)
    lead = (40,) if reduce == "each" else ()
    out = np.empty(lead), np.empty((*lead, 3))
    for count in (1, 2, 3):
        wanted = compiled.batch(w * count, xs, ys, over=(1, 2), reduce=reduce)
        found = compiled.batch(w * count, xs, ys, over=(1, 2), reduce=reduce, out=out)
        assert found[0] is out[0]
        assert found[1] is out[1]
        assert (np.asarray(wanted[0]).tolist(), wanted[1].tolist()) == (out[0].tolist(), out[1].tolist())


def test_numbers_that_no_example_changes() -> None:
    compiled = compile(lambda x, y: [x, y * 2.0, None])
    cases: list[tuple[Any, list[float]]] = [("sum", [6.0, 12.0]), ("mean", [2.0, 4.0])]
    for reduce, wanted in cases:
        out: Any = [np.zeros(()), np.zeros(()), None]
        compiled.batch([1.0, 2.0, 3.0], 2.0, over=0, reduce=reduce, out=out)
        assert [float(part) for part in out[:2]] == wanted
    fixed = np.zeros(3)
    assert compile(lambda x, y: y * 2.0).batch([1.0, 2.0, 3.0], 2.0, over=0, out=fixed).tolist() == [4.0] * 3


def test_examples_are_updated_in_place() -> None:
    """As an optimizer does with parameters and what it remembers."""
    step = compile(lambda rate, x, grad, velocity: (x - rate * (0.9 * velocity + grad), 0.9 * velocity + grad))
    rng = np.random.default_rng(2)
    x, slope, velocity = (rng.normal(size=1000) for _ in range(3))
    wanted = step.batch(0.1, x, slope, velocity, over=(1, 2, 3))
    step.batch(0.1, x, slope, velocity, over=(1, 2, 3), out=(x, velocity))
    assert (x.tolist(), velocity.tolist()) == (wanted[0].tolist(), wanted[1].tolist())
    both = rng.normal(size=(2, 1000))
    wanted = step.batch(0.1, both[0], slope, both[1], over=(1, 2, 3))
    step.batch(0.1, both[0], slope, both[1], over=(1, 2, 3), out=(both[0], both[1]))
    assert both.tolist() == [part.tolist() for part in wanted]


def _moved(function: Callable[..., Any], arguments: Any, out: Any, **settings: Any) -> None:
    """Compare with what arrays of their own give, for arguments and results that share their memory otherwise."""
    compiled = compile(function)
    wanted = compiled.batch(*[part.copy() for part in arguments], **settings)
    compiled.batch(*arguments, out=out, **settings)
    assert np.asarray(out).tolist() == np.asarray(wanted).tolist()


def test_memory_that_is_shared_otherwise_is_not_overwritten_before_it_is_read() -> None:
    memory = np.arange(1001.0)
    _moved(lambda x: x + 1.0, [memory[:-1]], memory[1:])
    memory = np.arange(1001.0)
    _moved(lambda x: x + 1.0, [memory[1:]], memory[:-1])
    memory = np.arange(2000.0)
    _moved(lambda x: x[0] + x[1], [memory.reshape(1000, 2)], memory[:1000])
    memory = np.arange(1000.0)
    _moved(lambda x: x, [memory], memory[:1].reshape(()), reduce="sum")
    memory = np.arange(1000.0)
    _moved(lambda w, x: w * x, [memory[:3], memory], memory[:3], over=1, reduce="sum")
    raw = bytearray(np.arange(1001.0).tobytes())
    first, second = np.frombuffer(raw, count=1000), np.frombuffer(raw, offset=8, count=1000)
    _moved(lambda x: x + 1.0, [first], second)


def test_what_is_no_room_is_refused() -> None:
    compiled = compile(lambda x: (x.sum(), x * 2.0))
    x = np.arange(3.0)
    read_only = np.zeros(3)
    read_only.flags.writeable = False
    good = np.zeros(())
    cases: list[tuple[Any, str]] = [
        (1.0, r"out must be a tree like the result, .* expected \(a number, an array of shape \(3,\)\)"),
        ((good,), "out must be a tree like the result"),
        ((0.0, np.zeros(3)), r"array of float64 of shape \(\) in out, or None for a new one, got 0\.0 of type float"),
        ((good, [0.0] * 3), r"of shape \(3,\) in out, .* got \[0\.0, 0\.0, 0\.0\] of type list"),
        ((good, np.zeros(4)), r"got an array of float64 of shape \(4,\)"),
        ((np.zeros(1), np.zeros(3)), r"of shape \(\) in out, .* got an array of float64 of shape \(1,\)"),
        ((good, np.zeros(3, np.float32)), r"got an array of float32 of shape \(3,\)"),
        ((good, np.zeros(6)[::2]), r"of shape \(3,\), not C-contiguous"),
        ((good, read_only), r"of shape \(3,\), read-only"),
    ]
    for out, message in cases:
        with pytest.raises(TypeError, match=message):
            compiled(x, out=out)
    with pytest.raises(TypeError, match=r"of shape \(2, 3\) in out, .* got an array of float64 of shape \(3,\)"):
        compiled.batch(np.ones((2, 3)), out=(np.zeros(2), np.zeros(3)))
    with pytest.raises(TypeError, match=r"out= takes plain numbers, .* pass plain numbers \(v\.data\)"):
        compile(lambda x: x)(Value(1.0), out=good)
    with pytest.raises(TypeError, match="out= takes plain numbers"):
        grad(lambda w: compile(lambda x: x * w)(2.0, out=good))(1.0)


def test_a_function_with_an_argument_of_this_name_gets_it() -> None:
    compiled = compile(lambda x, out: x * out)
    assert compiled(2.0, out=3.0) == 6.0
    assert compile(lambda x, **others: x * 2.0)(2.0, out=np.zeros(())) == 4.0


def test_outside_a_domain_the_error_of_the_engine_is_raised() -> None:
    compiled = compile(lambda x: log(x[0]) + x)
    x = np.array([-1.0, 2.0])
    with pytest.raises(ValueError, match=r"cannot take log of -1\.0"):
        compiled(x, out=x)
    with pytest.raises(ValueError, match=r"cannot take log of -7\.0"):
        compile(log).batch([1.0, -7.0], out=np.empty(2))
    examples = np.array([1.0, -7.0])
    with pytest.raises(ValueError, match=r"cannot take log of -7\.0.* \(in example 1\)"):
        compile(log).batch(examples, out=examples)


def test_each_result_is_given_unless_that_takes_too_much_memory() -> None:
    wide = compile(lambda x: x * np.ones(1000))
    assert wide.batch(np.ones(3)).shape == (3, 1000)
    many = np.ones(10**6)
    with pytest.raises(ValueError, match=r'take 8\.0 GB: ask for their mean by reduce="mean"'):
        wide.batch(many)
    with pytest.raises(ValueError, match="or run fewer examples at once"):
        compile(lambda x: (x, x * np.ones(1000))).batch(many, out=(np.empty(10**6), None))
    assert wide.batch(many[:1000], reduce="mean").shape == (1000,)


def test_an_array_that_was_made_read_only_since_is_refused() -> None:
    total = compile(lambda x: x * 2.0)
    out = np.empty(())
    assert total.batch([1.0, 2.0], reduce="sum", out=out) is out
    out.flags.writeable = False
    with pytest.raises(TypeError, match="read-only"):
        total.batch([3.0], reduce="sum", out=out)
    assert out == 6.0
