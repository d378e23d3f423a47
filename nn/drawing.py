"""Networks as pictures: circles in columns, with the weights on the lines between them.

>>> from autograd import Value
>>> picture = draw_layers([["i1"], ["h1"]], [("i1", "h1", Value(-0.5, label="w1"))])
>>> "w1 −0.5" in picture.source
True

Where everything stands is computed here, so that each renderer shows the same picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from autograd import Drawing, Value
from autograd.notation import cleaned, number
from autograd.views.drawing import digraph, lines_of

DIAMETER = 1.0  # of a circle, in inches
ACROSS, DOWN = 3.4, 1.5  # from one column, and from one circle, to the next
LABELLED = 24  # weights that are labelled; where there are more, their labels would collide
LETTER, LINE = 0.075, 0.17  # the width of a letter, and the height of a label
PLACES = (0.28, 0.34, 0.22, 0.4, 0.46, 0.52, 0.58, 0.64, 0.7, 0.76)  # of a label on its line, the best ones first

Point = tuple[float, float]


def draw_layers(
    layers: Sequence[Sequence[str]],
    connections: Iterable[tuple[str, str, Value]],
    notes: Mapping[str, str] | None = None,
) -> Drawing:
    """Draw a network as circles in columns, with its weights on the lines between them.

    A positive weight is a black line and a negative one gray, as thick as the weight is large. In a small network each
    is labelled, to four significant digits. A line of text below says what the lines mean.

    Args:
        layers: the columns from left to right, each the names of its circles from top to bottom.
        connections: for each line the names of the circles it joins, and the weight.
        notes: for some circles, a line to write below the name.
    """
    connections = list(connections)
    graph = digraph("LR", None, layout="neato", splines="line", outputorder="edgesfirst")
    at: dict[str, Point] = {}
    names: dict[str, str] = {}
    circle = {"shape": "circle", "width": f"{DIAMETER}", "fixedsize": "true"}
    for column, layer in enumerate(layers):
        for row, title in enumerate(layer):
            at[title] = column * ACROSS, ((len(layer) - 1) / 2 - row) * DOWN
            names[title] = name = f"c{column}_{row}"
            graph.node(name, lines_of(title, (notes or {}).get(title)), id=name, pos=_pinned(at[title]), **circle)
    largest = max((abs(weight.data) for _, _, weight in connections), default=0.0) or 1.0
    for source, target, weight in connections:
        width = f"{0.4 + 2.6 * min(abs(weight.data) / largest, 1.0):.2f}"
        colour = "black" if weight.data >= 0 else "gray60"
        graph.edge(names[source], names[target], color=colour, penwidth=width, arrowsize="0.6")
    small = {"shape": "plaintext", "fontsize": "9", "fontcolor": "gray25"}
    if len(connections) <= LABELLED:
        for index, (text, place) in enumerate(_labels(connections, at)):
            size = {"width": f"{_width(text):.2f}", "height": f"{LINE}", "fixedsize": "true", "margin": "0"}
            filled = {"style": "filled", "fillcolor": "white"}
            graph.node(f"w{index}", lines_of(text), id=f"w{index}", pos=_pinned(place), **small, **size, **filled)
    if connections:
        foot = (len(layers) - 1) * ACROSS / 2, min(y for _, y in at.values()) - DIAMETER / 2 - 0.3
        text = f"black: positive; grey: negative; the thickest line: {number(float(f'{largest:.4g}')).plain}"
        graph.node("legend", text, id="legend", pos=_pinned(foot), **small)
    return Drawing(graph.source)


def _pinned(point: Point) -> str:
    return f"{point[0]:.3f},{point[1]:.3f}!"


def _width(text: str) -> float:
    return LETTER * len(text) + 0.06


def _labels(connections: Sequence[tuple[str, str, Value]], at: Mapping[str, Point]) -> list[tuple[str, Point]]:
    """Place a label on each line, clear of other lines and labels where that can be."""
    lines = [(at[source], at[target]) for source, target, _ in connections]
    labels: list[tuple[str, Point]] = []
    for own, (_, _, weight) in enumerate(connections):
        text = f"{cleaned(weight.label)} {number(float(f'{weight.data:.4g}')).plain}".strip()
        best, least = _along(lines[own], PLACES[0]), math.inf
        for place in PLACES:
            point = _along(lines[own], place)
            others = [*lines[:own], *lines[own + 1 :]]
            crossings = sum(_runs_through(line, point, _width(text)) for line in others)
            covered = sum(_overlap(point, _width(text), other, _width(label)) for label, other in labels)
            if crossings + 4 * covered < least:
                best, least = point, crossings + 4 * covered
        labels.append((text, best))
    return labels


def _along(line: tuple[Point, Point], place: float) -> Point:
    (x, y), (u, v) = line
    return x + place * (u - x), y + place * (v - y)


def _runs_through(line: tuple[Point, Point], point: Point, width: float) -> bool:
    """Return whether a line runs through the box of a label."""
    return any(
        abs(x - point[0]) < width / 2 + 0.03 and abs(y - point[1]) < LINE / 2 + 0.03
        for x, y in (_along(line, step / 100) for step in range(101))
    )


def _overlap(point: Point, width: float, other: Point, other_width: float) -> bool:
    return abs(point[0] - other[0]) < (width + other_width) / 2 and abs(point[1] - other[1]) < LINE + 0.04
