"""The places of a graph's stations on a page, laid out by Graphviz, in pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograd.value import Value
from autograd.views.live_page.stations import StationGraph
from autograd.views.rendering import render

PLACED_NODES = 500  # of a larger graph the page shows the surroundings of one node
SECONDS = 5.0  # that the renderer is given for each direction
LEAF = (116.0, 44.0)  # width and height of a box, in pixels
LINE, LETTER = 18, 6.6  # the height of the line with the formula, and the width of a letter there
WIDEST, WIDEST_DOWN = 236, 148  # of a box, in a picture that runs across or down
PIXELS = 72  # an inch of Graphviz


def place(graph: StationGraph, formulas: Mapping[Value, str]) -> dict[str, Any] | None:
    """Lay out the stations of a graph, of which operations have boxes with formulas.

    Returns:
        For each of the directions "across" and "down" the size of the picture, its boxes as [slot, x, y, width,
        height], centre and size, and its edges as [from, to, x, y, …], the control points of Bézier curves. None if the
        graph is too large, or no renderer can lay it out.
    """
    nodes = [node for node in graph.nodes if node in graph.stations]
    if len(nodes) > PLACED_NODES:
        return None
    try:
        return {
            "across": _placed(graph, nodes, formulas, "LR", WIDEST),
            "down": _placed(graph, nodes, formulas, "TB", WIDEST_DOWN),
        }
    except (RuntimeError, TimeoutError):
        return None


def _placed(
    graph: StationGraph, nodes: list[Value], formulas: Mapping[Value, str], rankdir: str, widest: float
) -> dict[str, Any]:
    settings = f"graph [rankdir={rankdir},nodesep=0.18,ranksep=0.45]; node [shape=box,fixedsize=true]; edge [dir=none]"
    lines = ["digraph {", settings]
    for node in nodes:
        width, height = LEAF
        if node in formulas:
            width, height = min(max(width, LETTER * len(formulas[node]) + 20), widest), height + LINE
        lines.append(f"{graph.slots[node]} [width={width / PIXELS:.4f},height={height / PIXELS:.4f}]")
    lines += [f"{graph.slots[p]} -> {graph.slots[n]}" for n in nodes for p in graph.operands(n)]
    text = render("\n".join([*lines, "}"]), "plain", SECONDS).decode()
    boxes, edges = [], []
    size = [0.0, 0.0]
    for kind, *words in map(str.split, text.splitlines()):
        if kind == "graph":
            size = [_pixels(word) for word in words[1:3]]
        elif kind == "node":
            slot, x, y, width, height = int(words[0]), *map(_pixels, words[1:5])
            boxes.append([slot, x, round(size[1] - y, 1), width, height])
        elif kind == "edge":
            numbers = [_pixels(word) for word in words[3 : 3 + 2 * int(words[2])]]
            flipped = [n if i % 2 == 0 else round(size[1] - n, 1) for i, n in enumerate(numbers)]
            edges.append([int(words[0]), int(words[1]), *flipped])
    return {"size": size, "boxes": boxes, "edges": edges}


def _pixels(inches: str) -> float:
    return round(float(inches) * PIXELS, 1)
