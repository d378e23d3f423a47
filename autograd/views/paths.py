"""The paths from one node of a graph to another, and the gradient along them.

A *station* is a node that a derivation stops at. By default these are the nodes with a label.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import NamedTuple

from autograd.tape import Tape
from autograd.value import Value
from autograd.views.tracing import edges, trace
from autograd.views.writing import FOLDED_NODES

Slope = tuple[Value, int, Value, float]  # an edge: the node, the index of the operand, the parent, the slope


class Region(NamedTuple):
    """Part of a graph: what leads from one node down to another."""

    top: Value
    bottom: Value
    inner: list[Value]  # in topological order
    entries: list[Slope]  # the edges that lead down from the top


class Paths:
    """All paths from an output down to an input.

    Attributes:
        active: the nodes on the paths in topological order; none if the output does not depend on the input.
        edges: for each of them its edges down.
        stations: those of them that a derivation stops at; all of them if every node is a station.
    """

    def __init__(self, output: Value, input: Value, every_node: bool) -> None:
        self.output, self.input, self.every_node = output, input, every_node
        self.tape = Tape(output)
        reached = self.tape.dependents([input])
        self.edges: dict[Value, list[Slope]] = {output: []} if reached[-1] else {}
        for edge in edges(self.tape, reached):
            if edge[0] in self.edges:  # which what stands below a `stop_gradient` alone is not
                self.edges[edge[0]].append(edge)
                self.edges.setdefault(edge[2], [])
        self.active = [node for node in self.tape.nodes if node in self.edges]
        self._last: tuple[Region | None, list[Slope]] = (None, [])
        self.stations = {node for node in self.active if every_node or node.label or node in (input, output)}

    def region(self, top: Value, bottom: Value, inner: list[Value]) -> Region:
        """Return the region of all paths from the top to the bottom through these inner nodes or past them."""
        inside = {bottom, *inner}
        return Region(top, bottom, inner, [edge for edge in self.edges.get(top, []) if edge[2] in inside])

    def edges_in(self, region: Region) -> list[Slope]:
        """Return the edges of a region from the top down."""
        if self._last[0] is not region:  # several questions are asked of one region, one after another
            inside = {region.bottom, *region.inner}
            inner = [edge for node in reversed(region.inner) for edge in self.edges[node] if edge[2] in inside]
            self._last = region, region.entries + inner
        return self._last[1]

    def accumulate(self, region: Region) -> dict[Value, float]:
        """Return the derivative of the top of a region by each of its nodes, along the paths within it."""
        grads = {region.bottom: 0.0, region.top: 1.0}
        grads.update((edge.parent, edge.after) for edge in trace(region.top, self.edges_in(region)))
        return grads

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

    def waypoints(self, region: Region) -> list[Value]:
        """Return the stations common to all paths, from the top down, except terms of the station above."""
        order = {node: index for index, node in enumerate([region.bottom, *region.inner, region.top])}
        jumps = [0] * (len(order) + 1)  # how many edges pass over a node: where they begin and end
        for node, _, parent, _ in self.edges_in(region):
            jumps[order[parent] + 1] += 1
            jumps[order[node]] -= 1
        passing, found = 0, []
        for index, node in enumerate(region.inner, start=1):
            passing += jumps[index]
            if passing == 0 and node in self.stations:
                found.append(node)
        found.reverse()
        return [node for node, above in zip(found, [region.top, *found], strict=False) if node not in self.terms(above)]

    def branches(self, region: Region) -> list[Region]:
        """Split a region into parts that share no node. The edges from the top straight to the bottom are one part."""
        group = {node: node for node in region.inner}

        def leader(node: Value) -> Value:
            while group[node] is not node:
                group[node] = group[group[node]]
                node = group[node]
            return node

        for node, _, parent, _ in self.edges_in(region)[len(region.entries) :]:
            if parent is not region.bottom:
                group[leader(parent)] = leader(node)
        members, entries = defaultdict(list), defaultdict(list)
        for node in region.inner:
            members[leader(node)].append(node)
        for edge in region.entries:
            entries[leader(edge[2]) if edge[2] in group else region.bottom].append(edge)
        return [Region(region.top, region.bottom, members[first], edges) for first, edges in entries.items()]

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
        parents = defaultdict(list)
        for node, _, parent, _ in self.edges_in(region):
            parents[node].append(parent)
        return parents
