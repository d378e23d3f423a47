"""Paths: which nodes lie on every path, which branches part, and the gradient along each."""

import pytest

import autograd
from autograd import Value
from autograd.views.paths import Paths


def labelled(value: Value, label: str) -> Value:
    value.label = label
    return value


def diamond() -> tuple[Value, Value, Value, Value, Value]:
    """x -> u -> (left, right) -> E, and a path from x past u."""
    x = Value(0.5, "x")
    u = labelled(x * 2.0, "u")
    left, right = labelled(u * 3.0, "left"), labelled(u * 5.0, "right")
    return x, u, left, right, labelled(left * right, "E")


def test_a_node_on_every_path_is_a_waypoint() -> None:
    x, u, left, right, output = diamond()
    paths = Paths(output, x, every_node=False)
    assert paths.active == [x, u, left, right, output]
    assert list(paths.waypoints(paths.whole())) == [u]
    past = labelled(output + x, "F")
    paths = Paths(past, x, every_node=False)
    assert paths.waypoints(paths.whole()) == {}


def test_branches_share_no_node() -> None:
    x, u, left, right, output = diamond()
    paths = Paths(output, x, every_node=False)
    region = paths.region(output, u, [left, right])
    assert [branch.inner for branch in paths.branches(region)] == [[left], [right]]
    assert [paths.gradient(branch) for branch in paths.branches(region)] == [3.0 * right.data, 5.0 * left.data]
    assert paths.gradient(region) == 3.0 * right.data + 5.0 * left.data
    assert paths.accumulate(paths.whole())[x] == 2.0 * paths.gradient(region)


def test_last_steps_are_the_stations_next_to_the_bottom() -> None:
    x, u, left, right, output = diamond()
    paths = Paths(output, u, every_node=False)
    assert [(step.top, step.inner) for step in paths.last_steps(paths.whole())] == [(left, []), (right, [])]
    assert paths.above(paths.whole(), left).inner == []
    assert paths.above(Paths(output, x, every_node=False).region(output, x, [u, left, right]), u).inner == [left, right]


def test_terms_of_a_sum_count_once() -> None:
    a, b = Value(1.0, "a"), Value(2.0, "b")
    total = autograd.sum([a, b, a])
    assert Paths(total, a, every_node=False).terms(total) == {b}
    assert Paths(total, a, every_node=True).terms(total) == set()
    assert Paths(a * b, a, every_node=False).terms(a * b) == set()


def test_nothing_is_active_where_the_output_does_not_depend_on_the_input() -> None:
    assert Paths(Value(1.0) * 2.0, Value(1.0), every_node=False).active == []


@pytest.mark.parametrize("every_node", [False, True])
def test_stations(every_node: bool) -> None:
    x, u, left, right, output = diamond()
    u.label = None
    assert Paths(output, x, every_node).stations == {x, left, right, output} | ({u} if every_node else set())
