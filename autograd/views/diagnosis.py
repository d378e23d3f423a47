"""Diagnoses: why a gradient is zero, huge or nan, and at which operation it became so.

>>> from autograd import Value
>>> w, x = Value(2.0, label="w"), Value(-1.5, label="x")
>>> net = w * x
>>> net.label = "net"
>>> out = net.relu()
>>> out.label = "out"
>>> print(diagnose(out, w))
∂out/∂w is 0. The gradient dies at out = relu(net): its input is −3, where relu is flat (a dead relu): slope 0.
"""

from __future__ import annotations

import linecache
import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from autograd.notation import InAscii, Names, number
from autograd.primitives import FACTOR, add, stop_gradient, subtract, summation
from autograd.tape import Slopes, Tape, node_gradients
from autograd.value import Value, is_constant
from autograd.views.naming import find_node
from autograd.views.tracing import Edge, contribution, edges, trace

CANCELLED = 1e6  # how many times as large as a sum its terms are, to be named: they cancel in six digits or more
MOST_SEARCHED = 5_000  # nodes of a graph that is searched for such sums; check_rounding takes a second for them
SMALL, LARGE = 1e-4, 1e4  # a slope beyond these, or a gradient of the square of these, is worth a word

NAN = "The gradient turns nan at {node}: "
SENTENCES = {  # which a page fills in, too
    "fine": "Nothing is wrong with it.",
    "nan_input": NAN + "an input of it is nan already in the forward pass; {first}.",
    "nan_slope": NAN + "its slope at {operands} is not defined.",
    "nan_product": NAN + "{product} is not defined; {cause}.",
    "nan_sum": NAN + "infinite contributions of both signs meet at {parent}.",
    "nan_output": "{output} itself is nan; {first}.",
    "first_nan": "the first nan is {node} at {operands}",
    "first_nan_leaf": "the first nan is {node}",
    "first_nan_constant": "the first nan is a constant",
    "no_nan": "no number of the forward pass is nan",
    "infinite": "The gradient becomes infinite at {node}: {cause}.",
    "product_overflows": "The gradient becomes infinite at {node}: {product} is too large for a float.",
    "sum_overflows": "The contributions to {parent} add up to more than a float holds.",
    "infinite_output": "{output} itself is {out}.",
    "explodes": "The gradient explodes at {node}: {cause}.",
    "large": "No slope on the way is larger than {size}; their product is.",
    "no_influence": "{operand} has no influence here: it is multiplied by {factor}.",
    "dies": "The gradient dies at {node}: {cause}.",
    "underflows": "The gradient dies at {node}: {product} is too small for a float.",
    "cancels": "The contributions of all paths cancel.",
    "fades": "The gradient fades at {node}: {cause}.",
    "small": "No slope on the way is smaller than {size}; their product is.",
    "guarded": " At {node} {product} contributes 0: what was not chosen counts nothing.",
    "not_chosen": "what was not chosen contributes 0",
    "overflows": "its value overflows to {out} at {operands}",
    "input": "its input is {operands}",
    "operands": "its operands are {operands}",
    "factors": "factors whose product is {slope}",
    "slope": "{cause}: slope {slope}",
}

Sources = Mapping[Value, tuple[str, int]]


@dataclass(eq=False, repr=False)
class Diagnosis(InAscii):
    """What is wrong with a gradient.

    Attributes:
        gradient: the derivative of the output with respect to the input.
        node: the operation at which it became zero, huge or nan; None if there is no such operation.
        text: the diagnosis in words.
    """

    gradient: float
    node: Value | None
    text: str

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


def diagnose(output: Value, input: Value | str, sources: Sources | None = None) -> Diagnosis:
    """Find out why a gradient is zero, very small, huge, infinite or nan, or that nothing is wrong with it.

    Args:
        output: the node that is differentiated.
        input: the node with respect to which it is differentiated, or its label.
        sources: the lines that made the nodes, as `record_sources()` notes them, to be named in the diagnosis.

    Returns:
        The diagnosis. The attribute `grad` of nodes is not changed. If that of the input is not the gradient of one
        `backward()`, the diagnosis says so. A sum on the way whose terms cancel is named, for `check_rounding`.

    Raises:
        TypeError: if the output is not a Value, or the input is neither a Value nor a label.
        ValueError: if the label names no node of the graph, or several; the message lists the nearest names.
    """
    return _Case(output, find_node(output, input), sources or {}).diagnosis()


class _Case:
    """The gradients on the way from an output back to an input."""

    def __init__(self, output: Value, input: Value, sources: Sources) -> None:
        self.output, self.input, self.sources = output, input, sources
        self.tape = Tape(output)
        self.names = Names(output, self.tape.nodes)
        reached = self.tape.dependents([input])
        stops = stop_gradient in map(operator.attrgetter("primitive"), self.tape.nodes)
        if stops:  # a diagnosis names it: its slope is 0
            for index in range(len(self.tape)):
                reached[index] |= any(reached[operand] for operand in self.tape.operands_of(index))
        self.reached, self.is_reached, slopes = reached, any(reached), Slopes()
        self.gradient = 0.0
        if self.is_reached:
            _ = output.operands  # within a function that is being compiled this raises an error
            (index,) = self.tape.indices_of([input])
            self.gradient = node_gradients(self.tape, reached, slopes)[index]
        self.may_be_guarded = stops or slopes.guarded

    @cached_property
    def edges(self) -> list[Edge]:
        """Return the edges on the way, from the output on."""
        return list(trace(self.output, edges(self.tape, self.reached)))

    @cached_property
    def grads(self) -> dict[Value, float]:
        """Return the gradient of each node on the way."""
        return {self.output: 1.0, **{edge.parent: edge.after for edge in self.edges}}

    def is_guarded(self, edge: Edge) -> bool:
        """Return whether an edge passes 0 although its product is nan: see `Primitive.guard`."""
        grad = self.grads[edge.node]
        return math.isnan(grad * edge.slope) and not math.isnan(contribution(edge.node, edge.operand, grad, edge.slope))

    def diagnosis(self) -> Diagnosis:
        name = self.names.derivative(self.output, self.input).plain
        if is_constant(self.input):
            return Diagnosis(0.0, None, f"{name} is 0: {self.name(self.input)} is a constant, and gets no gradient.")
        if not self.is_reached:
            return Diagnosis(0.0, None, f"{name} is 0: {self.not_reached()}")
        gradient = self.gradient
        kind, edge = self.finding(gradient)
        sentence = SENTENCES[kind]
        is_named = "{node}" in sentence or kind == "no_influence"
        node = self.output if "{output}" in sentence else edge.node if edge and is_named else None
        cancelled = self.cancelled()
        found = "" if cancelled and kind == "fine" else f" {self.filled(sentence, edge)}"
        text = f"{name} is {number(gradient).plain}.{found}"
        guarded = next(filter(self.is_guarded, self.edges), None) if self.may_be_guarded else None
        if guarded is not None:
            text += self.filled(SENTENCES["guarded"], guarded)
        source = f" {self.source(node)}" if node in self.sources else ""
        return Diagnosis(gradient, node, text + source + self.accumulated(gradient) + cancelled)

    def finding(self, gradient: float) -> tuple[str, Edge | None]:
        """Return the name of a sentence, and the edge that it speaks of. `diagnosis.js` looks in the same order."""
        if math.isnan(gradient):
            return self.where_nan()
        if abs(gradient) > LARGE * LARGE:
            return self.where_huge()
        if abs(gradient) < SMALL * SMALL:
            return self.where_small(gradient)
        return "fine", None

    def where_nan(self) -> tuple[str, Edge | None]:
        for edge in self.edges:
            grad = self.grads[edge.node]
            part = grad * edge.slope
            if not math.isnan(self.grads[edge.parent]) or math.isnan(grad) or self.is_guarded(edge):
                continue
            if math.isnan(edge.slope):
                return "nan_input" if any(map(math.isnan, edge.node.operands)) else "nan_slope", edge
            if math.isnan(part):
                return "nan_product", edge
            if math.isinf(edge.before) and math.isinf(part):
                return "nan_sum", edge
        return "nan_output", None

    def where_huge(self) -> tuple[str, Edge | None]:
        for edge in self.edges:
            if math.isfinite(self.grads[edge.node]) and math.isinf(self.grads[edge.node] * edge.slope):
                return "infinite" if math.isinf(edge.slope) else "product_overflows", edge
        for edge in self.edges:
            if math.isfinite(self.grads[edge.node]) and math.isinf(self.grads[edge.parent]):
                return "sum_overflows", edge
        if not math.isfinite(self.output.data):
            return "infinite_output", self.edges[0]
        steepest = max(self.edges, key=lambda edge: abs(edge.slope))
        return "explodes" if abs(steepest.slope) >= LARGE else "large", steepest

    def where_small(self, gradient: float) -> tuple[str, Edge | None]:
        if gradient == 0.0:
            arrived = {edge.parent for edge in self.edges if edge.after != edge.before}
            for edge in reversed(self.edges):  # a zero nearer to the output may be that of a side branch
                if edge.parent in arrived and self.grads[edge.parent] == 0.0:
                    break
                if edge.parent not in arrived and self.grads[edge.node] != 0.0:
                    if edge.slope != 0.0:
                        return "underflows", edge
                    is_zero = any(edge.node.operands[index] == 0.0 for index in self.factors(edge))
                    return "no_influence" if is_zero else "dies", edge
            return "cancels", None
        flattest = min(self.edges, key=lambda edge: abs(edge.slope) or math.inf)
        return "fades" if abs(flattest.slope) <= SMALL else "small", flattest

    def filled(self, sentence: str, edge: Edge | None) -> str:
        """Return a sentence with the names and numbers of an edge."""
        fields = {"output": self.name(self.output), "first": self.first_nan() if "{first}" in sentence else ""}
        if edge is not None:
            fields |= self.fields_of_edge(edge)
            fields["cause"] = self.cause(edge, fields)
        return sentence.format(**fields)

    def fields(self, node: Value) -> dict[str, str]:
        """Return what a sentence may say of a node."""
        operands = [number(x).plain for x in node.operands]
        shown = ", ".join(operands[:3]) + (", …" if len(operands) > 3 else "")
        return {"node": self.described(node), "out": number(node.data).plain, "operands": shown}

    def first_nan(self) -> str:
        node = next((node for node in self.tape.nodes if math.isnan(node.data)), None)
        if node is None:
            return SENTENCES["no_nan"]
        leaf = "first_nan_constant" if is_constant(node) and not node.label else "first_nan_leaf"
        return SENTENCES["first_nan" if node.primitive else leaf].format(**self.fields(node))

    def fields_of_edge(self, edge: Edge) -> dict[str, str]:
        """Return what a sentence or a cause may say of an edge."""
        return {
            **self.fields(edge.node),
            "name": edge.node.primitive.name if edge.node.primitive else "",
            "parent": self.name(edge.parent),
            "operand": self.described(edge.parent),
            "factor": self.factor(edge),
            "product": (number(self.grads[edge.node]) * number(edge.slope)).plain,
            "slope": number(edge.slope + 0.0).plain,  # −0.0 is shown as 0
            "size": number(abs(edge.slope)).plain,
            "tiny": "" if math.isinf(edge.slope) else ", which is tiny",
        }

    def factors(self, edge: Edge) -> list[int]:
        """Return by which operands of a product one is multiplied: the first that is 0, or all; none for no product."""
        node, count = edge.node, len(edge.node.operands)
        if node.primitive is None or node.primitive.when_flat != FACTOR:
            return []
        others = [index for index in range(count) if index != edge.operand]
        if node.primitive.lists == 2:
            others = [(edge.operand + count // 2) % count]
        return [index for index in others if node.operands[index] == 0.0][:1] or others

    def factor(self, edge: Edge) -> str:
        """Return in words what an operand of a product is multiplied by."""
        indices, node = self.factors(edge), edge.node
        if len(indices) != 1:
            return SENTENCES["factors"].format(slope=number(edge.slope).plain)
        parts = self.described(node.parents[indices[0]]), number(node.operands[indices[0]]).plain
        return " = ".join(dict.fromkeys(parts))

    def cause(self, edge: Edge, fields: dict[str, str]) -> str:
        """Return why a slope is what it is: in the words of the primitive, if it has any, or else by the operands."""
        node, slope = edge.node, edge.slope
        template = ""
        if node.primitive and abs(slope) < SMALL:
            flat = node.primitive.when_flat
            template = flat if isinstance(flat, str) else flat[edge.operand]
        elif math.isinf(node.data) and all(map(math.isfinite, node.operands)):
            template = SENTENCES["overflows"]
        elif node.primitive and abs(slope) > LARGE:
            template = node.primitive.when_steep
        if not template:
            template = SENTENCES["operands" if len(node.operands) > 1 else "input"]
        words = template.format(*[number(x).plain for x in node.operands], **fields)
        return words if template == FACTOR else SENTENCES["slope"].format(cause=words, slope=fields["slope"])

    def accumulated(self, gradient: float) -> str:
        """Warn if `grad` is a multiple of the gradient, since it was not reset between backward passes."""
        times = self.input.grad / gradient if gradient and math.isfinite(gradient) else 0.0
        if self.input.has_grad and 1.5 < times < math.inf and abs(times - round(times)) < 1e-9:
            return (
                f" But {self.name(self.input)}.grad is {number(self.input.grad).plain}, {round(times)} times as much: "
                f"backward() ran {round(times)} times, and leaves add up; set grad to 0 in between."
            )
        return ""

    def cancelled(self) -> str:
        """Name a sum on the way whose terms cancel, so that digits of the gradient may be wrong."""
        if len(self.tape) > MOST_SEARCHED:
            return ""
        cancel = "cancel in six digits or more: check_rounding says how many are right."
        for node, is_reached in zip(self.tape.nodes, self.reached, strict=True):
            if is_reached and node.primitive in (add, subtract, summation) and _cancel(node.operands, node.data):
                return f" The terms of {self.described(node)} {cancel}"
        for edge in self.edges:
            if _cancel([edge.before, edge.after - edge.before], edge.after):
                return f" The contributions to {self.name(edge.parent)} {cancel}"
        return ""

    def not_reached(self) -> str:
        name, label = self.name(self.input), self.input.label
        twins = [node for node in self.tape.nodes if label and node.label == label]
        if any(map(is_constant, twins)):
            copy = f"a constant copy of {label} (detached, or made under no_grad())"
            return f"{self.name(self.output)} was computed from {copy}."
        if twins:
            return f"{self.name(self.output)} was computed from another node that is called {label}, not from this one."
        if is_constant(self.output):
            return f"{self.name(self.output)} is a constant, and records nothing it was computed from."
        return f"{self.name(self.output)} was not computed from {name}."

    def name(self, node: Value) -> str:
        return self.names.of(node).plain

    def described(self, node: Value) -> str:
        if node.primitive is None or len(node.parents) > 4:
            return self.name(node)
        return f"{self.name(node)} = {self.names.operation(node).plain}"

    def source(self, node: Value | None) -> str:
        assert node is not None
        file, line = self.sources[node]
        code = linecache.getline(file, line).strip()
        return f"{self.name(node)} was made by {file}, line {line}{f': {code}' if code else '.'}"


def _cancel(terms: Sequence[float], total: float) -> bool:
    size = max(map(abs, terms), default=0.0)
    return 0.0 < CANCELLED * abs(total) < size < math.inf
