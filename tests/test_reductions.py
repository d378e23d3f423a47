"""Functions of many values."""

import itertools
import math
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value, compile, dot, grad, prod, value_and_grad, where


def test_sum_prod_and_dot_are_one_node_each() -> None:
    xs, ys = [Value(0.1), Value(0.7), Value(-3.0)], [Value(1e16), Value(1.0), Value(2.0)]
    assert autograd.sum(xs).data == 0.1 + 0.7 + -3.0
    assert prod(xs).data == 0.1 * 0.7 * -3.0
    output = dot(xs, ys)
    assert output.data == 0.1 * 1e16 + 0.7 * 1.0 + -3.0 * 2.0
    output.backward()
    assert [x.grad for x in xs] == [1e16, 1.0, 2.0]
    assert [y.grad for y in ys] == [0.1, 0.7, -3.0]
    assert dot(iter([Value(2.0)]), [3]).data == 6.0
    assert (autograd.sum([]).data, prod([]).data, dot([], []).data) == (0.0, 1.0, 0.0)
    with pytest.raises(ValueError, match="same length, got 3 and 2"):
        dot(xs, ys[:2])
    twice = xs[0]
    product = prod([twice, twice, 5.0])
    twice.grad = None
    product.backward()
    assert twice.grad == 2 * 5.0 * 0.1


def test_a_sum_may_start_from_something() -> None:
    x = Value(3.0)
    for result in (autograd.sum([x, 2.0], x), autograd.sum([x, 2], start=3.0), autograd.sum([2.0, 3], x)):
        assert result.data == 8.0
    total = autograd.sum([x, 2.0], x)
    total.backward()
    assert (x.grad, len(total.parents)) == (2.0, 3)
    assert len(autograd.sum([x], 0).parents) == 1
    assert autograd.sum(x > 1 for _ in range(3)).data == 3.0
    rows = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert autograd.sum(rows).tolist() == sum(rows).tolist()  # type: ignore[attr-defined]  # an array for arrays
    with pytest.raises(TypeError, match=r"got \[\] of type list"):
        autograd.sum([[1.0]], [])  # type: ignore[arg-type, list-item]  # what is tested


def test_where_takes_truth_values() -> None:
    a, b = Value(2.0), Value(3.0)
    where(a > b, a, b * 2).backward()
    assert (a.grad, b.grad) == (0.0, 2.0)
    of_numpy: Any = np.float64(5) > np.float64(2)
    assert where(of_numpy, a, b).data == 2.0
    assert where(0.0, a, b).data == 3.0
    with pytest.raises(TypeError, match="got 'yes' of type str"):
        where("yes", a, b)  # type: ignore[arg-type]  # what is tested


def test_the_largest_and_the_smallest_are_one_node_each() -> None:
    xs = [Value(2.0), Value(-1.0), Value(7.5)]
    for function, chosen in ((autograd.max, xs[2]), (autograd.min, xs[1])):
        output = function(iter(xs))
        assert (output.data, output.parents) == (chosen.data, tuple(xs))
        assert autograd.gradients(output, xs)[xs.index(chosen)].data == 1.0
        assert sum(each.data for each in autograd.gradients(output, xs)) == 1.0
        with pytest.raises(ValueError, match="needs at least one value, got none"):
            function([])
    assert (autograd.max([2, 3.5]).data, autograd.min([Value(2.0)]).data) == (3.5, 2.0)
    assert (autograd.max(xs[0], 3.5, 1).data, autograd.min(xs[0], 3.5).data) == (3.5, 2.0)
    assert all(math.isnan(function([1.0, math.nan, 2.0]).data) for function in (autograd.max, autograd.min))


def test_ties_share_the_slope_equally() -> None:
    """As PyTorch's amax and amin have it."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    numbers = [3.0, 1.0, 3.0, 3.0, 1.0]
    for ours, theirs in ((autograd.max, torch.amax), (autograd.min, torch.amin)):
        leaf = torch.tensor(numbers, dtype=torch.float64, requires_grad=True)
        theirs(leaf).backward()
        assert grad(ours)(numbers) == leaf.grad.tolist()
        assert compile(grad(ours))(numbers) == leaf.grad.tolist()


def test_numpy_makes_one_node_of_a_maximum_along_axes() -> None:
    values = autograd.array(np.arange(24.0).reshape(2, 3, 4) % 7)
    numbers = np.array([v.data for v in values.ravel()]).reshape(2, 3, 4)
    for axis, keeps in itertools.product((None, 0, 1, -1, (0, 2), (1, -1)), (False, True)):
        found = np.array(np.max(values, axis=axis, keepdims=keeps), object)
        wanted = np.max(numbers, axis=axis, keepdims=keeps)
        assert found.shape == wanted.shape
        assert [v.data for v in found.ravel()] == wanted.ravel().tolist()
        assert {len(v.parents) for v in found.ravel()} == {24 // wanted.size}
    assert values.min().data == 0.0
    assert np.max(values, initial=9.0).data == 9.0
    assert np.max(values[:1, :1, :1]) is values[0, 0, 0]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64, 100])
def test_compiled_maxima_have_the_bits_of_eager_ones(count: int) -> None:
    numbers = [float(i * 37 % 11) for i in range(count)]

    def function(xs: list[Any]) -> Value:
        return autograd.max(xs) * autograd.min([x * x for x in xs]) + autograd.max([*xs, 5.0])

    assert compile(value_and_grad(function))(numbers) == value_and_grad(function)(numbers)
    assert compile(function).batch(np.array([numbers, numbers[::-1]])).tolist() == [function(numbers)] * 2
