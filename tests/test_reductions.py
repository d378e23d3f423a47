"""Functions of many values."""

from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value, dot, prod, where


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
