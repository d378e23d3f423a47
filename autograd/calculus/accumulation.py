"""Gradients of nodes as nodes, by reverse mode over a tape; `sweeping` has both modes.

>>> from autograd import Value
>>> x = Value(3.0, label="x")
>>> (first,) = gradients(x**3, [x])
>>> (second,) = gradients(first, [x])
>>> first.data, second.data
(27.0, 18.0)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from autograd.sweeping import Number, pull, push
from autograd.tape import Tape
from autograd.value import Constant, Value

__all__ = ["Number", "as_value", "gradients", "pull", "push"]


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
    found = [grads.get(node, 0.0) for node in inputs]
    return [number if isinstance(number, Value) else Constant(number) for number in found]


def as_value(number: Number) -> Value:
    """A number as a Value: itself, or a constant."""
    return number if isinstance(number, Value) else Constant(number)
