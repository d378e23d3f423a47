"""A gradient as the derivation that a good teacher would write on the board: symbols first, then numbers.

>>> from autograd import Value
>>> w, x = Value(0.5, label="w"), Value(3.0, label="x")
>>> net = w * x
>>> net.label = "net"
>>> out = net.sigmoid()
>>> out.label = "out"
>>> print(explain(out, w))
∂out/∂w = ∂out/∂net · ∂net/∂w
        = 0.149146452 · 3
        = 0.447439356
<BLANKLINE>
∂out/∂net = out · (1 − out) = 0.817574476 · (1 − 0.817574476) = 0.149146452
∂net/∂w = x = 3

The nodes with a label are the stations of the derivation. Where all paths from the result to the input pass a station,
the gradient is a product; where paths part and meet again, it is a sum over the branches, written once, however many
paths there are.
"""

from __future__ import annotations

import functools
import operator
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from autograd.notation import Formula, Names, constant, number, operation, symbol
from autograd.primitives import add, summation
from autograd.tape import Tape
from autograd.tracing import edges, total, trace, trace_formulas
from autograd.value import Value, is_constant

EQUATIONS = 40  # derivatives that are taken apart; of those beyond, the number alone is given
CHAIN_END = 5  # stations at each end of a long chain that are shown
TERMS = 6  # terms of a sum that are shown; the weaker ones are added up
INLINE_TERMS = 4  # terms of a sum that may stand in brackets within a product
FOLDED_NODES = 16  # nodes between two stations that are still written as one formula
FORMULA_LENGTH = 200  # characters of a formula that is still written
DELTA_NODES = 20_000  # of a graph that is still explained in the delta form


class Derivative:
    """A derivative of one node with respect to another, and what it is made of.

    Attributes:
        name: how it is written, as in ∂out/∂net.
        value: the number.
        terms: the sum of products of derivatives that `value` was computed from; none for a single factor.
        formula, numbers: of a single factor, in symbols and in numbers; None where they would be too long to read.
    """

    def __init__(
        self,
        name: Formula,
        value: float,
        terms: Sequence[list[Derivative]] = (),
        formula: Formula | None = None,
        numbers: Formula | None = None,
    ) -> None:
        self.name, self.value, self.terms, self.formula, self.numbers = name, value, terms, formula, numbers

    @classmethod
    def of_terms(cls, name: Formula, terms: Sequence[list[Derivative]]) -> Derivative:
        """The derivative that is this sum of products."""
        return cls(name, _added([_multiplied(term) for term in terms]), terms)

    def inlined(self) -> list[Derivative]:
        """What stands for it within a product: the terms of a short sum, or it alone."""
        short = 2 <= len(self.terms) <= INLINE_TERMS and all(len(term) == 1 for term in self.terms)
        return [term[0] for term in self.terms] if short else [self]

    def line(self) -> Line:
        """The equation that says what it is made of, in symbols and in numbers."""
        parts = sum(len(term) for term in self.terms)

        def written(of: Callable[[Derivative], Formula], inline: bool) -> Formula:
            products = []
            for term in self.terms:
                factors = [total(list(map(of, d.inlined() if inline and parts > 1 else [d]))) for d in term]
                products.append(functools.reduce(operator.mul, factors))
            return total(products)

        def value(derivative: Derivative) -> Formula:
            return number(derivative.value)

        symbols = written(lambda derivative: derivative.name, inline=True)
        return Line(self.name, symbols, written(value, True), written(value, False), value(self), broken=True)


class Line:
    """An equation: formulas that are equal, each on a line of its own or all on one."""

    def __init__(self, *formulas: Formula, broken: bool = False) -> None:
        self.formulas = [formulas[0]]
        for formula in formulas[1:]:  # what would stand there twice in a row is written once
            if formula.plain != self.formulas[-1].plain:
                self.formulas.append(formula)
        self.broken = broken

    def __str__(self) -> str:
        left, *others = [formula.plain for formula in self.formulas]
        return left + " = " + ("\n" + " " * len(left) + " = " if self.broken else " = ").join(others)

    @property
    def latex(self) -> str:
        """The equation in LaTeX, as rows of an `aligned` environment."""
        left, *others = [formula.latex for formula in self.formulas]
        return f"{left} &= " + (" \\\\\n&= " if self.broken else " = ").join(others)


class Explanation:
    """A derivation: `print` shows it as text, `latex` is it in LaTeX, and a notebook shows it as mathematics.

    Attributes:
        paragraphs: the equations, in groups.
        gradient: the number that they lead to.
        derivative: the derivative that is explained, with those it is made of; None in the delta form.
        note: a sentence beside the equations, or nothing.
    """

    def __init__(
        self,
        paragraphs: Sequence[Sequence[Line]],
        gradient: float,
        derivative: Derivative | None = None,
        note: str = "",
    ) -> None:
        self.paragraphs, self.gradient, self.derivative, self.note = paragraphs, gradient, derivative, note

    @property
    def latex(self) -> str:
        """The equations in LaTeX: an `aligned` environment, to stand in mathematics mode."""
        paragraphs = [" \\\\[1ex]\n".join(line.latex for line in lines) for lines in self.paragraphs]
        body = " \\\\[2ex]\n".join(paragraphs)
        return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"

    def _repr_markdown_(self) -> str:
        return f"$$\n{self.latex}\n$$" + (f"\n\n{self.note}" if self.note else "")

    def __str__(self) -> str:
        blocks = ["\n".join(map(str, lines)) for lines in self.paragraphs]
        return "\n\n".join([*blocks, self.note] if self.note else blocks)

    __repr__ = __str__


def explain(
    output: Value,
    input: Value,
    *,
    detail: Literal["stations", "full"] = "stations",
    form: Literal["chain", "delta"] = "chain",
) -> Explanation:
    """Derive the gradient of one node with respect to another by the chain rule, in symbols and in numbers.

    Args:
        output: the node that is differentiated.
        input: the node that it is differentiated by.
        detail: "stations" (the derivation goes from one labelled node to the next), or "full" (every operation is one).
        form: "chain" (the chain rule, factor by factor), or "delta" (the delta rule: the gradient of each neuron's net
            input is its error signal δ, and those of earlier neurons are made of those of later ones).

    Returns:
        The explanation. The numbers are those of the forward pass that happened; no `grad` is read or changed. Of a
        large graph it holds the strongest contributions, and the sum of the rest as one number.

    Raises:
        ValueError: for an unknown detail or form, or the delta form of a very large graph.
    """
    if detail not in ("stations", "full"):
        raise ValueError(f"detail must be 'stations' or 'full', got {detail!r}")
    if form not in ("chain", "delta"):
        raise ValueError(f"form must be 'chain' or 'delta', got {form!r}")
    paths = _Paths(output, input, every_node=detail == "full")
    if not paths.active:
        zero = Line(paths.derivative_name(output, input), Formula.of(0.0))
        note = f"{paths.names.of(output).plain} was not computed from {paths.names.of(input).plain}."
        return Explanation([[zero]], 0.0, note=note)
    if form == "delta":
        return _delta_rule(paths)
    root = paths.derive(paths.region(output, input, paths.active[1:-1]))
    return Explanation([*_paragraphs(root), *paths.definitions()], root.value, root)


class _Region(NamedTuple):
    """Part of a graph: what leads from one node down to another.

    Attributes:
        top, bottom: the two nodes.
        inner: the nodes between them, in topological order.
        entries: the edges that lead down from the top: the operand's place, the parent, the slope.
    """

    top: Value
    bottom: Value
    inner: list[Value]
    entries: list[tuple[int, Value, float]]


class _Paths:
    """All paths from an input to an output: the nodes on them, in topological order, and the edges between those."""

    def __init__(self, output: Value, input: Value, every_node: bool) -> None:
        self.output, self.input = output, input
        tape = Tape(output)
        reached = tape.dependents([input])
        self.active = [node for index, node in enumerate(tape.nodes) if reached[index]]
        # Of each node the edges down: the operand's position, the parent, the slope.
        self.edges: dict[Value, list[tuple[int, Value, float]]] = {node: [] for node in self.active}
        for node, position, parent, slope in edges(tape, reached):
            if node is not input:
                self.edges[node].append((position, parent, slope))
        self.every_node = every_node
        self.stations = {node for node in self.active if every_node or node.label or node in (input, output)}
        self.names = Names(output, tape.nodes)
        self.equations = 0

    def edges_in(self, region: _Region) -> Iterator[tuple[Value, int, Value, float]]:
        """The edges of a region from the top down: node, the operand's place, parent and slope."""
        inside = {region.bottom, *region.inner}
        for place, parent, slope in region.entries:
            yield region.top, place, parent, slope
        for node in reversed(region.inner):
            for place, parent, slope in self.edges[node]:
                if parent in inside:
                    yield node, place, parent, slope

    def region(self, top: Value, bottom: Value, inner: list[Value]) -> _Region:
        """The region of all paths that lead from the top to the bottom through these inner nodes or past them."""
        inside = {bottom, *inner}
        return _Region(top, bottom, inner, [edge for edge in self.edges[top] if edge[1] in inside])

    def derivative_name(self, of: Value, by: Value) -> Formula:
        above, below = self.names.of(of), self.names.of(by)
        return Formula(f"∂{above.plain}/∂{below.plain}", rf"\frac{{\partial {above.latex}}}{{\partial {below.latex}}}")

    def part_name(self, region: _Region) -> Formula:
        """How the part of a derivative is called that one of several branches contributes."""
        name = self.derivative_name(region.top, region.bottom)
        by = self.names.of(region.inner[-1]) if region.inner else Formula("a direct path", r"\text{a direct path}")
        return Formula(f"({name.plain} by {by.plain})", rf"\left({name.latex}\right)_{{\text{{by }} {by.latex}}}")

    def definitions(self) -> list[list[Line]]:
        """What the operations that have no label, but were given a name, stand for."""
        named = [node for node in self.names.given if node.primitive and not node.label and node is not self.output]
        lines = []
        for node in named:
            operands = [self.written(p, x, numeric=False) for p, x in zip(node.parents, node.operands, strict=True)]
            lines.append(Line(self.names.of(node), operation(node, operands), number(node.data)))
        return [lines] if lines else []

    # Derivatives.

    def derive(self, region: _Region) -> Derivative:
        """The derivative of the top of a region by its bottom, and what it is made of."""
        top, bottom, inner, _ = region
        name = self.derivative_name(top, bottom)
        self.equations += 1
        if self.equations > EQUATIONS:
            return Derivative(name, self.accumulate(region)[bottom])
        waypoints = self.waypoints(region)
        if waypoints:
            return Derivative.of_terms(name, [self.chain(region, waypoints)])
        folded = set() if self.every_node else _terms(top)
        if self.stations.isdisjoint(node for node in inner if node not in folded):
            return self.factor(name, region)
        branches = self.branches(region)
        if len(branches) > 1:
            return Derivative.of_terms(name, self.sum_of_branches(branches))
        return Derivative.of_terms(name, self.sum_of_last_steps(region))

    def factor(self, name: Formula, region: _Region) -> Derivative:
        """A derivative between neighbouring stations: what lies between is folded into one formula."""
        value = self.accumulate(region)[region.bottom]
        return Derivative(name, value, (), self.formula(region, numeric=False), self.formula(region, numeric=True))

    def accumulate(self, region: _Region) -> dict[Value, float]:
        """The derivative of the top by every node of the region, within it."""
        grads = {region.bottom: 0.0, region.top: 1.0}
        grads.update((edge.parent, edge.after) for edge in trace(region.top, self.edges_in(region)))
        return grads

    def waypoints(self, region: _Region) -> list[Value]:
        """The stations that every path passes, from the top down; one that is a mere term of a sum is left out."""
        places = {node: place for place, node in enumerate([region.bottom, *region.inner, region.top])}
        jumps = [0] * (len(places) + 1)  # where edges that pass a place over begin and end
        for node, _, parent, _ in self.edges_in(region):
            jumps[places[parent] + 1] += 1
            jumps[places[node]] -= 1
        passing, found = 0, []
        for place, node in enumerate(region.inner, start=1):
            passing += jumps[place]
            if passing == 0 and node in self.stations:
                found.append(node)
        found.reverse()
        if self.every_node:
            return found
        above = [region.top, *found]
        return [node for node, station in zip(found, above, strict=False) if node not in _terms(station)]

    def chain(self, region: _Region, waypoints: list[Value]) -> list[Derivative]:
        """The derivatives from each waypoint to the next, whose product is that of the top by the bottom.

        Of a long chain both ends are taken apart, and the middle is one factor.
        """
        long = len(waypoints) > 2 * CHAIN_END
        stops = [region.top, *(waypoints[:CHAIN_END] + waypoints[-CHAIN_END:] if long else waypoints), region.bottom]
        place = {node: position for position, node in enumerate(region.inner)}
        factors = []
        for position, (top, bottom) in enumerate(pairwise(stops)):
            part = self.region(top, bottom, region.inner[place.get(bottom, -1) + 1 : place.get(top)])
            if long and position == CHAIN_END:
                factors.append(Derivative(self.derivative_name(top, bottom), self.accumulate(part)[bottom]))
            else:
                factors.append(self.derive(part))
        return factors

    def branches(self, region: _Region) -> list[_Region]:
        """The region in parts that share no node; the edges from top to bottom are a part of their own."""
        group = {node: node for node in region.inner}

        def leader(node: Value) -> Value:
            while group[node] is not node:
                group[node] = group[group[node]]
                node = group[node]
            return node

        for node, _, parent, _ in self.edges_in(region):
            if node in group and parent in group:
                group[leader(parent)] = leader(node)
        members, entries = defaultdict(list), defaultdict(list)
        for node in region.inner:
            members[leader(node)].append(node)
        for edge in region.entries:
            entries[leader(edge[1]) if edge[1] in group else region.bottom].append(edge)
        return [_Region(region.top, region.bottom, members[first], edges) for first, edges in entries.items()]

    def sum_of_branches(self, branches: list[_Region]) -> list[list[Derivative]]:
        """A term for each of the strongest branches, and the others added up."""
        values = [self.accumulate(branch)[branch.bottom] for branch in branches]
        chosen = _strongest(values)
        terms = [self.branch(branches[place]) for place in chosen]
        left = [value for place, value in enumerate(values) if place not in chosen]
        return [*terms, [_weaker(len(left), _added(left))]] if left else terms

    def branch(self, region: _Region) -> list[Derivative]:
        """The factors of one branch. One that begins with a term of a sum is the derivative of that term."""
        top, bottom, inner, entries = region
        if inner and len(entries) == 1 and not self.every_node and inner[-1] in self.stations & _terms(top):
            return [self.derive(self.region(inner[-1], bottom, inner[:-1]))]
        waypoints = self.waypoints(region)
        if waypoints:
            return self.chain(region, waypoints)
        name = self.part_name(region)
        if self.stations.isdisjoint(inner):
            return [self.factor(name, region)]
        return [Derivative.of_terms(name, self.sum_of_last_steps(region))]

    def sum_of_last_steps(self, region: _Region) -> list[list[Derivative]]:
        """A term for each station next to the bottom: how the top depends on it, times how it depends on the bottom.

        So the derivative by each station is written once, however many paths lead through it.
        """
        top, bottom, inner, _ = region
        between: dict[Value, set[Value]] = {bottom: set()}  # for nodes that no station parts from the bottom: what does
        last: dict[Value, list[Value]] = {}  # likewise for the stations next to it
        places = {node: place for place, node in enumerate(inner)}
        parents = defaultdict(list)
        for node, _, parent, _ in self.edges_in(region):
            parents[node].append(parent)
        for node in (*inner, top):
            near = [parent for parent in parents[node] if parent in between]
            if near:
                nodes = set().union(*(between[parent] | {parent} for parent in near)) - {bottom}
                if node in self.stations:
                    last[node] = sorted(nodes, key=places.__getitem__)
                elif len(nodes) < FOLDED_NODES:
                    between[node] = nodes
        grads = self.accumulate(region)
        regions = [self.region(station, bottom, nodes) for station, nodes in last.items()]
        if top in last:  # it is the last of them; an edge from it that leads into another branch is none of this one
            own = set(region.entries)
            regions[-1] = regions[-1]._replace(entries=[edge for edge in regions[-1].entries if edge in own])
        values = [grads[last_step.top] * self.accumulate(last_step)[bottom] for last_step in regions]
        chosen = _strongest(values)
        terms = []
        for last_step in (regions[place] for place in chosen):
            if last_step.top is top:
                terms.append([self.factor(self.part_name(last_step), last_step)])
            else:
                factor = self.factor(self.derivative_name(last_step.top, bottom), last_step)
                terms.append([self.derive(self.above(region, last_step.top, parents)), factor])
        rest = grads[bottom] - _added([_multiplied(term) for term in terms])
        if len(chosen) < len(values) or abs(rest) > 1e-9 * abs(grads[bottom]):
            terms.append([_weaker(len(values) - len(chosen), rest)])
        return terms

    def above(self, region: _Region, bottom: Value, parents: dict[Value, list[Value]]) -> _Region:
        """The part of a region above one of its nodes."""
        over, found = {bottom}, []
        for node in region.inner:
            if not over.isdisjoint(parents[node]):
                over.add(node)
                found.append(node)
        return self.region(region.top, bottom, found)

    # Formulas.

    def formula(self, region: _Region, numeric: bool) -> Formula | None:
        """The derivative as one formula, by reverse accumulation in symbols; None if it would be too long to read."""
        if len(region.inner) > FOLDED_NODES:
            return None
        slopes = []
        for node, position, parent, _ in self.edges_in(region):
            slope = self.slope(node, position, numeric)
            if slope is None:
                return None
            slopes.append((node, position, parent, slope))
        result = trace_formulas(region.top, slopes)[region.bottom]
        return result if len(result.plain) <= FORMULA_LENGTH else None

    def slope(self, node: Value, place: int, numeric: bool) -> Formula | None:
        """The slope of a node with respect to one of its operands, by the rule of its row."""
        row = node.primitive
        if row is None or len(node.parents) > FOLDED_NODES:
            return None
        out = self.written(node, node.data, numeric)
        operands = [self.written(p, x, numeric) for p, x in zip(node.parents, node.operands, strict=True)]
        return Formula.of(row.some_slopes([place], out, *operands)[0])

    def written(self, node: Value, data: float, numeric: bool, depth: int = 3) -> Formula:
        """A node as it stands in a formula: by its name or its number; one without a label as it was computed."""
        if is_constant(node) and not node.label:
            return constant(data)
        if node.label or node.primitive is None or self.every_node:
            return number(data) if numeric else self.names.of(node)
        if depth == 0 or len(node.parents) > TERMS:
            return number(data)
        operands = [self.written(p, x, numeric, depth - 1) for p, x in zip(node.parents, node.operands, strict=True)]
        return operation(node, operands)


def _paragraphs(root: Derivative) -> Iterator[list[Line]]:
    """The equations of a derivative and of all that it is made of, each once."""
    waiting, seen = deque([root]), {root.name.plain}
    while waiting:
        derivative = waiting.popleft()
        if not derivative.terms:
            yield [_factor_line(derivative)]
            continue
        yield [derivative.line()]
        parts = [factor for term in derivative.terms for factor in term]
        parts = [part for factor in parts for part in (factor.inlined() if len(parts) > 1 else [factor])]
        new = [part for part in dict.fromkeys(parts) if part.name.plain not in seen]
        seen.update(part.name.plain for part in new)
        factors = [_factor_line(part) for part in new if not part.terms and part.formula is not None]
        if factors:
            yield factors
        waiting += [part for part in new if part.terms]


def _factor_line(derivative: Derivative) -> Line:
    formulas = [derivative.formula, derivative.numbers, number(derivative.value)]
    return Line(derivative.name, *[formula for formula in formulas if formula is not None])


def _delta_rule(paths: _Paths) -> Explanation:
    """The gradient in terms of error signals: a net input's signal is made of those of the net inputs after it."""
    if len(paths.active) > DELTA_NODES:
        raise ValueError(
            f"{len(paths.active)} nodes lie between the two, too many for the delta form (at most {DELTA_NODES}); "
            f"use form='chain', or explain a smaller part"
        )
    consumers = defaultdict(list)
    for node in paths.active:
        for _, parent, _ in paths.edges[node]:
            consumers[parent].append(node)
    region = paths.region(paths.output, paths.input, paths.active[1:-1])
    grads = paths.accumulate(region)

    def is_net_input(node: Value) -> bool:
        """Whether a node has a label, and feeds nothing but an activation function."""
        uses = consumers[node]
        return bool(node.label) and len(uses) == 1 and uses[0].primitive is not None and uses[0].primitive.arity == 1

    def signal(node: Value) -> Formula:
        named = symbol(paths.names.of(node).plain.removeprefix("net_"))
        return Formula(f"δ_{named.plain}", rf"\delta_{{{named.latex}}}")

    def gradients(numeric: bool) -> dict[Value, Formula]:
        """Each gradient in terms of the error signals, or the numbers, of the net inputs after it."""

        def passed_on(node: Value, formula: Formula) -> Formula:
            if is_net_input(node):
                return number(grads[node]) if numeric else signal(node)
            return number(grads[node]) if len(formula.plain) > FORMULA_LENGTH else formula

        slopes = [
            (node, position, parent, paths.slope(node, position, numeric) or number(slope))
            for node, position, parent, slope in paths.edges_in(region)
        ]
        return trace_formulas(paths.output, slopes, passed_on)

    symbolic, numeric = gradients(numeric=False), gradients(numeric=True)
    lines: list[Line] = []
    for node in (paths.output, *reversed(paths.active[:-1])):
        if node is paths.input or is_net_input(node):
            name = paths.derivative_name(paths.output, node) if node is paths.input else signal(node)
            formulas = [symbolic[node], numeric[node]] if len(symbolic[node].plain) <= FORMULA_LENGTH else []
            lines.append(Line(name, *formulas, number(grads[node])))
    shown = list(reversed(lines))[:EQUATIONS]
    note = f"… and {len(lines) - len(shown)} more error signals." if len(shown) < len(lines) else ""
    return Explanation([[line] for line in shown], grads[paths.input], note=note)


def _terms(total: Value) -> set[Value]:
    """The nodes that a sum adds up, each once; none for what is no sum."""
    if total.primitive not in (add, summation):
        return set()
    return {node for node, uses in Counter(total.parents).items() if uses == 1}


def _multiplied(factors: Sequence[Derivative]) -> float:
    value = 1.0
    for factor in factors:
        value *= factor.value
    return value


def _strongest(values: list[float]) -> list[int]:
    """The places of the strongest of many numbers, or of all of a few, in their own order."""
    if len(values) <= TERMS:
        return list(range(len(values)))
    return sorted(sorted(range(len(values)), key=lambda place: -abs(values[place]))[: TERMS - 1])


def _added(values: Iterable[float]) -> float:
    total = 0.0
    for value in values:
        total += value
    return total


def _weaker(count: int, value: float) -> Derivative:
    words = f"{count} weaker term{'' if count == 1 else 's'}" if count else "other paths"
    return Derivative(Formula(f"({words})", rf"(\text{{{words}}})"), value)
