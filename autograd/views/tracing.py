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
import heapq
import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from autograd.notation import Formula, product
from autograd.primitives import stop_gradient
from autograd.tape import Slopes, Tape, guarded_product
from autograd.value import Value, is_constant

Slope = tuple[Value, int, Value, float]  # an edge: the node, the index of the operand, the parent, the slope


class Edge(NamedTuple):
    """What a node passes back to one of its operands."""

    node: Value
    operand: int  # the index of the operand, which is the parent
    parent: Value
    slope: float
    before: float  # the gradient of the parent before it receives its part
    after: float


def edges(tape: Tape, reached: bytearray | None = None) -> Iterator[Slope]:
    """Yield the edges of a graph in the order of a backward pass.

    Those to nodes that are not reached are left out; by default, those to constants.
    """
    wanted = reached if reached is not None else [not is_constant(node) for node in tape.nodes]
    nodes, starts, operands = tape.nodes, tape.starts, tape.operands
    for i in reversed(range(len(nodes))):
        slopes: tuple[float, ...] = ()
        for index, operand in enumerate(operands[starts[i] : starts[i + 1]]):
            if wanted[operand]:
                slopes = slopes or nodes[i].slopes
                yield nodes[i], index, nodes[operand], slopes[index]


def trace(output: Value, edges: Iterable[Slope]) -> Iterator[Edge]:
    """Accumulate gradients from an output along `edges`, and yield each edge that the pass reaches."""
    grads = {output: 1.0}
    for node, index, parent, slope in edges:
        if node in grads:
            before = grads.get(parent, 0.0)
            grads[parent] = after = before + contribution(node, index, grads[node], slope)
            yield Edge._make((node, index, parent, slope, before, after))


def accumulate(output: Value, edges: Iterable[Slope], guarded: list[Slope] | None = None) -> dict[Value, float]:
    """Accumulate gradients from an output along `edges`, and return that of each node that the pass reaches.

    To `guarded`, if it is given, edges are added that pass 0 although their product is nan: see `Primitive.guard`.
    """
    grads = {output: 1.0}
    for node, index, parent, slope in edges:
        if node in grads:
            part = grads[node] * slope
            if part != part:
                part = contribution(node, index, grads[node], slope)
                if guarded is not None and part == part:
                    guarded.append((node, index, parent, slope))
            grads[parent] = grads.get(parent, 0.0) + part
    return grads


def contribution(node: Value, index: int, grad: float, slope: float) -> float:
    """Return what a node adds to the gradient of an operand."""
    part = grad * slope
    if part == part:
        return part
    primitive = node.primitive
    if primitive is None or primitive is stop_gradient:
        return 0.0
    return float(guarded_product(primitive, index, grad, slope, Slopes()))


def in_reading_order(tape: Tape) -> Iterator[Edge]:
    """Yield the edges of a backward pass in the order in which a person would work them out."""
    every = list(edges(tape))
    grads = accumulate(tape.nodes[-1], every)
    return ordered(tape.nodes, (edge for edge in every if edge[0] in grads), grads, contribution)


def ordered(
    nodes: Sequence[Value],
    edges: Iterable[Slope],
    grads: Mapping[Value, float],
    part: Callable[[Value, int, float, float], float],
) -> Iterator[Edge]:
    """Yield edges, as `edges` yields them, in reading order, with the sums that they make.

    Of the nodes whose gradient is complete, the first one comes first. Every gradient is the given one to the last bit:
    where this order would give another sum, the last addition shows the true one.

    Args:
        nodes: those that the edges join, in topological order, the output last.
        edges, grads: the edges, and the gradient of each node.
        part: what a node adds to the gradient of an operand, as `contribution`.
    """
    passed: dict[Value, list[Slope]] = defaultdict(list)
    missing: dict[Value, int] = defaultdict(int)  # edges that add to a gradient and have not come yet
    for edge in edges:
        passed[edge[0]].append(edge)
        missing[edge[2]] += 1
    indices = {node: index for index, node in enumerate(nodes)}
    sums: dict[Value, float] = {}
    ready = [len(nodes) - 1]
    while ready:
        for node, index, parent, slope in passed[nodes[heapq.heappop(ready)]]:
            missing[parent] -= 1
            before = sums.get(parent, 0.0)
            if missing[parent]:
                sums[parent] = before + part(node, index, grads[node], slope)
            else:
                sums[parent] = grads[parent]
                heapq.heappush(ready, indices[parent])
            yield Edge._make((node, index, parent, slope, before, sums[parent]))


def trace_formulas(
    output: Value,
    edges: Iterable[tuple[Value, int, Value, Formula]],
    rename: Callable[[Value, Formula], Formula] = lambda node, formula: formula,
) -> dict[Value, Formula]:
    """Return the formula of each node's gradient, from edges with slopes as formulas.

    `rename` turns a node and the formula of its gradient into the formula that the node passes on.
    """
    parts: dict[Value, list[Formula]] = defaultdict(list)
    parts[output].append(Formula.of(1.0))
    passed: dict[Value, Formula] = {}
    for node, _, parent, slope in edges:
        if node not in passed:
            passed[node] = rename(node, total(parts[node]))
        parts[parent].insert(0, product([passed[node], slope]))
    return {node: total(formulas) for node, formulas in parts.items()}


def total(formulas: Iterable[Formula]) -> Formula:
    """Return the sum of formulas, from left to right."""
    return functools.reduce(operator.add, formulas)
