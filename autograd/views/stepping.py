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

import heapq
import itertools
import operator
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, overload

from autograd.notation import InAscii, Names, in_notebook, number, operation
from autograd.primitives import PRODUCT, select_multiply
from autograd.tape import Slopes, Tape, node_gradients
from autograd.value import Value, is_constant
from autograd.views.appearance import Theme
from autograd.views.diagnosis import SENTENCES
from autograd.views.drawing import DISPLAYED_NODES, draw
from autograd.views.live_page import LivePage, live_page
from autograd.views.live_page.stations import StationGraph
from autograd.views.tracing import Slope, contribution, edges_of, trace
from autograd.views.writing import Writer

if TYPE_CHECKING:
    from autograd.views.replay import Replay
    from autograd.views.widget import StepsWidget

PRINTED_STEPS = 200  # of more, str(steps) shows the first and the last
UNTRUSTED = "Run this cell to step through."  # what stands in a notebook that runs no scripts


class Step(InAscii):
    """One step of a forward or backward pass.

    Attributes:
        steps: the pass that it belongs to, which is a sequence of steps.
        index: its index in that sequence, from 0.
        phase: "forward" or "backward".
        node: the node that is computed (forward), or that passes its gradient back (backward).
        parent: the operand that receives the gradient; None in the forward pass.
        slope: the derivative of the node with respect to that operand, in the backward pass.
        before, after: the gradient of the operand before and after this step, in the backward pass.
    """

    __slots__ = ("steps", "index", "phase", "node", "parent", "slope", "before", "after")

    def __init__(self, steps: Pass, index: int) -> None:
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
            self.node, self.parent, self.slope, self.before, self.after = steps.edges[edge]

    def data_of(self, node: Value) -> float | None:
        """Return the number of a node in the pass that happened, if it is computed by the end of this step."""
        node = self.steps.twins.get(node, node)
        index = self.steps.indices.get(node)
        if index is None:
            return self.steps.leaf_data.get(node, node.data)
        return node.data if index <= self.index else None

    def grad_of(self, node: Value) -> float | None:
        """Return the gradient of a node as added up by the end of this step; None before the first part."""
        node = self.steps.twins.get(node, node)
        if self.phase == "forward":
            return None
        if node is self.steps.output:
            return 1.0
        edges = self.steps.edges.to(node)
        last = bisect_right(edges, self.index - len(self.steps.operations))
        return self.steps.edges.sums[edges[last - 1]] if last else None

    def __str__(self) -> str:
        names = self.steps.names
        if self.parent is None:
            formulas = [names.of(self.node), *self.steps.written(self.node), number(self.node.data)]
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


class OrderedEdges:
    """The edges of a backward pass in reading order, with the sums that they make.

    Of the nodes whose gradient is complete, the first one comes first. Every gradient has the bits of `backward()`:
    where this order would give another sum, the last addition shows the true one. The edges are kept in columns: a
    million objects would keep the garbage collector busy.

    Attributes:
        sums: the gradient of the parent after each edge.
    """

    def __init__(self, steps: Pass) -> None:
        self._nodes, self._found = steps.tape.nodes, dict[Value, list[int]]()
        self._tops, self._parents, self._slopes, sums = array("I"), array("I"), array("d"), array("d")
        self.sums, self._previous = sums, array("q")  # the edge before that adds to the same gradient, or −1
        self._last = array("q", [-1]) * len(steps.tape)
        grads = node_gradients(steps.tape, steps.tape.variables(), Slopes())
        missing, ready = list(steps.uses), [len(grads) - 1]
        while ready:
            for top, operand, parent, slope in steps.edges_of(heapq.heappop(ready)):
                previous, self._last[parent] = self._last[parent], len(sums)
                self._tops.append(top)
                self._parents.append(parent)
                self._slopes.append(slope)
                self._previous.append(previous)
                missing[parent] -= 1
                if missing[parent]:
                    part = steps.part(self._nodes[top], operand, grads[top], slope)
                    sums.append((sums[previous] if previous >= 0 else 0.0) + part)
                else:
                    sums.append(grads[parent])
                    heapq.heappush(ready, parent)

    def __getitem__(self, edge: int) -> tuple[Value, Value, float, float, float]:
        """Return the node, the parent, the slope, and the gradient of the parent before and after."""
        node, parent, previous = self._nodes[self._tops[edge]], self._nodes[self._parents[edge]], self._previous[edge]
        return node, parent, self._slopes[edge], self.sums[previous] if previous >= 0 else 0.0, self.sums[edge]

    @cached_property
    def _indices(self) -> dict[Value, int]:
        return {node: index for index, node in enumerate(self._nodes)}

    def to(self, node: Value) -> list[int]:
        """Return which edges add to the gradient of a node, in their order."""
        if node not in self._found:
            edge = self._last[self._indices[node]] if node in self._indices else -1
            found = self._found[node] = []
            while edge >= 0:
                found.append(edge)
                edge = self._previous[edge]
            found.reverse()
        return self._found[node]


class Pass(Sequence[Step]):
    """The steps of a graph with the numbers of one pass, which stay as they are.

    Attributes:
        output: the node that the steps lead to, and back from.
        tape: its graph.
        operations: those that are computed, one by each step forward.
        leaf_data: the numbers that the leaves had in the forward pass.
        twins: of a graph that was evaluated again, the node here of each node that was recorded.
    """

    def __init__(self, tape: Tape, twins: dict[Value, Value] | None = None) -> None:
        self.output = tape.nodes[-1]
        self.tape = tape
        self.twins = twins or {}
        self.leaf_data: dict[Value, float] = {}
        for node in self.tape.nodes:
            for parent, operand in zip(node.parents, node.operands, strict=True):
                if parent.primitive is None:
                    self.leaf_data[parent] = operand

    @cached_property
    def operations(self) -> list[Value]:
        """Return the nodes that are computed, one by each step forward."""
        return [node for node in self.tape.nodes if node.primitive is not None]

    @cached_property
    def indices(self) -> dict[Value, int]:
        """Return the step forward that computes each operation."""
        return {node: index for index, node in enumerate(self.operations)}

    @cached_property
    def names(self) -> Names:
        """Return what the steps call each node."""
        return Names(self.output, self.tape.nodes)

    @cached_property
    def edges(self) -> OrderedEdges:
        """Return the edge of each step backward."""
        return OrderedEdges(self)

    @cached_property
    def uses(self) -> list[int]:
        """Return for each node of the tape how many steps backward add to its gradient."""
        uses, wanted = [0] * len(self.tape), self.tape.variables()
        for operand in self.tape.operands:
            uses[operand] += wanted[operand]
        return uses

    def edges_of(self, index: int) -> list[Slope[int]]:
        """Return the edges from a node down."""
        return edges_of(self.tape, index, self.uses.__getitem__)

    def part(self, node: Value, operand: int, grad: float, slope: float) -> float:
        """Return what a node adds to the gradient of an operand."""
        return contribution(node, operand, grad, slope)

    def written(self, node: Value) -> list[Any]:
        """Write how a node was computed, in names and in numbers."""
        return [self.names.operation(node), operation(node, map(number, node.operands))]

    @cached_property
    def _length(self) -> int:
        return len(self.operations) + sum(self.uses)

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


class FoldedPass(Pass):
    """The steps from one station to the next, as a page counts them; operations between stations fold into them."""

    def __init__(self, tape: Tape, twins: dict[Value, Value] | None = None) -> None:
        super().__init__(tape, twins)
        self.graph = StationGraph(self.output)
        self.writer = Writer(self.names, self.graph.stations.__contains__)

    @cached_property
    def operations(self) -> list[Value]:
        """Return the stations that are computed."""
        return [node for node in self.tape.nodes if node.primitive is not None and node in self.graph.stations]

    @cached_property
    def uses(self) -> list[int]:
        """Return for each node of the tape how many steps backward add to its gradient."""
        uses = Counter(itertools.chain.from_iterable(map(self.graph.parents, self.operations)))
        return [uses[node] for node in self.tape.nodes]

    def edges_of(self, index: int) -> list[Slope[int]]:
        """Return the edges from a station down: its slope with respect to each of those next below it."""
        station = self.tape.nodes[index]
        local = [
            (node, which, parent, slope)
            for node in (station, *reversed(self.graph.folded(station)))
            for which, (parent, slope) in enumerate(zip(node.parents, node.slopes, strict=True))
            if not is_constant(parent)
        ]
        slopes = {edge.parent: edge.after for edge in trace(station, local)}
        parents = enumerate(self.graph.parents(station))
        return [(index, which, self.graph.slots[parent], slopes.get(parent, 0.0)) for which, parent in parents]

    def part(self, node: Value, operand: int, grad: float, slope: float) -> float:
        """Return what a station adds to the gradient of one below it."""
        return float(select_multiply.value(grad, slope))

    def written(self, node: Value) -> list[Any]:
        """Write how a station was computed from those below it, in names and in numbers."""
        return [self.writer.operation(node), self.writer.operation(node, numeric=True)]


class Steps(InAscii, Sequence[Step]):
    """The steps of a graph: the operations of the forward pass, then the edges of the backward pass.

    In the backward pass, of all nodes whose gradient is complete, the one that was computed first passes its gradient
    back: an output before the next one, `w1` before `w2`. It is a sequence whose items are made on demand. The
    backward pass runs when its first step is made. The attribute `grad` of nodes is neither read nor changed.

    As the last line of a cell it is shown as a page to step through, edit and train. With the extra `stepgrad[widget]`
    the page is a widget, and computes with the graph in the kernel:

    - `position` follows the page, and an assignment to it moves the page.
    - An edit on the page is assigned to `data` of the leaf, and the recorded tape is evaluated again. Branches that
      Python chose, and numbers that were taken out of the graph, stay as recorded. Python computes all numbers, slopes
      and gradients that the page shows.
    - A training on the page assigns the trained numbers to the leaves at least every fifth of a second. Going back to
      an earlier round assigns the numbers of that round. A round is done as a whole or not at all, and a round with
      numbers that are not finite is not done.
    - An assignment to a leaf in another cell is shown with the next `update()`, edit or training.

    While a cell runs, edits wait for its end. Without the extra the page is a copy in a frame, and edits and trainings
    do not reach the graph.

    Attributes:
        output: the node that the forward pass computes last. After an update it is another node, with the new number,
            since a node keeps the number that it was computed with.
        tape: its graph.
        operations: the nodes that the forward pass computes, one in each step.
    """

    def __init__(self, output: Value) -> None:
        self._recorded = Tape(output)
        self._position = 0
        self._widget: StepsWidget | None = None
        self._show(Pass(self._recorded))

    def __len__(self) -> int:
        return len(self._pass)

    @overload
    def __getitem__(self, index: int) -> Step: ...

    @overload
    def __getitem__(self, index: slice) -> list[Step]: ...

    def __getitem__(self, index: int | slice) -> Step | list[Step]:
        return self._pass[index]

    def __str__(self) -> str:
        if len(self) <= PRINTED_STEPS:
            return "\n".join(map(str, self))
        half = PRINTED_STEPS // 2
        left_out = f"… {len(self) - 2 * half} more steps …"
        return "\n".join([*map(str, self[:half]), left_out, *map(str, self[-half:])])

    def of(self, node: Value | str) -> list[Step]:
        """Return the steps about a node: the one that computes it, and those that add to its gradient.

        Args:
            node: the node, or its label.

        Returns:
            The steps in their order; an empty list for a constant, or a node of another graph.

        Raises:
            TypeError: if the node is neither a Value nor a label.
            ValueError: if the label names no node of the graph, or several; the message gives the nearest names.
        """
        node = self.names.find(node)
        forward = [self._pass.indices[node]] if node in self._pass.indices else []
        backward = [len(self.operations) + edge for edge in self._pass.edges.to(node)]
        return [self[index] for index in forward + backward]

    # What is shown.

    def _show(self, shown: Pass) -> None:
        self._pass = shown
        self.output, self.tape, self.operations = shown.output, shown.tape, shown.operations
        vars(self).pop("_folded", None)

    @property
    def names(self) -> Names:
        """What the steps call each node."""
        return self._pass.names

    @cached_property
    def _folded(self) -> Pass:
        """Return the same pass in the steps that the page shows unless every operation is asked for."""
        return FoldedPass(self.tape, self._pass.twins)

    @property
    def _listed(self) -> Pass:
        return self._pass if self._widget is not None and self._widget.every_operation else self._folded

    @cached_property
    def _replay(self) -> Replay:
        from autograd.views.replay import Replay  # it needs NumPy

        return Replay(self._recorded, self._pass.leaf_data)

    @property
    def position(self) -> int:
        """The number of steps that are done on the page. An assignment moves the page.

        The page goes from one node with a label to the next, and counts these steps. If "Every operation" is ticked, it
        counts the steps of this list.

        Raises:
            TypeError: if something else than an integer is assigned.
            ValueError: if a number is assigned that is negative or greater than the number of steps.
        """
        return self._position if self._widget is None else self._widget.position

    @position.setter
    def position(self, position: int) -> None:
        position, last = operator.index(position), len(self._listed)
        if not 0 <= position <= last:
            raise ValueError(f"the page has {last} steps, so its position is a number from 0 to {last}; got {position}")
        self._position = position
        if self._widget is not None:
            self._widget.position = position

    @property
    def step(self) -> Step | None:
        """The step that the page shows, with the current numbers; None at position 0, before the first step."""
        return self._listed[self.position - 1] if self.position else None

    def update(self) -> None:
        """Evaluate the recorded tape again with the current numbers of its leaves, and show the result.

        Raises:
            ValueError, ZeroDivisionError: if an operation is outside its domain with these numbers. The page stays as
                it was.
        """
        self._show(Pass(*self._replay.evaluate()))
        self._replay.note(self.output.data)
        if self._widget is not None:
            self._widget.show(self._pass)

    def page(self, title: str | None = None, *, compact: bool = False, theme: Theme | None = None) -> LivePage:
        """Return the steps as a page for a browser, which can be edited and trained, as `live_page(output)`.

        Args:
            title: the heading.
            compact: as for `live_page`.
            theme: as for `live_page`.

        Raises:
            TypeError: if the graph has a primitive of your own, whose function is known to Python alone.
        """
        return live_page(self.output, title=title, compact=compact, theme=theme)

    def _shown_widget(self) -> StepsWidget | None:
        """Return the widget, which is made when it is first shown; None without the packages that it needs."""
        if self._widget is None:
            try:
                from autograd.views.widget import StepsWidget
            except ImportError:
                return None
            self._widget = StepsWidget(self)
        return self._widget

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Return the widget, for a notebook with a kernel; the rest comes from the other representations."""
        try:
            widget = self._shown_widget() if in_notebook() else None
            bundle = widget._repr_mimebundle_() if widget is not None else None
        except Exception:  # an exception in a display would fail the whole notebook; the frame is shown instead
            bundle = None
        return {} if bundle is None else {key: it for key, it in bundle[0].items() if key != "text/plain"}

    def _display_(self) -> Any:
        """Return what marimo shows."""
        try:
            return self._shown_widget() or self.page(compact=True)
        except Exception:  # as above
            return repr(self)

    def _repr_html_(self) -> str | None:
        """Return a live page; where frames are stripped, a picture remains. None if the page cannot be made."""
        try:
            page = self.page(compact=True)
            picture = draw(self.output)._repr_html_() if len(self.tape) <= DISPLAYED_NODES else ""
        except Exception:  # as above
            return None
        return page.frame(f"<p>{UNTRUSTED}</p>{picture if '<img' in picture else ''}")

    def __repr__(self) -> str:
        forward = len(self.operations)
        return f"<{forward} steps forward and {len(self) - forward} backward; print() shows them, draw() draws one>"


def steps(output: Value) -> Steps:
    """List the forward and backward pass of a graph, step by step.

    Args:
        output: the node that the forward pass computes last.

    Returns:
        The steps. After the last one, the numbers of the nodes and the gradients have the same bits as after a first
        `output.backward()`.
    """
    return Steps(output)
