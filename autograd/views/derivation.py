"""Gradients taken apart by the chain rule into sums of products of simpler derivatives.

A *station* is a node at which a derivation stops, by default one with a label. If all paths from the output to the
input pass through a station, the gradient is a product. Otherwise it is a sum over branches, each written once.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from autograd.notation import Formula, Names
from autograd.views.paths import Paths, Region
from autograd.views.tracing import trace_formulas
from autograd.views.writing import FOLDED_NODES, TERMS, Writer

EQUATIONS = 40  # derivatives that are taken apart; of those beyond, only the number is given
CHAIN_END = 5  # stations at each end of a long chain that are shown
INLINE_TERMS = 4  # terms of a sum that may stand in brackets within a product


@dataclass(eq=False, repr=False)
class Derivative:
    """A derivative of one node with respect to another, and those that it consists of.

    Attributes:
        name: how it is written, as in ∂out/∂net.
        value: the number.
        terms: the sum of products of derivatives from which `value` was computed; empty for a single factor.
        formula, numbers: a single factor in symbols and in numbers; None if they would be too long to read.
        region: the part of the graph of which it is the gradient; None for the rest of a sum.
        is_whole: whether the region holds all paths from its top to its bottom.
    """

    name: Formula
    value: float
    terms: Sequence[list[Derivative]] = ()
    formula: Formula | None = None
    numbers: Formula | None = None
    region: Region | None = None
    is_whole: bool = False

    def inlined(self) -> list[Derivative]:
        """Return what replaces it within a product: the terms of a short sum, or the derivative alone."""
        short = 2 <= len(self.terms) <= INLINE_TERMS and all(len(term) == 1 for term in self.terms)
        return [term[0] for term in self.terms] if short else [self]


class Derivation:
    """The derivation of a gradient along paths.

    Derivations that share a writer may share `known`: their derivatives, by top and bottom.
    """

    def __init__(
        self, paths: Paths, writer: Writer | None = None, known: dict[tuple[int, int], Derivative] | None = None
    ) -> None:
        self.paths, self.known = paths, known
        self.writer = writer or Writer(
            Names(paths.output, paths.tape.nodes), lambda node: paths.every_node or bool(node.label)
        )
        self.names = self.writer.names
        self.equations = 0
        self.is_guarded = False  # whether a factor of 0 counted more than one that is not finite

    def derive(self, region: Region, is_link: bool = False) -> Derivative:
        """Take the derivative of a region's top by its bottom apart; a link is known to have no waypoints."""
        key = region.top, region.bottom
        if self.known is not None and key in self.known:
            return self.known[key]
        derivative = self._derived(region, is_link)
        derivative.is_whole = True
        if self.known is not None and (derivative.terms or derivative.formula is not None):
            self.known[key] = derivative  # else there were too many equations before it
        return derivative

    def _derived(self, region: Region, is_link: bool = False) -> Derivative:
        name = self.name(region)
        self.equations += 1
        if self.equations > EQUATIONS:
            return self.number_alone(region)
        waypoints = {} if is_link else self.paths.waypoints(region)
        if waypoints:
            return self.of_terms(name, [self.chain(region, waypoints)], region)
        if self.paths.is_direct(region):
            if not region.inner or self.formula(region, numeric=False) is not None:
                return self.factor(name, region)
            self.writer.named.update(map(self.paths.nodes.__getitem__, region.inner))
            self.paths.stations.update(region.inner)
            return self._derived(region)
        branches = self.paths.branches(region)
        if len(branches) > 1:
            return self.of_terms(name, self.sum_of_branches(branches), region)
        return self.of_terms(name, self.sum_of_last_steps(region), region)

    def of_terms(self, name: Formula, terms: Sequence[list[Derivative]], region: Region) -> Derivative:
        """Return the derivative that is this sum of products."""
        value = _added(map(_multiplied, terms))
        if math.isnan(value):  # a factor of 0 may count more than one that is not finite: see `Primitive.guard`
            value = self.paths.gradient(region)
            self.is_guarded = self.is_guarded or not math.isnan(value)
        return Derivative(name, value, terms, region=region)

    def factor(self, name: Formula, region: Region) -> Derivative:
        """Return a derivative between neighbouring stations as one formula."""
        formulas = self.formula(region, numeric=False), self.formula(region, numeric=True)
        return Derivative(name, self.paths.gradient(region), (), *formulas, region)

    def chain(self, region: Region, waypoints: dict[int, int]) -> list[Derivative]:
        """Return the derivatives from each waypoint to the next; the middle of a long chain is one factor."""
        stops = list(waypoints.items())
        long = len(stops) > 2 * CHAIN_END
        if long:
            stops = stops[:CHAIN_END] + stops[-CHAIN_END:]
        ends = pairwise([(region.top, len(region.inner)), *stops, (region.bottom, -1)])
        factors = []
        for count, ((top, end), (bottom, start)) in enumerate(ends):
            part = self.paths.region(top, bottom, region.inner[start + 1 : end], region)
            is_middle = long and count == CHAIN_END
            factors.append(self.number_alone(part) if is_middle else self.derive(part, is_link=True))
        return factors

    def sum_of_branches(self, branches: list[Region]) -> list[list[Derivative]]:
        """Return a term for each of the strongest branches, and the others added up."""
        if len(branches) <= TERMS:  # without a pass over each of them
            return [self.branch(branch) for branch in branches]
        values = [self.paths.gradient(branch) for branch in branches]
        chosen = _strongest(values)
        terms = [self.branch(branches[index]) for index in chosen]
        rest = [value for index, value in enumerate(values) if index not in chosen]
        return [*terms, [_weaker(len(rest), _added(rest))]]

    def branch(self, region: Region) -> list[Derivative]:
        """Return the factors of a branch. One that begins with a term of a sum is the derivative of that term."""
        top, bottom, inner, _, entries = region
        if inner and len(entries) == 1 and inner[-1] in self.paths.stations & self.paths.terms(top):
            return [self.derive(self.paths.region(inner[-1], bottom, inner[:-1], region))]
        waypoints = self.paths.waypoints(region)
        if waypoints:
            return self.chain(region, waypoints)
        name = self.part_name(region)
        if self.paths.stations.isdisjoint(inner):
            return [self.factor(name, region)]
        return [self.of_terms(name, self.sum_of_last_steps(region), region)]

    def sum_of_last_steps(self, region: Region) -> list[list[Derivative]]:
        """Return a term for each station next to the bottom: the top's derivative by it times its own by the bottom."""
        grads = self.paths.accumulate(region)
        steps = self.paths.last_steps(region)
        values = [grads[step.top] * self.paths.gradient(step) for step in steps]
        chosen = _strongest(values)
        terms = []
        for step in (steps[index] for index in chosen):
            if step.top == region.top:
                terms.append([self.factor(self.part_name(step), step)])
            else:
                factor = self.factor(self.name(step), step)
                terms.append([self.derive(self.paths.above(region, step.top)), factor])
        rest = grads[region.bottom] - _added(map(_multiplied, terms))
        if len(chosen) < len(values) or abs(rest) > 1e-9 * abs(grads[region.bottom]):
            terms.append([_weaker(len(values) - len(chosen), rest)])
        return terms

    def number_alone(self, region: Region) -> Derivative:
        """Return the derivative along all paths without taking it apart."""
        return Derivative(self.name(region), self.paths.gradient(region), region=region, is_whole=True)

    def name(self, region: Region) -> Formula:
        """Write the derivative of a region's top by its bottom, as in ∂out/∂net."""
        return self.names.derivative(self.paths.nodes[region.top], self.paths.nodes[region.bottom])

    def part_name(self, region: Region) -> Formula:
        """Write the part of a derivative that one of several branches contributes."""
        name, inner = self.name(region), region.inner
        by = self.names.of(self.paths.nodes[inner[-1]]) if inner else Formula("a direct path", r"\text{a direct path}")
        return Formula(f"({name.plain} by {by.plain})", rf"\left({name.latex}\right)_{{\text{{by }} {by.latex}}}")

    def formula(self, region: Region, numeric: bool) -> Formula | None:
        """Write the derivative of a region as one formula; None if it would be too long to read."""
        if len(region.inner) > FOLDED_NODES:
            return None
        slopes = []
        for node, index, parent, _ in self.paths.edges_in(region):
            slope = self.writer.slope(self.paths.nodes[node], index, numeric)
            if slope is None:
                return None
            slopes.append((node, index, parent, slope))
        result = trace_formulas(region.top, slopes).get(region.bottom, Formula.of(0.0))
        return result if self.writer.is_readable(result) else None


def _multiplied(factors: Sequence[Derivative]) -> float:
    return math.prod([factor.value for factor in factors], start=1.0)


def _added(values: Iterable[float]) -> float:
    return functools.reduce(operator.add, values, 0.0)  # the built-in sum rounds in another way since Python 3.12


def _strongest(values: list[float]) -> list[int]:
    """Return the indices of the strongest of many numbers, or of all of a few, in their own order."""
    if len(values) <= TERMS:
        return list(range(len(values)))
    return sorted(sorted(range(len(values)), key=lambda index: -abs(values[index]))[: TERMS - 1])


def _weaker(count: int, value: float) -> Derivative:
    words = f"{count} weaker term{'' if count == 1 else 's'}" if count else "other paths"
    return Derivative(Formula(f"({words})", rf"(\text{{{words}}})"), value)
