"""Formulas whose numbers a page fills in, with the places of nodes marked by slot.

>>> from autograd import Value
>>> a, b = Value(2.0, label="a"), Value(3.0, label="b")
>>> output = a * b
>>> Templates(StationGraph(output)).operation(output) == f"{MARK}0.2 · {MARK}1.4"
True

A mark is followed by the slot of a node, and by how tightly what is filled in must bind, if that is of any concern: a
negative number (2) or one with an exponent (3) goes in brackets where the level is higher. The page fills in names or
numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from autograd.notation import Form, Formula, Names, number, operation
from autograd.primitives import SUM
from autograd.value import Value, is_constant
from autograd.views.derivation import Derivation, Derivative
from autograd.views.live_page.stations import StationGraph
from autograd.views.paths import Paths
from autograd.views.tracing import trace_formulas
from autograd.views.writing import FORMULA_LENGTH, TERMS, Writer

MARK, NUMBER_MARK = "@", "#"  # of a node; of a node of which only the number is shown
PLACE = re.compile(rf"[{MARK}{NUMBER_MARK}](\d+)(\.\d)?")
DERIVED_NODES = 400_000  # targets times nodes of a graph whose derivations are written in advance
MOST_DERIVATIVES = 4_000  # that a page holds
MOST_OPERANDS = 200  # of a node whose slopes are written, if each of them holds all other operands
TOO_LONG = Formula("…" * (FORMULA_LENGTH + 1))


class _Mark(Formula):
    """The place of a node in a template."""

    __slots__ = ()

    def within(self, form: Form, level: int) -> str:
        return self.plain if level <= SUM else f"{self.plain}.{level}"


class _MarkedNames(Names):
    """Names that are marks."""

    def __init__(self, graph: StationGraph) -> None:
        super().__init__(graph.output, graph.nodes)
        self.slots, self.stations = graph.slots, graph.stations

    def _formula(self, node: Value) -> Formula:
        is_number = is_constant(node) and node not in self.stations
        return number(node.data) if is_number else _Mark(f"{MARK}{self.slots[node]}")


class _MarkedWriter(Writer):
    """Writes nodes and their numbers as marks, and the slopes of nodes of any number of operands."""

    def __init__(self, graph: StationGraph) -> None:
        super().__init__(_MarkedNames(graph), graph.stations.__contains__)
        self.slots = graph.slots
        self.known: dict[Value, Sequence[Any]] = {}
        self.plain = [graph.names.of(node).plain for node in graph.nodes]

    def is_readable(self, formula: Formula) -> bool:
        lengths = (len(self.plain[int(match[1])]) - len(match[0]) for match in PLACE.finditer(formula.plain))
        return len(formula.plain) + sum(lengths) <= FORMULA_LENGTH

    def number_of(self, node: Value, data: float) -> Formula:
        return _Mark(f"{NUMBER_MARK}{self.slots[node]}")

    def written(self, node: Value, data: float, numeric: bool, depth: int = 3) -> Formula:
        return self.names.of(node) if self.is_station(node) else super().written(node, data, numeric, depth)

    def slope(self, node: Value, index: int, numeric: bool = False) -> Formula:
        assert node.primitive is not None
        if node not in self.known or self.named:
            operands = [self.written(p, x, numeric=False) for p, x in zip(node.parents, node.operands, strict=True)]
            self.known[node] = _slopes(node, self.written(node, node.data, False), operands)
        return Formula.of(self.known[node][index])


class Templates:
    """The templates of a graph: one for each of the formulas that a page shows of it."""

    def __init__(self, graph: StationGraph) -> None:
        self.graph = graph
        self.writer = _MarkedWriter(graph)

    def operation(self, node: Value) -> str:
        """Return the operation that computed a node, in its operands."""
        names = self.writer.names
        return _readable(_shown_operation(node, [names.of(parent) for parent in node.parents]))

    def folded_operation(self, station: Value) -> str:
        """Return what computed a station, in the stations next below it."""
        known: dict[Value, Formula] = {}
        for node in (*self.graph.folded(station), station):
            operands = [
                known[parent] if parent in known else self.writer.written(parent, data, numeric=False)
                for parent, data in zip(node.parents, node.operands, strict=True)
            ]
            known[node] = _bounded(node, _shown_operation(node, operands))
        return _readable(known[station])

    def slopes(self, node: Value) -> list[str]:
        """Return the slope of an operation with respect to each operand."""
        assert node.primitive is not None
        names = self.writer.names
        slopes = _slopes(node, names.of(node), [names.of(parent) for parent in node.parents])
        return [_readable(Formula.of(slope)) for slope in slopes]

    def folded_slopes(self, station: Value) -> list[str]:
        """Return the slope of a station with respect to each of `graph.parents(station)`."""
        edges = [
            (node, index, operand, self.writer.slope(node, index))
            for node in (station, *reversed(self.graph.folded(station)))
            for index, operand in enumerate(node.parents)
        ]
        found = trace_formulas(station, edges, _bounded)
        return [_readable(found[parent]) for parent in self.graph.parents(station)]

    def derivations(self, inputs: Sequence[Value]) -> dict[str, list[Any]]:
        """Return the derivations of the output with respect to some nodes, whose derivatives refer to each other.

        Returns:
            Under `rows`, for each derivative its name; its terms, each the indices of its factors; its formula; and how
            its number is computed: [top, bottom], the slots between which gradients are accumulated, or
            [[slot, operand], …], the edges along which they are, or [], where it is what the other terms leave of a
            sum. Under `roots`, for each input its slot and its row. Under `definitions`, for each node without a label
            that a name speaks of its slot and its formula. None of them if there would be too many.
        """
        table = _Table(self.graph, self.writer)
        if len(inputs) * len(self.graph.nodes) <= DERIVED_NODES:
            self.writer.names.given.clear()
            roots = [[self.graph.slots[node], table.add(node)] for node in reversed(inputs)]  # from the output on
            if len(table.rows) <= MOST_DERIVATIVES:
                named = [
                    node for node in self.writer.names.given if node.primitive and not self.writer.is_station(node)
                ]
                definitions = [[self.graph.slots[node], _readable(self.writer.operation(node))] for node in named]
                return {"rows": table.rows, "roots": roots, "definitions": definitions}
        return {"rows": [], "roots": [], "definitions": []}


class _Table:
    """Derivatives, each written once, however many derivations it is part of."""

    def __init__(self, graph: StationGraph, writer: Writer) -> None:
        self.graph, self.writer = graph, writer
        self.rows: list[list[Any]] = []
        self.indices: dict[tuple[str, bool, str], int] = {}
        self.known: dict[tuple[int, int], Derivative] = {}

    def add(self, node: Value) -> int:
        """Add the output's derivative with respect to a node, and return the index of its row."""
        paths = Paths(self.graph.output, node, every_node=False)
        paths.stations.update(slot for slot in paths.active if paths.nodes[slot] in self.graph.stations)
        self.writer.named.clear()
        derivation = Derivation(paths, self.writer, self.known)
        return self.index(derivation.derive(paths.whole()), derivation)

    def index(self, derivative: Derivative, derivation: Derivation) -> int:
        computation = self.computation(derivative, derivation)
        key = derivative.name.plain, bool(derivative.terms), str(computation)
        if key not in self.indices or not computation:
            self.indices[key] = len(self.rows)
            formula = derivative.formula.plain if derivative.formula is not None else ""
            row: list[Any] = [derivative.name.plain, [], formula, computation]
            self.rows.append(row)
            row[1] = [[self.index(factor, derivation) for factor in term] for term in derivative.terms]
        return self.indices[key]

    def computation(self, derivative: Derivative, derivation: Derivation) -> list[Any]:
        region = derivative.region
        if region is None:
            return []
        if derivative.is_whole:
            return [region.top, region.bottom]
        return [[node, index] for node, index, _, _ in derivation.paths.edges_in(region)]


def _shown_operation(node: Value, operands: Sequence[Formula]) -> Formula:
    """Write an operation; of one of many operands the first ones, and how many more there are."""
    primitive = node.primitive
    assert primitive is not None
    length = len(operands) // primitive.lists
    if primitive.arity is not None or length <= TERMS:
        return operation(node, operands)
    shown = [operand for start in range(0, len(operands), length) for operand in operands[start : start + TERMS]]
    return Formula(f"{operation(node, shown).plain} … and {length - TERMS} more", binds=SUM)


def _slopes(node: Value, out: Formula, operands: Sequence[Formula]) -> Sequence[Any]:
    """Write the slopes of a node; of one of very many operands they are left out where each holds all the others."""
    assert node.primitive is not None
    if len(operands) > MOST_OPERANDS:
        few = node.primitive.local_slopes(out, *operands[: 3 * node.primitive.lists])
        if not all(isinstance(slope, _Mark | float) for slope in few):
            return [TOO_LONG] * len(operands)
    return node.primitive.local_slopes(out, *operands)


def _bounded(node: Value, formula: Formula) -> Formula:
    """Return a formula, or one that is too long to read in its place: what is made of it is too long, too."""
    return formula if len(formula.plain) <= FORMULA_LENGTH else TOO_LONG


def _readable(formula: Formula) -> str:
    """Return the text of a formula; "" if it would be too long to read."""
    return formula.plain if len(formula.plain) <= FORMULA_LENGTH else ""
