"""Stations: which nodes a page shows, and that all others lie between them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

import autograd
from autograd import Constant, Parameter, Value, topological_order
from autograd.views.live_page.stations import StationGraph
from autograd.views.writing import FOLDED_NODES
from nn.examples.worked_example import build_network, forward
from tests.shared_code import examples
from tests.test_writing import graphs


def names(graph: StationGraph, nodes: Any) -> list[str]:
    return [graph.names.of(node).plain for node in graph.nodes if node in nodes]


def below(graph: StationGraph, station: Value) -> tuple[set[Value], set[Value]]:
    """The folded operations and the stations that paths down from a station meet first."""
    folded, met = set(), set()

    def walk(node: Value) -> None:
        for parent in node.parents:
            if parent in graph.stations:
                met.add(parent)
            elif parent.primitive is not None:
                folded.add(parent)
                walk(parent)

    walk(station)
    return folded, met


@examples(200)
@given(graphs(labelled=True))
def test_every_node_is_a_station_or_folds_into_one(nodes: list[Value]) -> None:
    output = nodes[-1]
    graph = StationGraph(output)
    assert graph.nodes == topological_order(output)
    assert [graph.slots[node] for node in graph.nodes] == list(range(len(graph.nodes)))
    operations = [node for node in graph.nodes if node.primitive is not None]
    covered = set()
    for node in graph.nodes:
        if node in graph.stations:
            folded, met = below(graph, node)
            covered |= folded
            assert graph.folded(node) == sorted(folded, key=graph.slots.__getitem__)
            assert len(folded) <= FOLDED_NODES
            assert set(graph.operands(node)) == met
            assert len(graph.operands(node)) == len(met)
            assert graph.parents(node) == graph.operands(node)  # there are no constants
        else:
            assert not node.label
    assert covered == set(graph.nodes) - graph.stations
    assert output in graph.stations
    if not any(node.label for node in operations if node is not output):
        assert graph.stations == set(graph.nodes)


def test_the_stations_of_the_worked_example_are_the_articles_symbols() -> None:
    total = forward(build_network())
    graph = StationGraph(total)
    computed = [name for name in names(graph, graph.stations) if not name.startswith(("w", "b", "i", "target"))]
    assert sorted(computed) == sorted(
        [*("net_h1", "out_h1", "net_h2", "out_h2", "net_o1", "out_o1", "net_o2", "out_o2", "E_o1", "E_o2", "E_total")]
    )
    by_name = {graph.names.of(node).plain: node for node in graph.nodes}
    net, error = by_name["net_h1"], by_name["E_o1"]
    assert [graph.names.of(node).plain for node in graph.operands(net)] == ["w1", "w2", "i1", "i2", "b1"]
    assert [graph.names.of(node).plain for node in graph.parents(net)] == ["w1", "w2", "b1"]
    assert [graph.names.of(node).plain for node in graph.parents(error)] == ["out_o1"]
    assert [node.primitive.name for node in graph.folded(error) if node.primitive] == ["subtract", "power"]


def test_constants_are_stations_only_if_they_have_a_label() -> None:
    x, target = Value(1.0), Constant(2.0, "target")
    square = (x - target) * 3.0
    graph = StationGraph(square)
    assert graph.operands(square) == [square.parents[0]]
    assert graph.operands(square.parents[0]) == [x, target]
    assert graph.parents(square.parents[0]) == [x]
    assert [node.data for node in graph.nodes if node not in graph.stations] == [3.0]


def test_without_labels_each_operation_is_a_station_and_one_label_folds_the_others() -> None:
    x = Value(0.5)
    inner = (x * x).sin()
    output = inner * x
    output.label = "E"  # the output's own label asks for nothing
    assert StationGraph(output).stations == set(topological_order(output))
    inner.label = "inner"
    assert StationGraph(output).stations == {x, inner, output}


def test_at_most_so_many_operations_fold() -> None:
    x = Value(0.5)
    start = x.sin()
    start.label = "start"

    def stations_above(length: int) -> int:
        node = start
        for _ in range(length):
            node = node.sin()
        return len(StationGraph(node).stations) - 2  # without x and start

    assert [stations_above(n) for n in (1, FOLDED_NODES + 1)] == [1, 1]
    assert stations_above(FOLDED_NODES + 2) == FOLDED_NODES + 2
    assert stations_above(1000) == 1000


def test_operands_stand_in_their_order_each_once() -> None:
    a, b, c = (Value(1.0, label) for label in "abc")
    shown = a.tanh() + autograd.sum([b * (c - a), b, a])
    shown.parents[0].label = "t"
    graph = StationGraph(shown)
    assert [graph.names.of(node).plain for node in graph.operands(shown)] == ["t", "b", "c", "a"]


@pytest.mark.parametrize("leaf", [Value(1.0), Parameter(1.0), Constant(1.0), Constant(1.0, "k")])
def test_a_leaf_is_a_graph_of_one_station(leaf: Value) -> None:
    graph = StationGraph(leaf)
    assert (graph.nodes, graph.stations) == ([leaf], {leaf})
    assert (graph.folded(leaf), graph.operands(leaf), graph.parents(leaf)) == ([], [], [])


def test_a_deep_and_a_wide_graph() -> None:
    node = x = Value(0.1)
    for _ in range(50_000):
        node = node + x
    assert len(StationGraph(node).stations) == 50_001
    wide = autograd.sum([Value(1.0) for _ in range(50_000)])
    assert len(StationGraph(wide).operands(wide)) == 50_000
