"""Paths: which nodes lie on every path, which branches part, and the gradient along each."""

from array import array
from collections.abc import Iterable

import pytest

import autograd
from autograd import Value
from autograd.views.paths import Paths


def labelled(value: Value, label: str) -> Value:
    value.label = label
    return value


def labels(paths: Paths, nodes: Iterable[int]) -> list[str | None]:
    return [paths.nodes[node].label for node in nodes]


def indices(paths: Paths, *nodes: Value) -> "array[int]":
    return array("I", map(paths.nodes.index, nodes))


def diamond() -> tuple[Value, Value, Value, Value, Value]:
    """x -> u -> (left, right) -> E, and a path from x past u."""
    x = Value(0.5, "x")
    u = labelled(x * 2.0, "u")
    left, right = labelled(u * 3.0, "left"), labelled(u * 5.0, "right")
    return x, u, left, right, labelled(left * right, "E")


def test_a_node_on_every_path_is_a_waypoint() -> None:
    x, *_, output = diamond()
    paths = Paths(output, x, every_node=False)
    assert labels(paths, paths.active) == ["x", "u", "left", "right", "E"]
    assert labels(paths, paths.waypoints(paths.whole())) == ["u"]
    past = labelled(output + x, "F")
    paths = Paths(past, x, every_node=False)
    assert paths.waypoints(paths.whole()) == {}


def test_branches_share_no_node() -> None:
    x, u, left, right, output = diamond()
    paths = Paths(output, x, every_node=False)
    top, bottom = indices(paths, output, u)
    region = paths.region(top, bottom, indices(paths, left, right))
    assert [labels(paths, branch.inner) for branch in paths.branches(region)] == [["left"], ["right"]]
    assert [paths.gradient(branch) for branch in paths.branches(region)] == [3.0 * right.data, 5.0 * left.data]
    assert paths.gradient(region) == 3.0 * right.data + 5.0 * left.data
    assert paths.accumulate(paths.whole())[paths.active[0]] == 2.0 * paths.gradient(region)


def test_last_steps_are_the_stations_next_to_the_bottom() -> None:
    x, u, left, right, output = diamond()
    paths = Paths(output, u, every_node=False)
    steps = paths.last_steps(paths.whole())
    assert [(labels(paths, [step.top]), len(step.inner)) for step in steps] == [(["left"], 0), (["right"], 0)]
    assert len(paths.above(paths.whole(), steps[0].top).inner) == 0
    paths = Paths(output, x, every_node=False)
    bottom, inside, *inner, top = indices(paths, x, u, left, right, output)
    region = paths.region(top, bottom, array("I", [inside, *inner]))
    assert labels(paths, paths.above(region, inside).inner) == ["left", "right"]


def test_terms_of_a_sum_count_once() -> None:
    a, b = Value(1.0, "a"), Value(2.0, "b")
    total = autograd.sum([a, b, a])
    for every_node, expected in ((False, ["b"]), (True, [])):
        paths = Paths(total, a, every_node)
        assert labels(paths, paths.terms(paths.active[-1])) == expected
    paths = Paths(a * b, a, every_node=False)
    assert paths.terms(paths.active[-1]) == set()


def test_nothing_is_active_where_the_output_does_not_depend_on_the_input() -> None:
    assert len(Paths(Value(1.0) * 2.0, Value(1.0), every_node=False).active) == 0


@pytest.mark.parametrize("every_node", [False, True])
def test_stations(every_node: bool) -> None:
    x, u, left, right, output = diamond()
    u.label = None
    paths = Paths(output, x, every_node)
    assert paths.stations == set(indices(paths, x, left, right, output, *([u] if every_node else [])))
