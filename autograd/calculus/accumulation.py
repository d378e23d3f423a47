"""Reverse and forward mode over a tape: gradients from an output to its inputs, tangents from inputs to outputs.

>>> from autograd import Value
>>> x = Value(3.0, label="x")
>>> (first,) = gradients(x**3, [x])
>>> (second,) = gradients(first, [x])
>>> first.data, second.data
(27.0, 18.0)

The slopes are computed from floats, or from Values where the derivatives are to be differentiated again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from autograd.modes import ieee_arithmetic, trace
from autograd.primitives import stop_gradient
from autograd.tape import Tape
from autograd.value import Constant, Value, is_constant

Number = Value | float


def gradients(output: Value, inputs: Iterable[Value], unreached: Literal["zero", "error"] = "zero") -> list[Value]:
    """The gradients of a node as nodes, which can be differentiated again, drawn and explained.

    No `grad` is read or changed. An operation adds at most five nodes to the graph of the gradients, but for power with
    a variable exponent, remainder, asin, acos, acosh, atanh, atan2, maximum, minimum, where, leaky_relu, gelu and long
    products, which add up to fifteen; the networks and sums of squares that were measured add 0.8 to 2.2 nodes for each
    of theirs.

    Args:
        output: the node to differentiate.
        inputs: the nodes to differentiate it by.
        unreached: what to do about an input that the output was not computed from: its gradient is the constant 0
            ("zero"), or that is an error ("error").

    Raises:
        ValueError: if an input is not reached and that is to be an error.
        RuntimeError: if a leaf was assigned another number since the output was computed: the gradient would mix both.
    """
    inputs = list(inputs)
    tape = Tape(output)
    if unreached == "error":
        reached = {id(node) for node in tape.nodes}
        for index, node in enumerate(inputs):
            if id(node) not in reached:
                raise ValueError(
                    f"the output was not computed from input {index}, {node!r}; leave it out, or allow zeros with "
                    f"unreached='zero'"
                )
    grads = pull(tape, inputs, {output: 1.0}, recorded=True)
    return [as_value(grads.get(node, 0.0)) for node in inputs]


def pull(tape: Tape, inputs: Iterable[Value], seeds: Mapping[Value, Number], recorded: bool) -> dict[Value, Number]:
    """Reverse mode: from the gradients of some nodes, the seeds, those of the inputs that the nodes depend on."""
    if recorded:
        _check_fresh(tape)
    inputs = set(inputs)
    reached = tape.dependents(inputs)
    grads: list[Number | None] = [seeds.get(node) for node in tape.nodes]
    found: dict[Value, Number] = {}
    with ieee_arithmetic():
        for index in reversed(range(len(tape))):
            grad = grads[index]
            if grad is None:
                continue
            grads[index] = None  # a gradient that was passed on can be freed
            if tape.nodes[index] in inputs:
                found[tape.nodes[index]] = grad
            for operand, slope in _slopes(tape, index, reached, recorded):
                grads[operand] = _plus(grads[operand], _times(grad, slope))
    return found


def push(tape: Tape, outputs: Iterable[Value], tangents: Mapping[Value, Number], recorded: bool) -> list[Number]:
    """Forward mode: from the tangents of some nodes, those of the outputs."""
    if recorded:
        _check_fresh(tape)
    reached = tape.dependents(tangents)
    pushed: list[Number | None] = [tangents.get(node) for node in tape.nodes]
    with ieee_arithmetic():
        for index, node in enumerate(tape.nodes):
            if node not in tangents:
                for operand, slope in _slopes(tape, index, reached, recorded):
                    tangent = pushed[operand]
                    assert tangent is not None  # parents stand before children
                    pushed[index] = _plus(pushed[index], _times(tangent, slope))
    known = dict(zip(tape.nodes, pushed, strict=True))
    return [0.0 if (tangent := known[output]) is None else tangent for output in outputs]


def _slopes(tape: Tape, index: int, reached: bytearray, recorded: bool) -> Iterator[tuple[int, Number]]:
    """The operands of a node that are reached, by their index, with their slopes: Values if they are to be recorded.

    None for a result of `stop_gradient`.
    """
    node = tape.nodes[index]
    primitive, operands = node.primitive, tape.operands_of(index)
    chosen = [i for i, operand in enumerate(operands) if reached[operand]]
    if primitive is None or primitive is stop_gradient or not chosen:
        return
    slopes: Sequence[Number]
    if recorded:
        numbers = [parent.data if is_constant(parent) else parent for parent in node.parents]
        slopes = primitive.some_slopes(chosen, node, *numbers)
    else:
        slopes = primitive.some_slopes(chosen, node.data, *node.operands)
    for i, slope in zip(chosen, slopes, strict=True):
        yield operands[i], slope


def _check_fresh(tape: Tape) -> None:
    if trace.get() is not None:  # the function just computed it
        return
    for node in tape.nodes:
        for parent, operand in zip(node.parents, node.operands, strict=True):
            if parent.data != operand and operand == operand:
                raise RuntimeError(
                    f"{parent!r} held {operand!r} when this graph was computed, and was assigned another number since: "
                    f"compute the graph again before its gradients are recorded"
                )


def _plus(a: Number | None, b: Number) -> Number:
    return b if a is None else a + b


def _times(a: Number, b: Number) -> Number:
    if isinstance(a, float) and a == 1.0:
        return b
    if isinstance(b, float) and b == 1.0:
        return a
    return a * b


def as_value(number: Number) -> Value:
    """A number as a Value: itself, or a constant."""
    return number if isinstance(number, Value) else Constant(number)
