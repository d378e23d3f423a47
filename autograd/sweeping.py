"""Reverse and forward mode over a tape: gradients and tangents, as numbers or as nodes.

>>> from autograd import Value
>>> from autograd.tape import Tape
>>> x = Value(3.0)
>>> output = x**3
>>> tape = Tape(output)
>>> pull(tape, [x], {output: 1.0}, recorded=False)[x], push(tape, [output], {x: 1.0}, recorded=False)
(27.0, [27.0])
>>> pull(tape, [x], {output: 1.0}, recorded=True)[x].primitive
<primitive multiply>

The slopes are computed from floats, or from Values where the derivatives are to be differentiated again.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autograd.modes import ieee_arithmetic
from autograd.native import runtime
from autograd.primitives import Primitive, add, multiply, stop_gradient
from autograd.slope_rules import is_plain_value, slope_of_one, slope_of_two
from autograd.tape import Tape
from autograd.value import Constant, Value, _binary, _WideValue

Number = Value | float


def pull(tape: Tape, inputs: Iterable[Value], seeds: Mapping[Value, Number], recorded: bool) -> dict[Value, Number]:
    """Reverse mode: from the gradients of some nodes, the seeds, those of the inputs that the nodes depend on."""
    if recorded:
        _check_fresh(tape)
    inputs = list(inputs)
    grads = _of_each(tape, seeds)
    is_input, reached = _marked(tape, inputs), tape.dependents(inputs)
    with ieee_arithmetic():
        return _pulled(tape, grads, is_input, reached, recorded)


def push(tape: Tape, outputs: Iterable[Value], tangents: Mapping[Value, Number], recorded: bool) -> list[Number]:
    """Forward mode: from the tangents of some nodes, those of the outputs."""
    if recorded:
        _check_fresh(tape)
    outputs = list(outputs)
    pushed = _of_each(tape, tangents)
    is_given, reached = _marked(tape, tangents), tape.dependents(tangents)
    with ieee_arithmetic():
        _push(tape, pushed, is_given, reached, recorded)
    indices = {tape.nodes[index]: index for index in tape.indices_of(outputs)}
    return [0.0 if (tangent := pushed[indices[output]]) is None else tangent for output in outputs]


def _of_each(tape: Tape, numbers: Mapping[Value, Number]) -> list[Any]:
    """For each node of a tape its number, or None."""
    found: list[Any] = [None] * len(tape)
    for index in tape.indices_of(numbers):
        found[index] = numbers[tape.nodes[index]]
    return found


def _marked(tape: Tape, nodes: Iterable[Value]) -> bytearray:
    """For each node of a tape 1 if it is one of some nodes, else 0."""
    marks = bytearray(len(tape))
    for index in tape.indices_of(nodes):
        marks[index] = 1
    return marks


def _pulled(
    tape: Tape, grads: list[Any], is_input: bytearray, reached: bytearray, recorded: bool
) -> dict[Value, Number]:
    found: dict[Value, Number] = {}
    nodes = tape.nodes
    starts, operands = runtime.indices(tape.starts), runtime.indices(tape.operands)
    for index in range(len(nodes) - 1, -1, -1):
        grad = grads[index]
        if grad is None or not reached[index]:
            continue
        grads[index] = None  # a gradient that was passed on can be freed
        node = nodes[index]
        if is_input[index]:
            found[node] = grad
        primitive = node._primitive
        if primitive is None or primitive is stop_gradient:
            continue
        edge = starts[index]
        for slope in _slopes(primitive, node, operands, edge, reached, recorded):
            operand = operands[edge]
            if reached[operand]:
                grads[operand] = _plus(grads[operand], _times(grad, slope))
            edge += 1
    return found


def _push(tape: Tape, pushed: list[Any], is_given: bytearray, reached: bytearray, recorded: bool) -> None:
    nodes = tape.nodes
    starts, operands = runtime.indices(tape.starts), runtime.indices(tape.operands)
    for index in range(len(nodes)):
        node = nodes[index]
        primitive = node._primitive
        if primitive is None or is_given[index] or not reached[index]:
            continue
        edge = starts[index]
        tangent = None
        for slope in _slopes(primitive, node, operands, edge, reached, recorded):
            operand = operands[edge]
            if reached[operand]:
                tangent = _plus(tangent, _times(pushed[operand], slope))
            edge += 1
        pushed[index] = tangent


def _slopes(
    primitive: Primitive, node: Value, operands: array[int], edge: int, reached: bytearray, recorded: bool
) -> Sequence[Any]:
    """The slopes of an inner node with respect to its operands; anything for those that are not reached.

    Args:
        primitive: the primitive of the node.
        node: the node.
        operands: the indices of operands on a tape.
        edge: where those of the node begin.
        reached: whether each node of the tape is reached, by its index.
        recorded: whether the slopes are computed from Values.
    """
    if isinstance(node, _WideValue):
        return _slopes_of_wide(primitive, node, operands, edge, reached, recorded)
    out = node if recorded else node._data
    x = _operand(node._left, node._x, recorded)
    if node._right is None:
        return (slope_of_one(primitive, out, x) if reached[operands[edge]] else None,)
    y = _operand(node._right, node._y, recorded)
    return (
        slope_of_two(primitive, 0, out, x, y) if reached[operands[edge]] else None,
        slope_of_two(primitive, 1, out, x, y) if reached[operands[edge + 1]] else None,
    )


def _slopes_of_wide(
    primitive: Primitive, node: _WideValue, operands: array[int], edge: int, reached: bytearray, recorded: bool
) -> Sequence[Any]:
    count = len(node._parents)
    chosen = [i for i in range(count) if reached[operands[edge + i]]]
    if not chosen:
        return ()
    numbers: Sequence[Any] = node._operands
    if recorded:
        numbers = [parent._data if isinstance(parent, Constant) else parent for parent in node._parents]
    out = node if recorded else node._data
    if primitive.all_slopes is None:
        some = iter(primitive.some_slopes(chosen, out, *numbers))
        return [next(some) if reached[operands[edge + i]] else None for i in range(count)]
    slopes = tuple(primitive.all_slopes(out, *numbers))
    if len(slopes) != count:
        raise ValueError(
            f"{primitive!r} gives {len(slopes)} slopes for {count} operands; its rule must give one for each"
        )
    return slopes


def _operand(parent: Value, number: float, recorded: bool) -> Any:
    """An operand as a number for rules: a Value if slopes are recorded and it is not a constant, else a float."""
    if recorded:
        return parent._data if isinstance(parent, Constant) else parent
    return number


def _check_fresh(tape: Tape) -> None:
    for node in tape.nodes:
        if node._primitive is None:
            continue
        if isinstance(node, _WideValue):
            wide = node  # the compiled engine knows its type
            for i in range(len(wide._parents)):
                parent, operand = wide._parents[i], wide._operands[i]
                if parent._data != operand and operand == operand:
                    raise _stale(parent, operand)
        else:
            if node._left._data != node._x and node._x == node._x:
                raise _stale(node._left, node._x)
            if node._right is not None and node._right._data != node._y and node._y == node._y:
                raise _stale(node._right, node._y)


def _stale(parent: Value, operand: float) -> RuntimeError:
    return RuntimeError(
        f"{parent!r} held {operand!r} when this graph was computed, and was assigned another number since: "
        f"compute the graph again before its gradients are recorded"
    )


def _plus(a: Any, b: Any) -> Any:
    if a is None:
        return b
    if is_plain_value(a) and is_plain_value(b):
        return _binary(add, a, b)
    return a + b


def _times(a: Any, b: Any) -> Any:
    if isinstance(a, float) and a == 1.0:
        return b
    if isinstance(b, float) and b == 1.0:
        return a
    if is_plain_value(a) and is_plain_value(b):
        return _binary(multiply, a, b)
    return a * b
