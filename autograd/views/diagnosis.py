"""Why a gradient is zero, huge or nan: the operation where it went wrong, and what happened there.

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
from collections.abc import Mapping

from autograd.notation import Names, number, operation
from autograd.tape import Tape
from autograd.value import Value, is_constant
from autograd.views.tracing import check_input, edges, trace

SMALL, LARGE = 1e-4, 1e4  # a slope beyond these, or a gradient of the square of these, is worth a word

Sources = Mapping[Value, tuple[str, int]]


class Diagnosis:
    """What there is to say of a gradient.

    Attributes:
        gradient: the derivative of the output with respect to the input.
        node: the operation where it died, exploded or turned nan; None if there is none to name.
        text: the sentence.
    """

    def __init__(self, gradient: float, node: Value | None, text: str) -> None:
        self.gradient, self.node, self.text = gradient, node, text

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


def diagnose(output: Value, input: Value, sources: Sources | None = None) -> Diagnosis:
    """Say why a gradient is zero, very small, huge, infinite or nan, or that nothing is wrong with it.

    Args:
        output: the node that is differentiated.
        input: the node that it is differentiated by.
        sources: as from `record_sources()`, to name the line of the program that made the node.

    Returns:
        The diagnosis. No `grad` is changed; if the input's is not the gradient of one `backward()`, it says so too.

    Raises:
        TypeError: if the output or the input is no Value.
    """
    check_input(input, "diagnose")
    return _Case(output, input, sources or {}).diagnosis()


class _Case:
    """The gradients on the way from an output back to an input."""

    def __init__(self, output: Value, input: Value, sources: Sources) -> None:
        self.output, self.input, self.sources = output, input, sources
        self.tape = Tape(output)
        self.names = Names(output, self.tape.nodes)
        reached = self.tape.dependents([input])
        self.is_reached = any(reached)
        self.edges = list(trace(output, edges(self.tape, reached)))  # on the way, from the output on
        self.grads = {output: 1.0, **{edge.parent: edge.after for edge in self.edges}}

    def diagnosis(self) -> Diagnosis:
        name = f"∂{self.name(self.output)}/∂{self.name(self.input)}"
        if is_constant(self.input):
            return Diagnosis(0.0, None, f"{name} is 0: {self.name(self.input)} is a constant, and gets no gradient.")
        if not self.is_reached:
            return Diagnosis(0.0, None, f"{name} is 0: {self.not_reached()}")
        gradient = self.grads.get(self.input, 0.0)
        node, reason = self.reason(gradient)
        source = f" {self.source(node)}" if node in self.sources else ""
        text = f"{name} is {number(gradient).plain}. {reason}{source}{self.accumulated(gradient)}"
        return Diagnosis(gradient, node, text)

    def reason(self, gradient: float) -> tuple[Value | None, str]:
        if math.isnan(gradient):
            return self.where_nan()
        if math.isinf(gradient) or abs(gradient) > LARGE * LARGE:
            return self.where_huge()
        if abs(gradient) < SMALL * SMALL:
            return self.where_small(gradient)
        return None, "Nothing is wrong with it."

    def where_nan(self) -> tuple[Value, str]:
        for node, index, parent, slope, before, _ in self.edges:
            grad = self.grads[node]
            if not math.isnan(self.grads[parent]) or math.isnan(grad):
                continue
            at = f"The gradient turns nan at {self.described(node)}: "
            if math.isnan(slope):
                if any(map(math.isnan, node.operands)):
                    return node, f"{at}an input of it is nan already in the forward pass; {self.first_nan()}."
                return node, f"{at}its slope at{self.at_operands(node)} is not defined."
            if math.isnan(grad * slope):
                return (
                    node,
                    f"{at}{_product(grad, slope)} is not defined; {self.cause(node, index, slope)}.",
                )
            if math.isinf(before) and math.isinf(grad * slope):
                return node, f"{at}infinite contributions of both signs meet at {self.name(parent)}."
        return self.output, f"{self.name(self.output)} itself is nan; {self.first_nan()}."

    def first_nan(self) -> str:
        for node in self.tape.nodes:
            if math.isnan(node.data):
                made = self.described(node) if node.primitive else self.name(node)
                return f"the first nan is {made}{self.at_operands(node)}"
        return "no number of the forward pass is nan"

    def where_huge(self) -> tuple[Value | None, str]:
        for node, index, parent, slope, *_ in self.edges:
            if math.isfinite(self.grads[node]) and not math.isfinite(self.grads[parent]):
                how = self.cause(node, index, slope)
                return node, f"The gradient becomes infinite at {self.described(node)}: {how}."
        if not math.isfinite(self.output.data):
            return self.output, f"{self.described(self.output)} is {number(self.output.data).plain} itself."
        node, index, _, slope, *_ = max(self.edges, key=lambda edge: abs(edge.slope))
        if abs(slope) < LARGE:
            return None, f"No slope on the way is larger than {number(abs(slope)).plain}; their product is."
        return node, f"The gradient explodes at {self.described(node)}: {self.cause(node, index, slope)}."

    def where_small(self, gradient: float) -> tuple[Value | None, str]:
        if gradient == 0.0:
            for node, index, parent, slope, *_ in self.edges:
                alive = self.grads[node] != 0.0
                if alive and slope == 0.0 and self.grads[parent] == 0.0:
                    return node, f"The gradient dies at {self.described(node)}: {self.cause(node, index, slope)}."
                if alive and slope != 0.0 and self.grads[node] * slope == 0.0:
                    product = _product(self.grads[node], slope)
                    return node, f"The gradient dies at {self.described(node)}: {product} is too small for a float."
            return None, "The contributions of all paths cancel."
        node, index, _, slope, *_ = min(self.edges, key=lambda edge: abs(edge.slope) or math.inf)
        if abs(slope) > SMALL:
            return None, f"No slope on the way is smaller than {number(abs(slope)).plain}; their product is."
        return node, f"The gradient fades at {self.described(node)}: {self.cause(node, index, slope)}."

    def cause(self, node: Value, index: int, slope: float) -> str:
        """Why a slope is what it is: in the words of the primitive, if it has any, or else by the operands."""
        operands, out = node.operands, number(node.data).plain
        template = ""
        if node.primitive and abs(slope) < SMALL:
            template = node.primitive.when_flat
        elif math.isinf(node.data) and all(map(math.isfinite, operands)):
            template = f"its value overflows to {out} at{self.at_operands(node)}"
        elif node.primitive and abs(slope) > LARGE:
            template = node.primitive.when_steep
        other = number(operands[1 - index]).plain if len(operands) == 2 else ""
        if not template or ("{other}" in template and not other):
            template = f"its operands are{self.at_operands(node)}"
        tiny = "" if math.isinf(slope) else ", which is tiny"
        name = node.primitive.name if node.primitive else ""
        words = template.format(*[number(x).plain for x in operands], name=name, out=out, other=other, tiny=tiny)
        return f"{words}: slope {number(slope).plain}"

    def at_operands(self, node: Value) -> str:
        shown = [number(x).plain for x in node.operands[:3]]
        return f" {', '.join(shown)}{', …' if len(node.operands) > 3 else ''}" if shown else ""

    def accumulated(self, gradient: float) -> str:
        """A warning if `grad` is a multiple of the gradient, since it was not reset between backward passes."""
        times = self.input.grad / gradient if gradient and math.isfinite(gradient) else 0.0
        if self.input.has_grad and 1.5 < times < math.inf and abs(times - round(times)) < 1e-9:
            return (
                f" But {self.name(self.input)}.grad is {number(self.input.grad).plain}, {round(times)} times as much: "
                f"backward() ran {round(times)} times, and leaves add up; set grad to 0 in between."
            )
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
        written = operation(node, [self.names.of(parent) for parent in node.parents])
        return f"{self.name(node)} = {written.plain}"

    def source(self, node: Value | None) -> str:
        assert node is not None
        file, line = self.sources[node]
        code = linecache.getline(file, line).strip()
        return f"It was made by {file}, line {line}: {code}" if code else f"It was made by {file}, line {line}."


def _product(a: float, b: float) -> str:
    return str((number(a) * number(b)).plain)
