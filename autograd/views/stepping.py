"""The forward and backward pass of a graph as a list of steps.

>>> from autograd import Value
>>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
>>> product = a * b
>>> product.label = "E"
>>> for step in steps(product):
...     print(step)
E = a · b = 2 · (−3) = −6
∂E/∂a: 0 + 1 × (−3) = −3
∂E/∂b: 0 + 1 × 2 = 2

A step forward computes one node; a step backward passes a gradient back along one edge. A step tells what is known so
far, and `draw(step)` shows it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from typing import Literal, overload

from autograd.notation import InAscii, Names, number, operation
from autograd.primitives import PRODUCT
from autograd.tape import Tape
from autograd.value import Value, is_constant
from autograd.views.diagnosis import SENTENCES
from autograd.views.drawing import DISPLAYED_NODES, draw
from autograd.views.live_page import LivePage, live_page
from autograd.views.tracing import Edge, in_reading_order

PRINTED_STEPS = 200  # of more, str(steps) shows the first and the last


class Step(InAscii):
    """One step of a forward or backward pass.

    Attributes:
        steps: the list that it belongs to.
        index: its index there, from 0.
        phase: "forward" or "backward".
        node: forward, the node that is computed; backward, the node that passes its gradient back.
        parent: backward, the operand that receives it; None forward.
        slope: backward, the derivative of the node with respect to that operand.
        before, after: backward, the gradient of the operand before and after this step.
    """

    __slots__ = ("steps", "index", "phase", "node", "parent", "slope", "before", "after")

    def __init__(self, steps: Steps, index: int) -> None:
        self.steps = steps
        self.index = index
        self.phase: Literal["forward", "backward"]
        self.parent: Value | None = None
        self.slope = self.before = self.after = 0.0
        edge = index - len(steps.operations)
        if edge < 0:
            self.phase, self.node = "forward", steps.operations[index]
        else:
            self.phase = "backward"
            self.node, _, self.parent, self.slope, self.before, self.after = steps.edges[edge]

    def data_of(self, node: Value) -> float | None:
        """Return the number of a node in the pass that happened, if it is computed by the end of this step."""
        index = self.steps.indices.get(node)
        if index is None:
            return self.steps.leaf_data.get(node, node.data)
        return node.data if index <= self.index else None

    def grad_of(self, node: Value) -> float | None:
        """Return the gradient of a node as added up by the end of this step; None before the first part."""
        if self.phase == "forward":
            return None
        if node is self.steps.output:
            return 1.0
        edges = self.steps.edges_to.get(node, [])
        last = bisect_right(edges, self.index - len(self.steps.operations))
        return self.steps.edges[edges[last - 1]].after if last else None

    def __str__(self) -> str:
        names = self.steps.names
        if self.parent is None:
            formulas = [names.of(self.node), names.operation(self.node)]
            formulas += [operation(self.node, map(number, self.node.operands)), number(self.node.data)]
            return " = ".join(dict.fromkeys(formula.plain for formula in formulas))
        grad = self.grad_of(self.node)
        assert grad is not None
        factors = " × ".join(number(factor).within("plain", PRODUCT) for factor in (grad, self.slope))
        derivative = names.derivative(self.steps.output, self.parent).plain
        text = f"{derivative}: {number(self.before).plain} + {factors} = {number(self.after).plain}"
        plain = grad * self.slope
        return f"{text} ({SENTENCES['not_chosen']})" if plain != plain and self.after == self.before else text

    def __repr__(self) -> str:
        return f"<step {self.index}, {self.phase}: {self}>"


class Steps(InAscii, Sequence[Step]):
    """The steps of a graph: first forward, an operation each, then backward, an edge each.

    Backward, of the nodes whose gradient is complete, the one that was computed first passes its gradient on: an output
    before the next one, `w1` before `w2`. It is a sequence whose items are made when they are asked for; the backward
    pass is carried out with the first of its steps. No node's `grad` is read or changed.

    Attributes:
        output: the node that the steps lead to, and back from.
        tape: its graph.
        operations: those that are computed, one by each step forward.
    """

    def __init__(self, output: Value) -> None:
        self.output = output
        self.tape = Tape(output)
        self.operations = [node for node in self.tape.nodes if node.primitive is not None]
        self.leaf_data: dict[Value, float] = {}  # as it was in the forward pass
        self._length = len(self.operations)
        for node in self.operations:
            for parent, operand in zip(node.parents, node.operands, strict=True):
                if parent.primitive is None:
                    self.leaf_data[parent] = operand
                self._length += not is_constant(parent)

    @cached_property
    def indices(self) -> dict[Value, int]:
        """Return the step forward that computes each operation."""
        return {node: index for index, node in enumerate(self.operations)}

    @cached_property
    def names(self) -> Names:
        """Return what the steps call each node."""
        return Names(self.output, self.tape.nodes)

    @cached_property
    def edges(self) -> list[Edge]:
        """Return the edge of each step backward."""
        return list(in_reading_order(self.tape))

    @cached_property
    def edges_to(self) -> dict[Value, list[int]]:
        """Return the steps backward that add to each node's gradient, counted from the first of them."""
        edges_to = defaultdict(list)
        for index, edge in enumerate(self.edges):
            edges_to[edge.parent].append(index)
        return edges_to

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> Step: ...

    @overload
    def __getitem__(self, index: slice) -> list[Step]: ...

    def __getitem__(self, index: int | slice) -> Step | list[Step]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"there is no step {index}: this graph has {len(self)} steps, numbered from 0")
        return Step(self, index % len(self))

    def __str__(self) -> str:
        if len(self) <= PRINTED_STEPS:
            return "\n".join(map(str, self))
        half = PRINTED_STEPS // 2
        left_out = f"… {len(self) - 2 * half} more steps …"
        return "\n".join([*map(str, self[:half]), left_out, *map(str, self[-half:])])

    def of(self, node: Value | str) -> list[Step]:
        """Return the steps about one node: forward the one that computes it, backward those that add to its gradient.

        Args:
            node: the node, or its label.

        Returns:
            The steps in their order; none for a constant, or a node of another graph.

        Raises:
            TypeError: if the node is neither a Value nor a label.
            ValueError: if the label names no node of the graph, or several; the message gives the nearest names.
        """
        node = self.names.find(node)
        forward = [self.indices[node]] if node in self.indices else []
        backward = [len(self.operations) + edge for edge in self.edges_to.get(node, [])]
        return [self[index] for index in forward + backward]

    def page(self, title: str | None = None) -> LivePage:
        """Return the steps as a page for a browser, which can be edited and trained, as `live_page(output)`.

        Args:
            title: the heading.

        Raises:
            TypeError: if the graph holds a primitive of one's own, whose function only Python knows.
        """
        return live_page(self.output, title=title)

    def _repr_html_(self) -> str | None:
        """Return a live page, and a picture for readers where scripts are stripped; None if the page cannot be made."""
        if len(self.tape) > DISPLAYED_NODES:
            return None
        try:
            page = self.page()._repr_html_()
        except Exception:  # an exception in a display would fail the whole notebook; the text is shown instead
            return None
        picture = draw(self.output)._repr_html_()
        return page + (f"<details><summary>As a picture</summary>{picture}</details>" if "<img" in picture else "")

    def __repr__(self) -> str:
        forward = len(self.operations)
        return f"<{forward} steps forward and {len(self) - forward} backward; print() shows them, draw() draws one>"


def steps(output: Value) -> Steps:
    """List the forward and backward pass of a graph, step by step.

    Args:
        output: the node that the forward pass leads to.

    Returns:
        The steps. Replayed to the end they give, to the last bit, the data of the nodes and the gradients that a first
        `output.backward()` gives.
    """
    return Steps(output)
