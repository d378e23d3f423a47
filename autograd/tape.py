"""`Tape`: a computation graph as a flat list. Reverse accumulation over it; `backward` is its simplest use.

>>> from autograd import Value
>>> a, b = Value(2.0, label="a"), Value(3.0, label="b")
>>> tape = Tape(a * b + a)
>>> [node.data for node in tape.nodes]
[2.0, 3.0, 6.0, 8.0]
>>> [list(tape.operands_of(index)) for index in range(len(tape))]
[[], [], [0, 1], [2, 0]]
>>> backward(tape.nodes[-1])
>>> a.grad, b.grad
(4.0, 2.0)

Steps, explanations, derivatives, drawings and copies of graphs read tapes. `tape.h` records graphs and runs `backward`
for the compiled engine.
"""

from __future__ import annotations

import operator
import os
from _thread import RLock
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, compress, repeat
from typing import Any

from autograd.native import runtime
from autograd.primitives import (
    Primitive,
    add,
    largest,
    maximum,
    minimum,
    multiply,
    smallest,
    stop_gradient,
    where,
)
from autograd.value import Constant, Value, _binary, _WideValue, advance, domain_error

__all__ = ["topological_order"]

MASK = 0xFFFF  # of the count of nodes between two looks for signals, such as Ctrl-C


class Tape:
    """The nodes that some outputs depend on, parents before children, each once.

    The order is that of a depth-first search from each output in turn, which takes parents in the order of the
    operands. It is the same on every run. The depth of a graph is limited by memory alone.

    Args:
        outputs: the nodes to start from; they are recorded too.
        since: a time that `begin` returned. Older nodes are recorded without their operands, and what only those
            depend on is left out.

    Attributes:
        nodes: the nodes. The tape keeps them alive.
        operands: for each operand of each node its index in `nodes`, repeats kept, node after node.
        starts: where the operands of each node start in `operands`; at the end, the length of that.

    Raises:
        TypeError: if an output is not a Value.
    """

    __slots__ = ("nodes", "operands", "starts")

    def __init__(self, *outputs: Value, since: int = 0) -> None:
        for output in outputs:
            if not isinstance(output, Value):
                remedy = "; call it, and give what it returns" if callable(output) else ""
                raise TypeError(
                    f"expected a Value as output, got {output!r:.80} of type {type(output).__name__}{remedy}"
                )
        nodes, starts, operands = runtime.record(outputs, since) or _record(outputs, since)
        self.nodes: list[Value] = nodes
        self.starts, self.operands = array("I", starts), array("I", operands)

    def __len__(self) -> int:
        return len(self.nodes)

    def variables(self) -> bytearray:
        """Return for each node 0 if it is a constant, else 1."""
        return bytearray([not isinstance(node, Constant) for node in self.nodes])

    def operands_of(self, index: int) -> array[int]:
        """Return the indices of the operands of the node with an index, in their order."""
        return self.operands[self.starts[index] : self.starts[index + 1]]

    def indices_of(self, nodes: Iterable[Value]) -> list[int]:
        """Return the index of each of some nodes; -1 for one that is not on the tape."""
        recorded = self.nodes
        indices: list[int] = []
        others: dict[int, Value] = {}  # by the place in the list
        for node in nodes:
            index = runtime.last_index(node)
            if index >= len(recorded) or recorded[index] is not node:
                others[len(indices)], index = node, -1
            indices.append(index)
        if others:
            wanted = set(map(id, others.values()))
            found = {id(node): index for index, node in enumerate(recorded) if id(node) in wanted}
            for place, node in others.items():
                indices[place] = found.get(id(node), -1)
        return indices

    def dependents(self, inputs: Iterable[Value]) -> bytearray:
        """Return for each node 1 if it is one of some inputs or depends on one, else 0.

        The inputs need not be on the tape. A result of `stop_gradient` depends on nothing.
        """
        found = bytearray(len(self.nodes))
        for index in self.indices_of(inputs):
            if index >= 0:
                found[index] = 1
        starts, operands = runtime.indices(self.starts), runtime.indices(self.operands)
        start = 0
        for index in range(len(found)):
            end = starts[index + 1]
            for edge in range(start, end):
                if found[operands[edge]]:
                    node = self.nodes[index]
                    if node._primitive is not stop_gradient:
                        found[index] = 1
                    break
            start = end
        return found

    def below(self, index: int, wanted: bytearray) -> list[int]:
        """Return the indices of a node and of all that it depends on, as far as they are wanted, the last ones first.

        Args:
            index: that of the node.
            wanted: for each node 1 if it is wanted, else 0. Others are not gone through.
        """
        if not wanted[index]:
            return []
        starts, operands = runtime.indices(self.starts), runtime.indices(self.operands)
        found, place = [index], 0
        wanted[index] = 2  # as long as it is in the list
        while place < len(found):
            start = found[place]
            place += 1
            for edge in range(starts[start], starts[start + 1]):
                operand = operands[edge]
                if wanted[operand] == 1:
                    wanted[operand] = 2
                    found.append(operand)
        for index in found:
            wanted[index] = 1
        found.sort(reverse=True)
        return found

    def reaches(self, known: set[Value], since: int) -> bool:
        """Return whether the outputs depend on one of some nodes, also through what was left out of the tape.

        Args:
            known: those nodes; the nodes that are found to depend on one of them are added.
            since: a time that `begin` returned; older nodes depend on none of them.
        """
        starts, seen = runtime.indices(self.starts), set()
        ends = [node for index, node in enumerate(self.nodes) if starts[index] == starts[index + 1]]
        path: list[Value] = []
        rest = [iter(ends)]  # the nodes to look at next, and for each node on the path its parents
        while rest:
            for node in rest[-1]:
                if node in known:
                    known.update(path)
                    return True
                if node._primitive is not None and node._time >= since and node not in seen:
                    seen.add(node)
                    path.append(node)
                    rest.append(iter(node.parents))
                    break
            else:
                rest.pop()
                if path:
                    path.pop()
        return False


def topological_order(output: Value) -> list[Value]:
    """Return every node that the output depends on, itself included, in the order of a `Tape`.

    Raises:
        TypeError: if `output` is not a Value.
    """
    return Tape(output).nodes


def _record(outputs: Iterable[Value], since: int) -> tuple[list[Value], list[int], list[int]]:
    """Return the nodes, the starts and the operands of a tape, by a depth-first search."""
    nodes: list[Value] = []
    starts: list[int] = [0]
    operands: list[int] = []
    index: dict[int, int] = {}  # by identity, since a subclass may redefine its hash
    rest: dict[int, Iterator[Value]] = {}  # of the wide nodes on the path, the parents to look at next
    for output in outputs:
        path = [output] if id(output) not in index else []
        while path:
            node = path[-1]
            primitive = node._primitive
            parents: Iterable[Value]
            if primitive is None or node._time < since:
                parents = ()
            elif primitive.arity == 2:
                parents = node._left, node._right  # type: ignore[assignment]  # neither is None
            elif primitive.arity == 1:
                parents = (node._left,)
            else:
                parents = rest.setdefault(id(node), iter(node.parents))
            for parent in parents:
                if id(parent) not in index:
                    if parent._primitive is not None:
                        path.append(parent)
                        break
                    index[id(parent)] = len(nodes)
                    nodes.append(parent)
                    starts.append(len(operands))
            else:
                path.pop()
                index[id(node)] = len(nodes)
                nodes.append(node)
                for parent in node.parents if id(node) in rest else parents:
                    operands.append(index[id(parent)])  # noqa: PERF401  # a comprehension takes longer for so few
                starts.append(len(operands))
    return nodes, starts, operands


def begin() -> int:
    """Return a time that the nodes made from now on have, or a later one, and those made before do not have."""
    with _writing:
        return advance()


# Reverse accumulation.


def backward(output: Value) -> None:
    """Add the gradients of an output to its leaves, and set those of the other nodes: all of them, or none."""
    if runtime.backward(output):
        return
    tape = Tape(output)
    wanted = tape.variables()
    grads = node_gradients(tape, wanted, Slopes())
    is_inner = [node._primitive is not None for node in tape.nodes]
    leaves = bytearray(map(operator.gt, wanted, is_inner))
    get_grad, set_grad = vars(Value)["_grad"].__get__, vars(Value)["_grad"].__set__
    sums = map(operator.add, map(get_grad, compress(tape.nodes, leaves)), compress(grads, leaves))
    of_leaves = map(set_grad, compress(tape.nodes, leaves), sums)
    of_inner = map(set_grad, compress(tape.nodes, is_inner), compress(grads, is_inner))
    flags = map(vars(Value)["_has_grad"].__set__, compress(tape.nodes, wanted), repeat(True))
    with _writing:  # one call that runs no Python code, so that an interrupt comes before it or after it
        deque(chain(of_leaves, of_inner, flags), maxlen=0)


def node_gradients(tape: Tape, wanted: bytearray, slopes: Slopes) -> list[float]:
    """Return the derivative of the last node of a tape with respect to each node: see `accumulate`."""
    grads = [0.0] * len(tape)
    grads[-1] = 1.0
    accumulate(tape, grads, wanted, slopes)
    return grads


class Slopes:
    """The slopes that gradients are multiplied by: numbers, from those that the operands held.

    Attributes:
        guarded: which products of Values with a slope are guarded: all of them, none, or (None) none until one is nan,
            and all from then on. Products of numbers are guarded where they are nan, which makes this True.
    """

    __slots__ = ("guarded",)

    def __init__(self, guarded: bool | None = None) -> None:
        self.guarded = guarded

    def of(self, node: Value, which: int) -> Any:
        """Return the slope of an inner node with respect to the operand of a number, from 0."""
        primitive: Any = node._primitive
        if node._left is None:
            return primitive.slopes[which](node._float, *node.operands)
        if node._right is None:
            return runtime.slope_of_one(primitive, node._float, node._x)
        return runtime.slope_of_two(primitive, which, node._float, node._x, node._y)

    def of_all(self, node: Value) -> tuple[Any, ...]:
        """Return the slopes of a node with respect to all of its operands."""
        return node.slopes


def accumulate(
    tape: Tape, grads: list[Any], wanted: bytearray, slopes: Slopes, indices: list[int] | None = None
) -> None:
    """Accumulate gradients in reverse: each node adds its own, times its slope, to that of each of its operands.

    What was not chosen contributes nothing: see `Primitive.guard`.

    Args:
        tape: the graph.
        grads: for each node a number or a Value, or None; the outputs have theirs.
        wanted: for each node 1 if its gradient is wanted, or the gradient of a node that it depends on.
        slopes: the kind of slopes to multiply by.
        indices: of the nodes to go through, the last ones first; all of them when not given.
    """
    nodes, are_numbers, are_plain = tape.nodes, type(slopes) is Slopes, slopes.guarded is False
    starts, operands = runtime.indices(tape.starts), runtime.indices(tape.operands)
    count = len(nodes) if indices is None else len(indices)
    for place in range(count):
        index = count - 1 - place if indices is None else indices[place]
        if place & MASK == MASK:
            runtime.handle_signals()
        node, grad = nodes[index], grads[index]
        primitive = node._primitive
        if grad is None or primitive is None or primitive is stop_gradient or not wanted[index]:
            continue
        many = slopes.of_all(node) if primitive.arity is None else None
        start = starts[index]
        for edge in range(start, starts[index + 1]):
            operand = operands[edge]
            if wanted[operand]:
                slope = slopes.of(node, edge - start) if many is None else many[edge - start]
                if are_numbers:
                    part = grad * slope
                    if part != part:
                        part, slopes.guarded = primitive.guard(edge - start)(grad, slope), True
                    grads[operand] = part if grads[operand] is None else grads[operand] + part
                else:
                    if are_plain and (type(grad) is not float or type(slope) is not float):
                        part = times(grad, slope)
                    else:
                        part = guarded_product(primitive, edge - start, grad, slope, slopes)
                    grads[operand] = plus(grads[operand], part)


def guarded_product(primitive: Primitive, which: int, grad: Any, slope: Any, slopes: Slopes) -> Any:
    """Return a gradient or a tangent times a slope, guarded as the slopes say, which note one that is nan.

    A product of two numbers, which is part of a program as it is, is guarded where it is nan.
    """
    plain = times(grad, slope)
    if not isinstance(plain, Value):
        return plain if plain == plain else primitive.guard(which)(grad, slope)
    if slopes.guarded is None:
        node = plain  # the compiled engine knows its type
        is_nan = node._float != node._float
        if is_nan:
            slopes.guarded = True
        return primitive.guard(which)(grad, slope) if is_nan else plain
    is_harmless = not slopes.guarded or _is_ordinary(grad) or _is_ordinary(slope)
    return plain if is_harmless else primitive.guard(which)(grad, slope)


def _is_ordinary(factor: Any) -> bool:
    """Return whether a factor is a number that makes no nan of a gradient or slope of 0: finite and not 0."""
    return type(factor) is float and factor != 0.0 and factor - factor == 0.0


def plus(a: Any, b: Any) -> Any:
    """Return the sum of two gradients, of which the first may be None."""
    if type(a) is Value and type(b) is Value:  # no subclass, which may have operators of its own
        return _binary(add, a, b)
    return b if a is None else a + b


def times(a: Any, b: Any) -> Any:
    """Return the product of a gradient and a slope; a factor of 1.0 makes no node of a graph."""
    if type(a) is float and a == 1.0:
        return b
    if type(b) is float and b == 1.0:
        return a
    if type(a) is Value and type(b) is Value:  # likewise
        return _binary(multiply, a, b)
    return a * b


def chosen_parents(node: Value) -> Sequence[Value]:
    """Return the parents that the number of a node comes from: those of `where` and `maximum` that were chosen."""
    primitive, parents, operands = node.primitive, node.parents, node.operands
    if primitive is where:
        return parents[0], parents[1 if operands[0] else 2]
    if primitive is maximum or primitive is minimum or primitive is largest or primitive is smallest:
        out = node._float
        return [p for p, x in zip(parents, operands, strict=True) if x == out or (x != x and out != out)]
    return parents


def check_domains(failures: Sequence[tuple[Primitive, tuple[Value, ...], Exception]], outputs: Sequence[Value]) -> None:
    """Raise the error of the first operation outside its domain that outputs depend on: see `modes.Failures`."""
    failed = {(id(primitive), *map(id, parents)): error for primitive, parents, error in failures}
    nodes = Tape(*outputs).nodes
    reached = set(map(id, outputs))
    first = None
    for node in reversed(nodes):
        if id(node) in reached and node.primitive is not None:
            reached.update(map(id, chosen_parents(node)))
            error = failed.get((id(node.primitive), *map(id, node.parents)))
            first = first if error is None else domain_error(node.primitive, node.parents, error)
    if first is not None:
        raise first from None


_writing = RLock()  # held while gradients are read, added to and written, and while the clock is advanced


def _renew_lock() -> None:
    global _writing  # noqa: PLW0603  # the lock belongs to the process
    _writing = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)  # no thread is left there that could release it

runtime.prepare(Constant, _WideValue)
