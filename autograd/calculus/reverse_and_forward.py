"""Reverse and forward mode over a tape: gradients and tangents, as numbers or as nodes.

>>> from autograd import Value
>>> from autograd.tape import Tape
>>> x = Value(3.0)
>>> output = x**3
>>> tape = Tape(output)
>>> pull(tape, [x], {output: 1.0}, recorded=False)[x], push(tape, [output], {x: 1.0}, recorded=False)
(27.0, [27.0])
>>> (first,) = gradients(output, [x])
>>> (second,) = gradients(first, [x])
>>> first.data, second.data
(27.0, 18.0)

The slopes are computed from floats, or from Values where the derivatives are to be differentiated again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from autograd.calculus.recorded_slopes import RecordedSlopes
from autograd.modes import ieee_arithmetic, program_recording
from autograd.native import runtime
from autograd.primitives import divide, power
from autograd.tape import Slopes, Tape, accumulate, begin, guarded_product, plus
from autograd.value import Constant, Value, _WideValue

Number = Value | float


def gradients(output: Value, inputs: Iterable[Value], unreached: Literal["zero", "error"] = "zero") -> list[Value]:
    """Compute the gradients of a node as nodes, which can be differentiated again, drawn and explained.

    No `grad` is read or changed. An operation adds at most five nodes to the graph of the gradients, but for power with
    a variable exponent, remainder, asin, acos, acosh, atanh, atan2, maximum, minimum, where, leaky_relu, silu, gelu,
    products of many and choices among many, which add up to twenty; the networks and sums of squares that were measured
    add 0.8 to 2.2 nodes for each of theirs.

    Args:
        output: the node to differentiate.
        inputs: the nodes to differentiate it by.
        unreached: what to do about an input that the output was not computed from: its gradient is the constant 0
            ("zero"), or that is an error ("error").

    Raises:
        TypeError: if the output or an input is not a Value.
        ValueError: if an input is not reached and that is to be an error.
        RuntimeError: if a leaf of what depends on the inputs was assigned another number since: the gradient would mix
            both.
    """
    inputs = list(inputs)
    tape = Tape(output, since=_first_time(inputs))
    if unreached == "error":
        reached = {id(node) for node in tape.nodes}
        for index, node in enumerate(inputs):
            if id(node) not in reached:
                raise ValueError(
                    f"the output was not computed from input {index}, {node!r}; leave it out, or allow zeros with "
                    f"unreached='zero'"
                )
    grads = pull(tape, inputs, {output: 1.0}, recorded=True)
    begin()  # so that what is computed from the gradients is newer than all that they were computed from
    return [as_value(grads.get(node, 0.0)) for node in inputs]


def _first_time(nodes: list[Value]) -> int:
    """Return the time of the oldest of some nodes: what is older depends on none of them."""
    times = []
    for given in nodes:
        if not isinstance(given, Value):
            raise TypeError(f"expected a Value as input, got {given!r:.80} of type {type(given).__name__}")
        node = given  # the compiled engine knows its type
        times.append(node._time)
    return min(times, default=0)


def as_value(number: Number) -> Value:
    """Return a number as a Value: itself, or a constant."""
    return number if isinstance(number, Value) else Constant(number)


def pull(tape: Tape, inputs: Iterable[Value], seeds: Mapping[Value, Number], recorded: bool) -> dict[Value, Number]:
    """Compute in reverse mode, from the gradients of some nodes, those of the inputs that these nodes depend on.

    If recorded, the gradients are graphs, to be differentiated again.
    """
    inputs = list(inputs)
    grads = _passed(accumulate, tape, seeds, inputs, recorded)
    indices = zip(inputs, tape.indices_of(inputs), strict=True)
    found = {node: grads[index] for node, index in indices if index >= 0 and grads[index] is not None}
    _note(found.values(), recorded)
    return found


def push(tape: Tape, outputs: Iterable[Value], tangents: Mapping[Value, Number], recorded: bool) -> list[Number]:
    """Compute in forward mode, from the tangents of some nodes, those of the outputs, as graphs if recorded."""
    outputs = list(outputs)
    pushed = _passed(_push, tape, tangents, tangents, recorded)
    indices = tape.indices_of(outputs)
    if -1 in indices:
        raise KeyError("an output is not on the tape")
    found = [0.0 if pushed[index] is None else pushed[index] for index in indices]
    _note(found, recorded)
    return found


def _passed(
    run: Callable[..., Any], tape: Tape, seeds: Mapping[Value, Number], inputs: Iterable[Value], recorded: bool
) -> list[Any]:
    """Return for each node of a tape what a pass makes of the seeds; None where it has no number.

    Args:
        run: the pass, `accumulate` or `_push`.
        tape: the graph.
        seeds: the numbers of some nodes.
        inputs: what the nodes that count depend on.
        recorded: whether the numbers are to be graphs.
    """
    slopes = Slopes()
    if recorded:
        _check_fresh(tape)
        current = program_recording.get()  # programs multiply plainly, except those that run after a result was nan
        slopes = RecordedSlopes(None if current is None else current.guarded)
    guarded, dependents = slopes.guarded, tape.dependents(inputs)
    with ieee_arithmetic():  # what slopes do outside a domain is no failure of the function
        while True:
            numbers: list[Any] = [None] * len(tape)
            for node, index in zip(seeds, tape.indices_of(seeds), strict=True):
                if index >= 0:
                    numbers[index] = seeds[node]
            run(tape, numbers, dependents, slopes)
            if slopes.guarded is guarded:
                return numbers
            guarded = slopes.guarded  # a product was nan: again, as programs do, with all of them guarded


def _note(derivatives: Iterable[Number], recorded: bool) -> None:
    """Note derivatives while a program is recorded, which compares the results: they may be nan though no result is."""
    current = program_recording.get() if recorded else None
    if current is not None:
        current.derivatives.extend([number for number in derivatives if isinstance(number, Value)])


def _push(tape: Tape, pushed: list[Any], reached: bytearray, slopes: Slopes) -> None:
    nodes = tape.nodes
    starts, operands = runtime.indices(tape.starts), runtime.indices(tape.operands)
    for index in range(len(nodes)):
        node = nodes[index]
        primitive = node._primitive
        if primitive is None or pushed[index] is not None or not reached[index]:
            continue
        many = slopes.of_all(node) if primitive.arity is None else None
        start = starts[index]
        tangent = None
        for edge in range(start, starts[index + 1]):
            operand = operands[edge]
            if reached[operand]:
                slope = slopes.of(node, edge - start) if many is None else many[edge - start]
                part = guarded_product(primitive, edge - start, pushed[operand], slope, slopes)
                tangent = plus(tangent, part)
        pushed[index] = tangent


def may_fail(tape: Tape) -> bool:
    """Return whether there are numbers for which an operation on a tape is outside its domain."""
    for node in tape.nodes:
        primitive = node._primitive
        if primitive is not None and primitive.domain:
            last = None if isinstance(node, _WideValue) else node._right
            if last is None or last._primitive is not None or not last._is_fixed:
                return True
            if primitive is not divide and primitive is not power:
                return True
            number = last._float
            if not (number != 0.0 if primitive is divide else number > 0.0 and number % 1.0 == 0.0):
                return True
    return False


def _check_fresh(tape: Tape) -> None:
    starts = runtime.indices(tape.starts)
    for index in range(len(tape.nodes)):
        node = tape.nodes[index]
        if starts[index] == starts[index + 1]:
            continue
        if node._left is None:
            wide: Any = node if isinstance(node, _WideValue) else node._right
            for i in range(len(wide._parents)):
                parent, operand = wide._parents[i], wide._operands[i]
                if parent._float != operand and operand == operand:
                    raise _stale(parent, operand)
        else:
            if node._left._float != node._x and node._x == node._x:
                raise _stale(node._left, node._x)
            if node._right is not None and node._right._float != node._y and node._y == node._y:
                raise _stale(node._right, node._y)


def _stale(parent: Value, operand: float) -> RuntimeError:
    return RuntimeError(
        f"{parent!r} held {operand!r} when this graph was computed, and was assigned another number since: "
        f"compute the graph again before its gradients are recorded"
    )
