"""Placement: each station once, boxes beside each other, edges from box to box, with each of the renderers."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest

import autograd
from autograd import Constant, Value
from autograd.views import rendering
from autograd.views.live_page import placement
from autograd.views.live_page.placement import LEAF, LINE, PLACED_NODES, WIDEST, place
from autograd.views.live_page.stations import StationGraph
from nn.examples.worked_example import build_network, forward

RENDERERS = list(rendering.renderers())
ROUNDED = 0.2  # pixels


def diamond() -> Value:
    x = Value(0.5, "x")
    left, right = x.sin(), x * x
    left.label, right.label = "left", "right"
    return left * right + Constant(2.0, "k")


def leaf() -> Value:
    return Constant(2.0)


def wide() -> Value:
    return autograd.sum([Value(1.0, f"<x{k}>") for k in range(40)])


def random_dag() -> Value:
    generator = random.Random(3)
    nodes: list[Value] = [Value(0.1, 'a "b"'), Value(0.2, "->"), Value(0.3)]
    for _ in range(60):
        nodes.append(generator.choice(nodes) * generator.choice(nodes[-5:]))
    return nodes[-1]


def worked_example() -> Value:
    return forward(build_network())


def placed(output: Value, formulas: dict[Value, str] | None = None) -> tuple[StationGraph, dict[str, Any]]:
    graph = StationGraph(output)
    if formulas is None:
        formulas = {node: "x · y" for node in graph.stations if node.primitive is not None}
    result = place(graph, formulas)
    assert result is not None
    return graph, result


@pytest.mark.parametrize("program", RENDERERS)
@pytest.mark.parametrize("build", [diamond, leaf, wide, random_dag, worked_example])
def test_each_station_has_a_box_and_each_pair_an_edge(
    build: Callable[[], Value], program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "renderers", lambda: iter([program]))
    graph, directions = placed(build())
    stations = sorted(graph.slots[node] for node in graph.stations)
    pairs = sorted([graph.slots[p], graph.slots[n]] for n in graph.stations for p in graph.operands(n))
    assert set(directions) == {"across", "down"}
    for direction, picture in directions.items():
        width, height = picture["size"]
        boxes = {slot: (x, y, w, h) for slot, x, y, w, h in picture["boxes"]}
        assert sorted(slot for slot, *_ in picture["boxes"]) == stations
        assert sorted([start, end] for start, end, *_ in picture["edges"]) == pairs
        for x, y, w, h in boxes.values():
            assert w / 2 - ROUNDED <= x <= width - w / 2 + ROUNDED
            assert h / 2 - ROUNDED <= y <= height - h / 2 + ROUNDED
        for (x, y, w, h), (x2, y2, w2, h2) in itertools.combinations(boxes.values(), 2):
            assert abs(x - x2) >= (w + w2) / 2 - ROUNDED or abs(y - y2) >= (h + h2) / 2 - ROUNDED
        for start, end, *points in picture["edges"]:
            assert len(points) % 6 == 2  # (x, y) for 3n + 1 control points
            axis = 0 if direction == "across" else 1
            assert boxes[start][axis] < boxes[end][axis]
            for slot, x, y in ((start, *points[:2]), (end, *points[-2:])):
                bx, by, w, h = boxes[slot]
                assert abs(x - bx) <= w / 2 + 2  # an edge ends at the border of its box
                assert abs(y - by) <= h / 2 + 2


def test_the_formula_widens_the_box_of_an_operation_up_to_a_limit() -> None:
    x = Value(0.5, "x")
    output = x.sin()
    sizes = []
    for formula in ("", "sin(x)", "sin(x) + 30 letters more or less", "y" * 1000):
        graph, directions = placed(output, {output: formula})
        for direction, picture in directions.items():
            (box,) = [box for box in picture["boxes"] if box[0] == graph.slots[output]]
            (other,) = [box for box in picture["boxes"] if box[0] == graph.slots[x]]
            assert other[3:] == pytest.approx(list(LEAF), abs=ROUNDED)
            assert box[4] == pytest.approx(LEAF[1] + LINE, abs=ROUNDED)
            sizes.append((direction, box[3]))
    across = [width for direction, width in sizes if direction == "across"]
    assert across == sorted(across)
    assert across[1] < across[2] < across[3]
    assert across[-1] == pytest.approx(WIDEST, abs=ROUNDED)
    assert all(width <= across[-1] for _, width in sizes)


def test_a_large_graph_and_one_without_a_renderer_are_not_placed(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Value(0.5)
    for _ in range(PLACED_NODES):
        node = node.sin()

    def fail(*arguments: Any) -> bytes:
        raise AssertionError("it was laid out")

    monkeypatch.setattr(placement, "render", fail)
    assert place(StationGraph(node), {}) is None
    monkeypatch.undo()
    monkeypatch.setattr(rendering, "renderers", lambda: iter(()))
    assert place(StationGraph(Value(1.0) + 1.0), {}) is None


def test_a_graph_that_takes_too_long_is_not_placed(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(source: str, file_format: str, timeout: float) -> bytes:
        raise TimeoutError(f"not within {timeout} seconds")

    monkeypatch.setattr(placement, "render", slow)
    assert place(StationGraph(Value(1.0) + 1.0), {}) is None
