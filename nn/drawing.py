"""Networks as pictures: circles in columns, with the weights on the lines between them.

>>> from autograd import Value
>>> picture = draw_layers([["i1"], ["h1"]], [("i1", "h1", Value(-0.5, label="w1"))], {})
>>> "w1 −0.5" in picture.source
True

Where everything stands is computed here, so that each renderer shows the same picture.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from autograd import Drawing, Value
from autograd.notation import cleaned
from autograd.views.appearance import SMALL, Theme, box_number, colours, digraph, lines_of, width_of

COLUMN, ENDS = 12, 5  # circles that a column may have; of more, so many are shown at each end
DIAMETER = 0.95  # of a circle, in inches
ACROSS, DOWN = 3.2, 1.1  # from one column, and from one circle, to the next
SPREADS = ((1.0, 1.0), (1.4, 1.0), (1.8, 1.3), (2.4, 1.6), (3.2, 2.2))  # times these, until each label has room
LABELLED = 24  # weights that are labelled; where there are more, their labels would collide
HEIGHT = 0.18  # of a label
MARGIN = 0.04  # around it
PLACES = sorted(
    (step / 100 for step in range(12, 88, 2)), key=lambda place: abs(place - 0.3)
)  # on a line, the best first
DIGITS, BIAS_DIGITS = 4, 3  # of a weight, and of a bias within a circle

Item = str | Value | tuple[int, int]  # what stands in a column: a circle, a shared bias, or how many are left out
Line = tuple[Item, str, Value]
Point = tuple[float, float]
Segment = tuple[Point, Point]


def draw_layers(
    layers: Sequence[Sequence[str]],
    connections: Sequence[tuple[str, str, Value]],
    biases: Mapping[str, Value],
    notes: Mapping[str, str] | None = None,
    *,
    theme: Theme = "light",
) -> Drawing:
    """Draw a network as circles in columns, with its weights on the lines between them, as `MLP.draw` says.

    In a small network each weight is labelled, to four significant digits, clear of other lines. A bias stands in the
    circle of its neuron; one that several neurons share has a box of its own. A text below says what the lines mean.

    Args:
        layers: the columns from left to right, each the names of its circles from top to bottom.
        connections: for each line the names of the circles it joins, and the weight.
        biases: the bias of each circle that has one, by its name.
        notes, theme: as for `MLP.draw`.
    """
    colour = colours(theme)
    graph = digraph("LR", None, theme, layout="neato", splines="line", outputorder="edgesfirst")
    uses = Counter(biases.values())
    shared = {name: bias for name, bias in biases.items() if uses[bias] > 1}
    columns = [_folded(i, layer) for i, layer in enumerate(layers)]
    for i, layer in enumerate(layers[1:]):
        columns[i] += dict.fromkeys(shared[name] for name in layer if name in shared)
    shown = {item for column in columns for item in column}
    lines: list[Line] = [(bias, name, bias) for name, bias in shared.items() if name in shown]
    drawn: list[Line] = [(a, b, weight) for a, b, weight in connections if a in shown and b in shown]
    labelled = drawn if len(drawn) == len(connections) <= LABELLED else []
    lines += drawn
    at, labels = _placed(columns, lines, labelled)

    names = {item: f"c{i}_{row}" for i, column in enumerate(columns) for row, item in enumerate(column)}
    small = {"fontsize": f"{SMALL}"}
    plain = {"shape": "plaintext", "style": "", "fontcolor": colour["muted"]}
    for item, name in names.items():
        common = {"id": name, "pos": _pinned(at[item]), "fixedsize": "true", **small}
        if isinstance(item, tuple):
            graph.node(name, rf"⋮\n{item[1]:,} more", **common, **plain)
        elif isinstance(item, Value):
            graph.node(name, lines_of(_written(item)), **common, **_box(item), fillcolor=colour["parameter"])
        else:
            bias = _written(biases[item], BIAS_DIGITS) if item in biases and item not in shared else None
            label = lines_of(item, bias, (notes or {}).get(item))
            graph.node(name, label, **common, shape="circle", width=f"{DIAMETER}")
    largest = max((abs(weight.data) for _, _, weight in [*connections, *lines]), default=0.0) or 1.0
    for source, target, weight in lines:
        width = f"{0.4 + 2.6 * min(abs(weight.data) / largest, 1.0):.2f}"
        sign = {"color": colour["forward"]} if weight.data >= 0 else {"color": colour["backward"], "style": "dashed"}
        graph.edge(names[source], names[target], **sign, penwidth=width)
    look = {"fillcolor": colour["parameter"], "color": colour["hairline"], "fixedsize": "true", **small}
    for index, (weight, point) in enumerate(labels):
        name = f"w{index}"
        graph.node(name, lines_of(_written(weight)), id=name, pos=_pinned(point), **look, **_box(weight))
    if lines:
        xs, ys = [x for x, _ in at.values()], [y for _, y in at.values()]
        foot = (min(xs) + max(xs)) / 2, min(ys) - DIAMETER / 2 - 0.3
        text = f"blue: positive; rust, dashed: negative; the thickest line: {box_number(largest, DIGITS)}"
        graph.node("legend", text, id="legend", pos=_pinned(foot), **small, **plain)
    return Drawing(graph.source)


def _folded(column: int, layer: Sequence[str]) -> list[Item]:
    """Return the circles of a column that are drawn, with the number of those that are not between them."""
    if len(layer) <= COLUMN:
        return [*layer]
    return [*layer[:ENDS], (column, len(layer) - 2 * ENDS), *layer[-ENDS:]]


def _placed(
    columns: Sequence[Sequence[Item]], lines: Sequence[Line], labelled: Sequence[Line]
) -> tuple[dict[Item, Point], list[tuple[Value, Point]]]:
    """Place circles, and a label on each line that has one, as far apart as the labels need to be clear of all else."""
    fewest = math.inf
    for wider, higher in SPREADS:
        at = {
            item: (i * ACROSS * wider, ((len(column) - 1) / 2 - row) * DOWN * higher)
            for i, column in enumerate(columns)
            for row, item in enumerate(column)
        }
        ends = {line: (at[line[0]], at[line[1]]) for line in lines}
        labels = _labels(labelled, ends, [*at.values()])
        left_out = len(labelled) - len(labels)
        if left_out < fewest:
            fewest, best = left_out, (at, labels)
        if not left_out:
            break
    return best


def _labels(
    labelled: Sequence[Line], ends: Mapping[Line, Segment], circles: Sequence[Point]
) -> list[tuple[Value, Point]]:
    """Place labels on their lines, those with the fewest places first; one without a clear place is left out."""
    free = {}
    for line in labelled:
        others = [segment for other, segment in ends.items() if other is not line]
        ((x, y), (u, v)), half = ends[line], _width(line[2]) / 2
        points = [(x + place * (u - x), y + place * (v - y)) for place in PLACES]
        free[line] = [
            point
            for point in points
            if not any(_touches(circle, point, half) for circle in circles)
            and not any(_runs_through(segment, point, half) for segment in others)
        ]
    placed: dict[Line, Point] = {}
    for line in sorted(labelled, key=lambda line: len(free[line])):
        for x, y in free[line]:
            if not any(
                abs(x - u) < (_width(line[2]) + _width(other[2])) / 2 + MARGIN and abs(y - v) < HEIGHT + MARGIN
                for other, (u, v) in placed.items()
            ):
                placed[line] = x, y
                break
    return [(line[2], point) for line, point in placed.items()]


def _runs_through(line: Segment, point: Point, half: float) -> bool:
    """Return whether a line runs through a label, of which half the width is given, or close by it."""
    enter, leave = 0.0, 1.0  # where on the line it is within the label, across and down
    for size, centre, start, end in zip((half, HEIGHT / 2), point, *line, strict=True):
        low, high = centre - size - MARGIN - start, centre + size + MARGIN - start
        if start == end:
            if low > 0.0 or high < 0.0:
                return False
            continue
        ends = sorted((low / (end - start), high / (end - start)))
        enter, leave = max(enter, ends[0]), min(leave, ends[1])
    return enter < leave


def _touches(circle: Point, point: Point, half: float) -> bool:
    """Return whether a label comes near a circle, or the heads of its arrows."""
    across = max(abs(point[0] - circle[0]) - half, 0.0)
    return math.hypot(across, point[1] - circle[1]) < DIAMETER / 2 + HEIGHT


def _written(weight: Value, digits: int = DIGITS) -> str:
    return f"{cleaned(weight.label)} {box_number(weight.data, digits)}".strip()


def _width(weight: Value) -> float:
    """Return the width of a label, in inches."""
    return width_of(_written(weight), SMALL) / 72 + 0.06


def _box(weight: Value) -> dict[str, str]:
    return {"width": f"{_width(weight):.2f}", "height": f"{HEIGHT}", "margin": "0"}


def _pinned(point: Point) -> str:
    return f"{point[0]:.3f},{point[1]:.3f}!"
