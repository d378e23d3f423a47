"""The paths from one node of a graph to another, and the gradient along them.

A *station* is a node that a derivation stops at. By default these are the nodes with a label.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import compress
from typing import NamedTuple

from autograd.tape import Tape
from autograd.value import Value
from autograd.views.tracing import Slope, accumulate
from autograd.views.writing import FOLDED_NODES

NARROW = 8  # operands up to which edges are not kept: those of a million nodes would keep the garbage collector busy


class Region(NamedTuple):
    """Part of a graph: what leads from one node down to another."""

    top: Value
    bottom: Value
    inner: list[Value]  # in topological order
    inside: set[Value]  # nodes that its edges may lead to
    entries: list[Slope]  # the edges that lead down from the top


class Paths:
    """All paths from an output down to an input.

    Attributes:
        active: the nodes on the paths in topological order; none if the output does not depend on the input.
        stations: those of them that a derivation stops at; all of them if every node is a station.
    """

    def __init__(self, output: Value, input: Value, every_node: bool) -> None:
        self.output, self.input, self.every_node = output, input, every_node
        self.tape = Tape(output)
        self.active = _between(self.tape, input)
        self._reached = set(self.active)
        self._edges: dict[Value, list[Slope]] = {}  # of wide nodes
        self._last_parents: tuple[Region | None, dict[Value, list[Value]]] = (None, {})
        self.stations = {node for node in self.active if every_node or node.label or node in (input, output)}

    def edges_of(self, node: Value) -> list[Slope]:
        """Return the edges on the paths that lead down from one of their nodes."""
        if node in self._edges:
            return self._edges[node]
        parents, slopes, reached = node.parents, node.slopes, self._reached
        found = [(node, index, parent, slopes[index]) for index, parent in enumerate(parents) if parent in reached]
        if len(parents) > NARROW:
            self._edges[node] = found
        return found

    def whole(self) -> Region:
        """Return the region of all paths."""
        return self.region(self.output, self.input, self.active[1:-1])

    def region(self, top: Value, bottom: Value, inner: list[Value], within: Region | None = None) -> Region:
        """Return the region of all paths from the top to the bottom through these inner nodes or past them.

        Args:
            top: where the paths begin.
            bottom: where they end.
            inner: the nodes between, in topological order.
            within: a region that these are part of, and which no edge leaves from them.
        """
        if within is not None and top is within.top:
            return within._replace(bottom=bottom, inner=inner)
        inside = within.inside if within is not None else {bottom, *inner}
        return Region(top, bottom, inner, inside, [edge for edge in self.edges_of(top) if edge[2] in inside])

    def edges_in(self, region: Region) -> Iterator[Slope]:
        """Yield the edges of a region from the top down."""
        yield from region.entries
        for node in reversed(region.inner):
            for edge in self.edges_of(node):
                if edge[2] in region.inside:
                    yield edge

    def accumulate(self, region: Region) -> dict[Value, float]:
        """Return the derivative of the top of a region by each of its nodes, along the paths within it."""
        return {region.bottom: 0.0, **accumulate(region.top, self.edges_in(region))}

    def gradient(self, region: Region) -> float:
        """Return the derivative of the top of a region by its bottom."""
        return self.accumulate(region)[region.bottom]

    def terms(self, node: Value) -> set[Value]:
        """Return the nodes that a sum adds up once; none if the node is no sum, or if every node is a station."""
        if self.every_node or node.primitive is None or not node.primitive.is_sum:
            return set()
        return {term for term, uses in Counter(node.parents).items() if uses == 1}

    def is_direct(self, region: Region) -> bool:
        """Return whether no station lies between the top and the bottom, except terms of the top."""
        terms = self.terms(region.top)
        return self.stations.isdisjoint(node for node in region.inner if node not in terms)

    def waypoints(self, region: Region) -> dict[Value, int]:
        """Return the stations common to all paths, from the top down, except terms of the station above.

        Each comes with its index in `region.inner`.
        """
        ended = Counter(edge[2] for edge in region.entries)  # edges whose lower end has not been met yet
        passing, above, found = len(region.entries), region.top, {}
        for index in reversed(range(len(region.inner))):
            if ended[region.bottom]:  # an edge passes over all nodes that are left
                break
            node = region.inner[index]
            passing -= ended.pop(node, 0)
            if not passing and node in self.stations:
                if node not in self.terms(above):
                    found[node] = index
                above = node
            for edge in self.edges_of(node):
                if edge[2] in region.inside:
                    ended[edge[2]] += 1
                    passing += 1
        return found

    def branches(self, region: Region) -> list[Region]:
        """Split a region into parts that share no node. The edges from the top straight to the bottom are one part."""
        group = {edge[2]: edge[2] for edge in region.entries}  # for each node the first of its part, or leads there

        def leader(node: Value) -> Value:
            while group[node] is not node:
                group[node] = node = group[group[node]]
            return node

        members = defaultdict(list, dict.fromkeys(group, region.inner))
        if len(group.keys() - {region.bottom}) > 1:
            for node, _, parent, _ in self.edges_in(region):
                if parent not in group:
                    group[parent] = group[node]
                elif node is not region.top and group[parent] is not group[node] and parent is not region.bottom:
                    group[leader(parent)] = leader(node)
            members.clear()
            for node in region.inner:
                members[leader(node)].append(node)
        members[region.bottom] = []
        entries = defaultdict(list)
        for edge in region.entries:
            entries[leader(edge[2])].append(edge)
        return [region._replace(inner=members[first], entries=edges) for first, edges in entries.items()]

    def last_steps(self, region: Region) -> list[Region]:
        """Return the region between each station next to the bottom and the bottom, where few nodes lie between."""
        between: dict[Value, set[Value]] = {region.bottom: set()}  # nodes that no station parts from the bottom
        last: dict[Value, list[Value]] = {}
        order = {node: index for index, node in enumerate(region.inner)}
        parents = self._parents(region)
        for node in (*region.inner, region.top):
            near = [parent for parent in parents[node] if parent in between]
            if near:
                nodes = set().union(*(between[parent] | {parent} for parent in near)) - {region.bottom}
                if node in self.stations:
                    last[node] = sorted(nodes, key=order.__getitem__)
                elif len(nodes) < FOLDED_NODES:
                    between[node] = nodes
        regions = [self.region(station, region.bottom, nodes) for station, nodes in last.items()]
        if region.top in last:  # the last of them; edges from it that lead into another branch do not belong here
            own = set(region.entries)
            regions[-1] = regions[-1]._replace(entries=[edge for edge in regions[-1].entries if edge in own])
        return regions

    def above(self, region: Region, bottom: Value) -> Region:
        """Return the part of a region above one of its nodes."""
        parents = self._parents(region)
        over, found = {bottom}, []
        for node in region.inner:
            if not over.isdisjoint(parents[node]):
                over.add(node)
                found.append(node)
        return self.region(region.top, bottom, found)

    def _parents(self, region: Region) -> dict[Value, list[Value]]:
        if self._last_parents[0] is not region:
            parents = defaultdict(list)
            for node, _, parent, _ in self.edges_in(region):
                parents[node].append(parent)
            self._last_parents = region, parents
        return self._last_parents[1]


def _between(tape: Tape, input: Value) -> list[Value]:
    """Return the nodes on the paths from the output of a tape to an input, which no result of `stop_gradient` is on."""
    above = tape.dependents([input])
    reached = bytearray(len(tape))
    reached[-1] = above[-1]
    starts, operands = tape.starts, tape.operands
    for index in reversed(range(len(reached))):
        if reached[index] and above[index]:
            for operand in operands[starts[index] : starts[index + 1]]:
                reached[operand] = above[operand]
    return list(compress(tape.nodes, reached))
