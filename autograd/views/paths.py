"""The paths from one node of a graph to another, and the gradient along them.

Nodes are given by their indices in a tape. A *station* is a node that a derivation stops at. By default these are the
nodes with a label.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import filterfalse
from typing import NamedTuple

from autograd.tape import Slopes, Tape, accumulate
from autograd.value import Value
from autograd.views.tracing import Slope, edges_of
from autograd.views.writing import FOLDED_NODES


class Region(NamedTuple):
    """Part of a graph: what leads from one node down to another."""

    top: int
    bottom: int
    inner: array[int]  # in topological order
    inside: set[int]  # nodes that its edges may lead to
    entries: list[Slope[int]]  # the edges that lead down from the top


class Paths:
    """All paths from an output down to an input.

    Attributes:
        active: the nodes on the paths in topological order; none if the output does not depend on the input.
        stations: those of them that a derivation stops at; all of them if every node is a station.
    """

    def __init__(self, output: Value, input: Value, every_node: bool) -> None:
        self.output, self.every_node = output, every_node
        self.tape = tape = Tape(output)
        self.nodes = tape.nodes
        (self.bottom,) = tape.indices_of([input])
        self.active = array("I", reversed(tape.below(len(tape) - 1, tape.dependents([input]))))
        self.stations = {index for index in self.active if every_node or tape.nodes[index].label}
        self.stations.update(self.active[:1] + self.active[-1:])
        self._grads, self._wanted = [0.0] * len(tape), bytearray(len(tape))  # all 0 between two accumulations

    def whole(self) -> Region:
        """Return the region of all paths."""
        top, inside = len(self.tape) - 1, set(self.active)
        return Region(top, self.bottom, self.active[1:-1], inside, edges_of(self.tape, top, inside.__contains__))

    def region(self, top: int, bottom: int, inner: array[int], within: Region | None = None) -> Region:
        """Return the region of all paths from the top to the bottom through these inner nodes or past them.

        Args:
            top: where the paths begin.
            bottom: where they end.
            inner: the nodes between, in topological order.
            within: a region that these are part of, and which no edge leaves from them.
        """
        if within is not None and top == within.top:
            return within._replace(bottom=bottom, inner=inner)
        inside = within.inside if within is not None else {bottom, *inner}
        return Region(top, bottom, inner, inside, edges_of(self.tape, top, inside.__contains__))

    def edges_in(self, region: Region) -> Iterator[Slope[int]]:
        """Yield the edges of a region from the top down."""
        yield from region.entries
        for node in reversed(region.inner):
            yield from edges_of(self.tape, node, region.inside.__contains__)

    def accumulate(self, region: Region) -> dict[int, float]:
        """Return the derivative of the top of a region by each of its nodes, along the paths within it."""
        grads, wanted, below = self._grads, self._wanted, [region.bottom, *region.inner]
        try:
            for node in below:
                wanted[node] = 1
            for _, _, parent, slope in region.entries:
                grads[parent] += slope
            accumulate(self.tape, grads, wanted, Slopes(), below[:0:-1])
            return {node: grads[node] for node in below} | {region.top: 1.0}
        finally:  # also after an interrupt
            for node in below:
                grads[node], wanted[node] = 0.0, 0

    def gradient(self, region: Region) -> float:
        """Return the derivative of the top of a region by its bottom."""
        return self.accumulate(region)[region.bottom]

    def terms(self, node: int) -> set[int]:
        """Return the nodes that a sum adds up once; none if the node is no sum, or if every node is a station."""
        primitive = self.nodes[node].primitive
        if self.every_node or primitive is None or not primitive.is_sum:
            return set()
        return {term for term, uses in Counter(self.tape.operands_of(node)).items() if uses == 1}

    def is_direct(self, region: Region) -> bool:
        """Return whether no station lies between the top and the bottom, except terms of the top."""
        return self.stations.isdisjoint(filterfalse(self.terms(region.top).__contains__, region.inner))

    def waypoints(self, region: Region) -> dict[int, int]:
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
            for parent in self.tape.operands_of(node):
                if parent in region.inside:
                    ended[parent] += 1
                    passing += 1
        return found

    def branches(self, region: Region) -> list[Region]:
        """Split a region into parts that share no node. The edges from the top straight to the bottom are one part."""
        group = {edge[2]: edge[2] for edge in region.entries}  # for each node the first of its part, or leads there

        def leader(node: int) -> int:
            while group[node] != node:
                group[node] = node = group[group[node]]
            return node

        members = defaultdict(lambda: array("I"), dict.fromkeys(group, region.inner))
        if len(group.keys() - {region.bottom}) > 1:
            for node in reversed(region.inner):
                for parent in self.tape.operands_of(node):
                    is_inner = parent in region.inside and parent != region.bottom
                    if is_inner and group.setdefault(parent, group[node]) != group[node]:
                        group[leader(parent)] = leader(node)
            members.clear()
            for node in region.inner:
                members[leader(node)].append(node)
        members[region.bottom] = array("I")
        entries = defaultdict(list)
        for edge in region.entries:
            entries[leader(edge[2])].append(edge)
        return [region._replace(inner=members[first], entries=edges) for first, edges in entries.items()]

    def last_steps(self, region: Region) -> list[Region]:
        """Return the region between each station next to the bottom and the bottom, where few nodes lie between."""
        between: dict[int, set[int]] = {region.bottom: set()}  # nodes that no station parts from the bottom
        last: dict[int, array[int]] = {}
        for node in (*region.inner, region.top):
            parents = self.tape.operands_of(node) if node != region.top else [edge[2] for edge in region.entries]
            near = [parent for parent in parents if parent in between]
            if near:
                nodes = set().union(*(between[parent] | {parent} for parent in near)) - {region.bottom}
                if node in self.stations:
                    last[node] = array("I", sorted(nodes))
                elif len(nodes) < FOLDED_NODES:
                    between[node] = nodes
        regions = [self.region(station, region.bottom, nodes) for station, nodes in last.items()]
        if region.top in last:  # the last of them; edges from it that lead into another branch do not belong here
            inside = regions[-1].inside
            regions[-1] = regions[-1]._replace(entries=[edge for edge in region.entries if edge[2] in inside])
        return regions

    def above(self, region: Region, bottom: int) -> Region:
        """Return the part of a region above one of its nodes."""
        over, found = {bottom}, array("I")
        for node in region.inner:
            if not over.isdisjoint(self.tape.operands_of(node)):
                over.add(node)
                found.append(node)
        return self.region(region.top, bottom, found)
