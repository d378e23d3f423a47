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
from typing import Any, Literal, NamedTuple

from autograd.calculus.recorded_slopes import KeptSlopes, RecordedSlopes
from autograd.modes import ieee_arithmetic, program_recording
from autograd.native import runtime
from autograd.primitives import divide, power
from autograd.tape import Slopes, Tape, accumulate, begin, guarded_product, plus
from autograd.value import Constant, Value, _WideValue

Number = Value | float
Kept = dict[int, Any]  # slopes: see `KeptSlopes`


class Rows(NamedTuple):
    """The entries of a sparse matrix, row by row.

    Attributes:
        ends: where the entries of each row begin, and where those of the last one end.
        columns: the column of each entry, in ascending order within a row.
        entries: the entries.
    """

    ends: list[int]
    columns: list[int]
    entries: list[Number]


def gradients(output: Value, inputs: Iterable[Value], unreached: Literal["zero", "error"] = "zero") -> list[Value]:
    """Compute the gradients of a node as nodes, which can be differentiated again, drawn and explained.

    The attribute `grad` of nodes is neither read nor changed. An operation adds at most five nodes to the graph of the
    gradients. Power with a variable exponent, remainder, asin, acos, acosh, atanh, atan2, maximum, minimum, where,
    leaky_relu, silu, gelu, products of many and choices among many add up to twenty. The networks and sums of squares
    that were measured add 0.8 to 2.2 nodes for each node.

    Args:
        output: the node to differentiate.
        inputs: the nodes with respect to which it is differentiated.
        unreached: what happens if the output was not computed from an input: the gradient is the constant 0 ("zero"),
            or an error is raised ("error").

    Raises:
        TypeError: if the output or an input is not a Value.
        ValueError: if the output was not computed from an input, and `unreached` is "error".
        RuntimeError: if the graph reads a leaf whose number was changed after the forward pass: the gradient would mix
            both numbers.
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


def pull(
    tape: Tape, inputs: Iterable[Value], seeds: Mapping[Value, Number], recorded: bool, kept: Kept | None = None
) -> dict[Value, Number]:
    """Compute in reverse mode, from the gradients of some nodes, those of the inputs that these nodes depend on.

    If recorded, the gradients are graphs, to be differentiated again. Slopes that were kept are used, and others added.
    """
    inputs = list(inputs)
    grads = _passed(accumulate, tape, seeds, inputs, _slopes(tape, recorded, kept))
    indices = zip(inputs, tape.indices_of(inputs), strict=True)
    found = {node: grads[index] for node, index in indices if index >= 0 and grads[index] is not None}
    _note(found.values(), recorded)
    return found


def pull_each(
    tape: Tape, outputs: Iterable[Value], inputs: Iterable[Value], recorded: bool, kept: Kept | None = None
) -> Rows:
    """Compute in reverse mode the gradients of each of some outputs, by a pass over the part that it depends on.

    Args:
        tape: the graph.
        outputs: nodes of it.
        inputs: what to differentiate by.
        recorded: whether the gradients are to be graphs.
        kept: slopes of nodes that are used, and to which others are added.

    Returns:
        The gradients, a row for each output and a column for each input; of those inputs alone that it depends on.
    """
    slopes, indices_of_inputs = _slopes(tape, recorded, kept), tape.indices_of(inputs)
    guarded, wanted = slopes.guarded, tape.dependents(inputs)
    columns = {index: column for column, index in enumerate(indices_of_inputs) if index >= 0}
    grads: list[Any] = [None] * len(tape)
    ends, found_columns, entries = [0], [], []
    with ieee_arithmetic():
        for output in tape.indices_of(outputs):
            indices = tape.below(output, wanted)
            slopes.guarded = guarded
            while indices:
                before = slopes.guarded
                grads[output] = 1.0
                accumulate(tape, grads, wanted, slopes, indices)
                if slopes.guarded is before:
                    break
                for index in indices:  # a product was nan: again, with all of them guarded
                    grads[index] = None
            found = []
            for index in indices:
                if index in columns:
                    found.append(columns[index])  # noqa: PERF401  # a comprehension would be no C
            found.sort()
            for column in found:
                entries.append(grads[indices_of_inputs[column]])  # noqa: PERF401  # likewise
            for index in indices:
                grads[index] = None
            found_columns += found
            ends.append(len(entries))
    _note(entries, recorded)
    return Rows(ends, found_columns, entries)


def push(
    tape: Tape, outputs: Iterable[Value], tangents: Mapping[Value, Number], recorded: bool, kept: Kept | None = None
) -> list[Number]:
    """Compute in forward mode, from the tangents of some nodes, those of the outputs, as `pull` does in reverse."""
    outputs = list(outputs)
    pushed = _passed(_push, tape, tangents, tangents, _slopes(tape, recorded, kept))
    indices = tape.indices_of(outputs)
    if -1 in indices:
        raise KeyError("an output is not on the tape")
    found = [0.0 if pushed[index] is None else pushed[index] for index in indices]
    _note(found, recorded)
    return found


def _passed(
    run: Callable[..., Any], tape: Tape, seeds: Mapping[Value, Number], inputs: Iterable[Value], slopes: Slopes
) -> list[Any]:
    """Return for each node of a tape what a pass makes of the seeds; None where it has no number.

    Args:
        run: the pass, `accumulate` or `_push`.
        tape: the graph.
        seeds: the numbers of some nodes.
        inputs: what the nodes that count depend on.
        slopes: what to multiply by.
    """
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


def _slopes(tape: Tape, recorded: bool, kept: Kept | None = None) -> Slopes:
    """Return the slopes of the nodes of a tape; if recorded, as graphs, of which some are kept."""
    if not recorded:
        return Slopes()
    check_fresh(tape)
    current = program_recording.get()  # programs multiply plainly, except those that run after a result was nan
    guarded = None if current is None else current.guarded
    return RecordedSlopes(guarded) if kept is None else KeptSlopes(guarded, kept)


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


def check_fresh(tape: Tape) -> None:
    """Raise a RuntimeError if a leaf of a tape was assigned another number after an operation had read it."""
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
        f"compute the graph again first"
    )
