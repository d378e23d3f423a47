"""Calls that are recorded, and the nesting of what goes in and comes out."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from autograd import Value, grad
from autograd.calculus.recorded_calls import Recording, flatten


class Point(NamedTuple):
    x: float
    y: float


@pytest.mark.parametrize(
    "tree", [1.0, [], [1.0, 2.0], (1.0, [2.0, (3.0,)]), {"b": 1.0, "a": [2.0, {"c": (3.0, 4.0)}]}, [[], {}, ()]]
)
def test_a_nesting_is_rebuilt_around_its_numbers(tree: Any) -> None:
    numbers, rebuild = flatten(tree)
    assert numbers == [float(n + 1) for n in range(len(numbers))]
    assert rebuild(numbers) == tree


def test_an_array_is_rebuilt_as_an_array() -> None:
    """Of floats, if all are; else of objects."""
    numbers, rebuild = flatten(np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert numbers == [1.0, 2.0, 3.0, 4.0]
    floats, values = rebuild([5.0, 6.0, 7.0, 8.0]), rebuild([Value(1.0)] * 4)
    assert (floats.tolist(), floats.dtype) == ([[5.0, 6.0], [7.0, 8.0]], np.float64)
    assert (values.shape, values.dtype) == ((2, 2), object)
    empty = flatten(np.empty((0, 3)))[1]([])
    assert (empty.shape, empty.dtype) == ((0, 3), np.float64)


def test_a_named_tuple_is_rebuilt_as_one() -> None:
    point = Point(1.0, 2.0)
    numbers, rebuild = flatten(point)
    assert type(rebuild(numbers)) is Point
    assert grad(lambda p: p.x * p.y)(Point(3.0, 4.0)) == Point(4.0, 3.0)


def test_each_number_to_differentiate_by_is_a_node_of_its_own() -> None:
    x = Value(3.0)
    run = Recording(lambda a, b, c: a * b * c, [x, x, 2.0], [0, -2])
    assert len(set(run.inputs)) == 2
    assert x not in run.inputs
    assert run.counts == [1, 1]
    assert run.recorded  # since Values were given
    assert [output.data for output in run.outputs] == [18.0]
    with pytest.raises(TypeError, match="no argument 3 to differentiate by: 3 were given"):
        Recording(lambda a, b, c: a, [1.0, 2.0, 3.0], [3])


def test_a_call_is_differentiated_again_only_within_what_it_depends_on() -> None:
    recorded = []

    def outer(x: Value) -> Any:
        recorded.append(Recording(lambda y: y * y, [2.0], [0]).recorded)
        recorded.append(Recording(lambda y: y * x, [2.0], [0]).recorded)
        return x * x

    grad(outer)(3.0)
    assert recorded == [False, True]
