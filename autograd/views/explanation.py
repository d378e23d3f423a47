"""Explanations: a gradient as a derivation by the chain rule, in symbols and in numbers.

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

The derivation goes from one node with a label to the next; `derivation.py` finds it, and this module writes it down.
"""

from __future__ import annotations

import functools
import operator
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from autograd.notation import Formula, in_ascii, number, symbol
from autograd.value import Value
from autograd.views.derivation import EQUATIONS, Derivation, Derivative
from autograd.views.diagnosis import SENTENCES
from autograd.views.naming import find_node
from autograd.views.paths import Paths
from autograd.views.tracing import total, trace_formulas
from autograd.views.writing import FORMULA_LENGTH

NOT_CHOSEN = f"A factor of 0 counts more here than one that is not finite: {SENTENCES['not_chosen']}."
ROW = 100  # characters of an equation that LaTeX has in one row: some 760 pixels in a notebook, whose cells have 828
DELTA_NODES = 20_000  # nodes of a graph that is still explained in the delta form


class Line:
    """An equation: formulas that are equal, each on a line of its own or all on one."""

    def __init__(self, *formulas: Formula, broken: bool = False) -> None:
        self.formulas = [formulas[0]]
        for formula in formulas[1:]:  # equal neighbours are written once
            if formula.plain != self.formulas[-1].plain:
                self.formulas.append(formula)
        self.broken = broken

    def written(self, form: Literal["plain", "ascii"]) -> str:
        """Return the equation as text."""
        left, *others = [formula.ascii if form == "ascii" else formula.plain for formula in self.formulas]
        return left + " = " + ("\n" + " " * len(left) + " = " if self.broken else " = ").join(others)

    @property
    def latex(self) -> str:
        """Return the equation in LaTeX, as rows of an `aligned` environment: more than one if it is long."""
        left, *others = [formula.latex for formula in self.formulas]
        is_broken = self.broken or len(self.written("plain")) > ROW
        return f"{left} &= " + (" \\\\\n&= " if is_broken else " = ").join(others)


@dataclass(eq=False, repr=False)
class Explanation:
    """A derivation. `print` writes it as text, `latex` is its LaTeX, and a notebook shows it as formulas.

    Attributes:
        paragraphs: the equations, in groups.
        gradient: the number that they lead to.
        derivative: the derivative that is explained, with those that it consists of; None in the delta form.
        note: a sentence beside the equations, or an empty string.
    """

    paragraphs: Sequence[Sequence[Line]]
    gradient: float
    derivative: Derivative | None = None
    note: str = ""

    @property
    def latex(self) -> str:
        """Return the equations in LaTeX: an `aligned` environment, to stand in mathematics mode."""
        paragraphs = [" \\\\[1ex]\n".join(line.latex for line in lines) for lines in self.paragraphs]
        body = " \\\\[2ex]\n".join(paragraphs)
        return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"

    def _repr_markdown_(self) -> str:
        return f"$$\n{self.latex}\n$$" + (f"\n\n{self.note}" if self.note else "")

    @property
    def ascii(self) -> str:
        """The equations in ASCII, for a file or a terminal whose encoding lacks −, · or ∂: they are -, * and d."""
        return in_ascii(self._written("ascii"))

    def __str__(self) -> str:
        return self._written("plain")

    __repr__ = __str__

    def _written(self, form: Literal["plain", "ascii"]) -> str:
        blocks = ["\n".join([line.written(form) for line in lines]) for lines in self.paragraphs]
        return "\n\n".join([*blocks, self.note] if self.note else blocks)


def explain(
    output: Value,
    input: Value | str,
    *,
    detail: Literal["stations", "full"] = "stations",
    form: Literal["chain", "delta"] = "chain",
) -> Explanation:
    """Derive the gradient of one node with respect to another by the chain rule, in symbols and in numbers.

    Args:
        output: the node that is differentiated.
        input: the node with respect to which it is differentiated, or its label.
        detail: "stations" (the derivation goes from one node with a label to the next), or "full" (it goes from one
            operation to the next).
        form: "chain" (the chain rule, factor by factor), or "delta" (the delta rule: the gradient of the net input of a
            neuron is its error signal δ, which is computed from those of later neurons).

    Returns:
        The explanation, with the numbers of the forward pass. The attribute `grad` of nodes is neither read nor
        changed. For a large graph it has the largest contributions, and the sum of the others as one number.

    Raises:
        ValueError: if the detail or the form is unknown, the graph is too large for the delta form, or the label names
            no node of the graph or several; the message lists the nearest names.
        TypeError: if the output is not a Value, or the input is neither a Value nor a label.
    """
    if detail not in ("stations", "full"):
        raise ValueError(f"detail must be 'stations' or 'full', got {detail!r}")
    if form not in ("chain", "delta"):
        raise ValueError(f"form must be 'chain' or 'delta', got {form!r}")
    input = find_node(output, input)
    paths = Paths(output, input, every_node=detail == "full")
    derivation = Derivation(paths)
    if not paths.active:
        zero = Line(derivation.names.derivative(output, input), Formula.of(0.0))
        note = f"{derivation.names.of(output).plain} was not computed from {derivation.names.of(input).plain}."
        return Explanation([[zero]], 0.0, note=note)
    if form == "delta":
        return _delta_rule(derivation)
    root = derivation.derive(paths.whole())
    note = NOT_CHOSEN if derivation.is_guarded else ""
    return Explanation([*_paragraphs(root), *_definitions(derivation)], root.value, root, note)


def _paragraphs(root: Derivative) -> Iterator[list[Line]]:
    """Yield the equations of a derivative and of all that it is made of, each once, in paragraphs."""
    waiting, seen = [root], {root.name.plain}
    for derivative in waiting:
        if not derivative.terms:
            yield [_factor_line(derivative)]
            continue
        yield [_sum_line(derivative)]
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


def _sum_line(derivative: Derivative) -> Line:
    """Return the equation of a sum of products, in symbols and in numbers."""
    parts = sum(len(term) for term in derivative.terms)

    def written(of: Callable[[Derivative], Formula], inline: bool) -> Formula:
        products = []
        for term in derivative.terms:
            factors = [total(map(of, part.inlined() if inline and parts > 1 else [part])) for part in term]
            products.append(functools.reduce(operator.mul, factors))
        return total(products)

    def value(derivative: Derivative) -> Formula:
        return number(derivative.value)

    symbols = written(lambda derivative: derivative.name, inline=True)
    return Line(derivative.name, symbols, written(value, True), written(value, False), value(derivative), broken=True)


def _definitions(derivation: Derivation) -> list[list[Line]]:
    """Return the equations of the nodes without a label that the derivation names."""
    names, output = derivation.names, derivation.paths.output
    unlabelled = [node for node in names.given if node.primitive and not node.label and node is not output]
    lines = [Line(names.of(node), derivation.writer.operation(node), number(node.data)) for node in unlabelled]
    return [lines] if lines else []


def _delta_rule(derivation: Derivation) -> Explanation:
    """Explain a gradient by error signals: a net input's signal is made of those of the net inputs after it."""
    paths = derivation.paths
    if len(paths.active) > DELTA_NODES:
        raise ValueError(
            f"{len(paths.active)} nodes lie between the two, too many for the delta form (at most {DELTA_NODES}); "
            f"use form='chain', or explain a smaller part"
        )
    consumers, nodes, region = defaultdict(list), paths.nodes, paths.whole()
    for node, _, parent, _ in paths.edges_in(region):
        consumers[parent].append(nodes[node].primitive)
    grads = paths.accumulate(region)

    def is_net_input(node: int) -> bool:
        """Return whether a node has a label, and feeds nothing but an activation function."""
        uses = consumers[node]
        return bool(nodes[node].label) and len(uses) == 1 and uses[0] is not None and uses[0].arity == 1

    def signal(node: int) -> Formula:
        named = symbol(derivation.names.of(nodes[node]).plain.removeprefix("net_"))
        return Formula(f"δ_{named.plain}", rf"\delta_{{{named.latex}}}")

    def gradients(numeric: bool) -> dict[int, Formula]:
        """Write each gradient in terms of the error signals, or the numbers, of the net inputs after it."""

        def passed_on(node: int, formula: Formula) -> Formula:
            if is_net_input(node):
                return number(grads[node]) if numeric else signal(node)
            return number(grads[node]) if len(formula.plain) > FORMULA_LENGTH else formula

        slopes = [
            (node, index, parent, derivation.writer.slope(nodes[node], index, numeric) or number(slope))
            for node, index, parent, slope in paths.edges_in(region)
        ]
        return trace_formulas(region.top, slopes, passed_on)

    symbolic, numeric = gradients(numeric=False), gradients(numeric=True)
    lines: list[Line] = []
    for node in reversed(paths.active):
        if node == region.bottom or is_net_input(node):
            name = derivation.name(region) if node == region.bottom else signal(node)
            formulas = [symbolic[node], numeric[node]] if len(symbolic[node].plain) <= FORMULA_LENGTH else []
            lines.append(Line(name, *formulas, number(grads[node])))
    shown = list(reversed(lines))[:EQUATIONS]
    note = f"… and {len(lines) - len(shown)} more error signals." if len(shown) < len(lines) else ""
    return Explanation([[line] for line in shown], grads[region.bottom], note=note)
