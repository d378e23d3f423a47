"""Which nodes of a graph share a box of its picture.

>>> from autograd import Value, sum, topological_order
>>> weights = [Value(0.5, label=f"w{i}") for i in range(1, 65)]
>>> output = sum([w.tanh() for w in weights])
>>> folding = Folding.of_groups(topological_order(output))
>>> [len(box) for box in folding.boxes]
[64, 64, 1]
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

from autograd.value import Parameter, Value, is_constant

UNFOLDED_NODES = 100  # a larger graph is folded unasked, if that makes
FEWER = 4  # times fewer boxes

Link = tuple[Value, Value, float]  # a node, a node that it was computed from, and the slope


class Folding:
    """The boxes of a picture and the edges between them.

    Attributes:
        boxes: the nodes that each box stands for, in topological order.
        edges: what leads from one box to another: the indices of the two, and the edges of the graph.
        home: the box of each node.
    """

    def __init__(self, nodes: Sequence[Value], home: Mapping[Value, int], is_folded: bool) -> None:
        self.home = home
        self.boxes: list[list[Value]] = [[] for _ in range(max(home.values()) + 1)]
        links: dict[tuple[int, int, int], list[Link]] = defaultdict(list)
        for node in nodes:
            self.boxes[home[node]].append(node)
            for index, (parent, slope) in enumerate(zip(node.parents, node.slopes, strict=True)):
                which = 0 if is_folded else index  # without boxes of several nodes, each use of an operand is an edge
                links[home[parent], home[node], which].append((node, parent, slope))
        self.edges = [(start, end, between) for (start, end, _), between in links.items()]

    @classmethod
    def of(cls, nodes: Sequence[Value], fold: bool | None) -> Folding:
        """Fold a graph or not; None for a large one that becomes much smaller."""
        if fold or (fold is None and len(nodes) > UNFOLDED_NODES):
            folding = cls.of_groups(nodes)
            if fold or FEWER * len(folding.boxes) <= len(nodes):
                return folding
        return cls(nodes, {node: index for index, node in enumerate(nodes)}, False)

    @classmethod
    def of_groups(cls, nodes: Sequence[Value]) -> Folding:
        """Give one box to all nodes that apply one primitive to the same boxes, and have labels alike but for numbers.

        Leaves share a box if they are of one kind, have such labels, and the same boxes read them.
        """
        kinds = {node: _kind(node) for node in nodes}
        keys = _numbered(nodes, lambda node, box: (kinds[node], *dict.fromkeys(box[p] for p in node.parents)))
        readers: dict[Value, set[int]] = defaultdict(set)
        for node in nodes:
            for parent in node.parents:
                readers[parent].add(keys[node])
        for node, read_by in readers.items():
            if node.primitive is None:
                kinds[node] = (*kinds[node], frozenset(read_by))
        home = _numbered(nodes, lambda node, box: (kinds[node], *dict.fromkeys(box[p] for p in node.parents)))
        return cls(nodes, home, True)


def _kind(node: Value) -> tuple[Hashable, ...]:
    """Return what nodes of one box have in common, whatever they were computed from."""
    label = re.sub(r"\d+", "#", node.label) if node.label else ""
    leaf = "constant" if is_constant(node) else "parameter" if isinstance(node, Parameter) else "variable"
    return node.primitive or leaf, label


def _numbered(nodes: Iterable[Value], key: Callable[[Value, dict[Value, int]], Hashable]) -> dict[Value, int]:
    """Number nodes in the order of their first one, equal keys alike; a key may use the numbers of those before."""
    given: dict[Hashable, int] = {}
    numbers: dict[Value, int] = {}
    for node in nodes:
        numbers[node] = given.setdefault(key(node, numbers), len(given))
    return numbers
