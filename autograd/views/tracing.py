"""Reverse accumulation one edge at a time, in numbers and in formulas: what steps, explanations and diagnoses show.

>>> from autograd import Value
>>> from autograd.tape import Tape
>>> a = Value(3.0, label="a")
>>> output = a * a
>>> for edge in trace(output, edges(Tape(output))):
...     print(edge.operand, edge.slope, edge.before, edge.after)
0 3.0 0.0 3.0
1 3.0 3.0 6.0
"""

from __future__ import annotations

import functools
import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from autograd.notation import Formula, product
from autograd.primitives import stop_gradient
from autograd.tape import Slopes, Tape, guarded_product
from autograd.value import Value

Node = TypeVar("Node")  # a Value, or its index in a tape
Slope = tuple[Node, int, Node, float]  # an edge: the node, the index of the operand, the parent, the slope


class Edge(NamedTuple):
    """What a node passes back to one of its operands."""

    node: Value
    operand: int  # the index of the operand, which is the parent
    parent: Value
    slope: float
    before: float  # the gradient of the parent before it receives its part
    after: float


def edges(tape: Tape, reached: bytearray | None = None) -> Iterator[Slope[Value]]:
    """Yield the edges of a graph in the order of a backward pass.

    Those to nodes that are not reached are left out; by default, those to constants.
    """
    nodes, is_reached = tape.nodes, (tape.variables() if reached is None else reached).__getitem__
    for index in reversed(range(len(nodes))):
        for _, operand, parent, slope in edges_of(tape, index, is_reached):
            yield nodes[index], operand, nodes[parent], slope


def edges_of(tape: Tape, index: int, is_wanted: Callable[[int], object]) -> list[Slope[int]]:
    """Return the edges from a node down to those that are wanted."""
    wanted = [(operand, parent) for operand, parent in enumerate(tape.operands_of(index)) if is_wanted(parent)]
    slopes = tape.nodes[index].slopes if wanted else ()
    return [(index, operand, parent, slopes[operand]) for operand, parent in wanted]


def trace(output: Value, edges: Iterable[Slope[Value]]) -> Iterator[Edge]:
    """Accumulate gradients from an output along `edges`, and yield each edge that the pass reaches."""
    grads = {output: 1.0}
    for node, index, parent, slope in edges:
        if node in grads:
            before = grads.get(parent, 0.0)
            grads[parent] = after = before + contribution(node, index, grads[node], slope)
            yield Edge._make((node, index, parent, slope, before, after))


def contribution(node: Value, index: int, grad: float, slope: float) -> float:
    """Return what a node adds to the gradient of an operand."""
    part = grad * slope
    if part == part:
        return part
    primitive = node.primitive
    if primitive is None or primitive is stop_gradient:
        return 0.0
    return float(guarded_product(primitive, index, grad, slope, Slopes()))


def trace_formulas(
    output: Node,
    edges: Iterable[tuple[Node, int, Node, Formula]],
    rename: Callable[[Node, Formula], Formula] = lambda node, formula: formula,
) -> dict[Node, Formula]:
    """Return the formula of each node's gradient, from edges with slopes as formulas.

    `rename` turns a node and the formula of its gradient into the formula that the node passes on.
    """
    parts: dict[Node, list[Formula]] = defaultdict(list)
    parts[output].append(Formula.of(1.0))
    passed: dict[Node, Formula] = {}
    for node, _, parent, slope in edges:
        if node not in passed:
            passed[node] = rename(node, total(parts[node]))
        parts[parent].insert(0, product([passed[node], slope]))
    return {node: total(formulas) for node, formulas in parts.items()}


def total(formulas: Iterable[Formula]) -> Formula:
    """Return the sum of formulas, from left to right."""
    return functools.reduce(operator.add, formulas)
