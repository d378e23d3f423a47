"""One call of a function of numbers, recorded: what every derivative of a function starts from.

>>> call = RecordedCall(lambda point: point["x"] * point["y"], [{"x": 2.0, "y": 3.0}], 0)
>>> call.outputs, call.like_inputs(call.pull({call.outputs[0]: 1.0}, recorded=False))
([Value(6.0)], ({'x': 3.0, 'y': 2.0},))
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from contextvars import ContextVar
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

from autograd.calculus.reverse_and_forward import Kept, Number, Rows, as_value, may_fail, pull, pull_each, push
from autograd.calculus.sparse_matrices import Pattern, sparse_matrix
from autograd.floats import as_float
from autograd.hooks import hooks
from autograd.modes import Failures, ieee_arithmetic, program_recording
from autograd.saving import shortened
from autograd.tape import Tape, begin
from autograd.trees import Structure, flat, flatten, leaves_of, nested, unflatten
from autograd.value import Value


class _Around(NamedTuple):
    """The transformations that are under way around a call.

    Attributes:
        inputs: all their inputs: a result that depends on one of them is going to be differentiated again.
        since: when the first of them began.
        reached: the inputs, and nodes that are known to depend on one.
    """

    inputs: tuple[Value, ...]
    since: int
    reached: set[Value]


_around: ContextVar[_Around | None] = ContextVar("around", default=None)


def argument_numbers(given: int | Sequence[int], name: str) -> int | tuple[int, ...]:
    """Return the number of an argument, or those of several, which the user gave under a name, as ints of Python."""
    try:
        return operator.index(given)  # type: ignore[arg-type]  # a sequence is tried too
    except TypeError:
        pass
    try:
        return tuple([operator.index(number) for number in given])  # type: ignore[union-attr]  # likewise an int
    except TypeError:
        raise TypeError(
            f"{name} must be the position of an argument, from 0, or a sequence of positions, got {shortened(given)} "
            f"of type {type(given).__name__}"
        ) from None


def parameters_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the parameters of a function by their names; none of a function in C that does not say."""
    import inspect

    try:
        return dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return {}


def is_differentiated(leaves: Sequence[Value]) -> bool:
    """Return whether a transformation that is under way around this call differentiates by one of some leaves."""
    around = _around.get()
    return around is not None and bool(leaves) and not set(leaves).isdisjoint(Tape(*around.inputs).nodes)


class RecordedCall:
    """One call of a function of trees of numbers, recorded, to be differentiated by an argument, or by several.

    Arguments with a keyword are passed on, and not differentiated by. A function with an auxiliary result returns a
    pair of what is differentiated and of that. The function computes by IEEE 754, and the outermost call raises the
    errors that its results depend on: see `check`.

    Attributes:
        inputs: new nodes, one for each number to differentiate by, also where arguments are the same Value.
        outputs: the numbers of its result.
        tape: what the outputs were computed from since the inputs were made, which is all that depends on them.
        recorded: whether its derivatives are to be differentiated again.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        arguments: Sequence[Any],
        argnums: int | Sequence[int],
        keywords: Mapping[str, Any] | None = None,
        has_aux: bool = False,
    ) -> None:
        count, numbers = len(arguments), [argnums] if isinstance(argnums, int) else argnums
        for index in numbers:
            if not -count <= index < count:
                raise TypeError(
                    f"there is no argument {index} to differentiate with respect to: {count} were given by position"
                )
        places = list(dict.fromkeys([index % count for index in numbers]))
        self._order = [places.index(index % count) for index in numbers]  # one may be asked for twice
        chosen = [arguments[place] for place in places]
        given, self.input_structure = flat(chosen, Value)
        if not given:
            for argument, entry in zip(chosen, self.input_structure.entries, strict=True):
                if entry.is_static:  # as_float says what it expected
                    as_float(argument)
        self.since = begin()
        self.inputs = [number * 1.0 if isinstance(number, Value) else Value(number) for number in given]
        new = list(arguments)
        for place, argument in zip(places, nested(self.input_structure, self.inputs), strict=True):
            new[place] = argument
        around, current = _around.get(), program_recording.get()
        outer, since = ((), self.since) if around is None else around[:2]
        inputs = (*outer, *self.inputs)
        token = _around.set(_Around(inputs, since, set(inputs)))
        try:
            with nullcontext(Failures()) if around or current else ieee_arithmetic() as self.failures:
                result = function(*new, **keywords or {})
        finally:
            _around.reset(token)
        self.aux = None
        if has_aux:
            if not isinstance(result, tuple | list) or len(result) != 2:
                raise TypeError(
                    f"with has_aux=True the function returns a pair (result, aux), got {shortened(result)} of type "
                    f"{type(result).__name__}"
                )
            result, self.aux = result
        outputs, self.output_structure = flat(result, Value)
        self.outputs = [as_value(output) for output in outputs]
        self.tape = Tape(*self.outputs, since=self.since)
        if current is not None and not around and may_fail(self.tape):
            current.checked.extend(self.outputs)  # by the compiled function, when it runs
        self._around = around
        self.recorded = (
            current is not None or any(isinstance(number, Value) for number in given) or self._is_differentiated()
        )
        if not self.recorded:
            for output in self.outputs:
                output.data  # noqa: B018  # which is refused if it was computed from what has no number

    def _is_differentiated(self) -> bool:
        """Return whether a transformation that is under way around this call differentiates its results."""
        around = self._around
        return around is not None and any(tape.reaches(around.reached, around.since) for tape in self._tapes())

    def refuse_differentiation(self, name: str) -> None:
        """Raise a TypeError, which names the transformation, if another one differentiates its results."""
        if self._is_differentiated():
            raise TypeError(
                f"{name} with sparse=True cannot be differentiated by another transformation, as it is here: leave out "
                f"sparse=True"
            )

    def _tapes(self) -> Iterator[Tape]:
        """Yield the tape, and that of the auxiliary result."""
        yield self.tape
        if self.aux is not None:
            yield Tape(*[number for number in flat(self.aux, Value)[0] if isinstance(number, Value)], since=self.since)

    def check(self, outputs: Sequence[Value], derivatives: Iterable[Number] = ()) -> None:
        """Raise the error of an operation outside its domain that an output depends on, if a number is not finite.

        Args:
            outputs: some of the outputs. The function's own value counts among its results.
            derivatives: what was computed from them.
        """
        if self.failures:
            numbers = [number.data if isinstance(number, Value) else number for number in (*outputs, *derivatives)]
            if not all(map(math.isfinite, numbers)):
                self.failures.check(*outputs)

    def scalar(self, name: str) -> Value:
        """Return the one number of the result; another count is a TypeError, which names the transformation."""
        if len(self.outputs) != 1:
            raise TypeError(
                f"{name} needs a function whose result is one number, got {len(self.outputs)}; use jacobian"
            )
        return self.outputs[0]

    def result(self) -> Any:
        """Return the result of the function: Values where it is differentiated again, floats elsewhere."""
        return self.like_output([self.finished(output) for output in self.outputs])

    def auxiliary(self) -> Any:
        """Return the auxiliary result, with its Values as `result` has them."""
        _, structure = flatten(self.aux, Value)
        leaves = []
        for leaf in leaves_of(structure, self.aux):
            numbers, kind = flat(leaf, Value)
            has_values = any(isinstance(number, Value) for number in numbers)
            finished = [self.finished(n) if isinstance(n, Value) else n for n in numbers] if has_values else []
            leaves.append(nested(kind, finished) if has_values else leaf)
        return unflatten(structure, leaves)

    def finished(self, number: Number) -> Number:
        """Return a number as the caller gets it: a Value where it is differentiated again, a float elsewhere."""
        if self.recorded:
            return as_value(number)
        return number.data if isinstance(number, Value) else number

    def like_inputs(self, numbers: list[Any]) -> tuple[Any, ...]:
        """Return trees like the arguments around other numbers."""
        return self.in_order(nested(self.input_structure, numbers))

    def in_order(self, parts: Sequence[Any]) -> tuple[Any, ...]:
        """Return what stands for each argument that is differentiated by in the order in which they were asked for."""
        return tuple([parts[place] for place in self._order])

    def like_both(self, structure: Structure, rows: list[list[Any]]) -> list[tuple[Any, ...]]:
        """Return trees like the arguments for each number and array of a structure, around a row for each number.

        Those for an array hold arrays, whose shape is that of the array and then of what stands there in the argument.
        """
        found, start = [], 0
        for shape in structure.shapes:
            if not shape:
                found.append(self.like_inputs(rows[start]))
                start += 1
                continue
            end, column, leaves = start + math.prod(shape), 0, []
            for inner in self.input_structure.shapes:
                columns = range(column, column + math.prod(inner))
                numbers = [row[place] for row in rows[start:end] for place in columns]
                leaves.append(hooks.array_of(numbers, shape + inner))
                column = columns.stop
            found.append(self.in_order(unflatten(self.input_structure, leaves)))
            start = end
        return found

    def like_output(self, numbers: list[Any]) -> Any:
        """Return a tree like the result around other numbers."""
        return nested(self.output_structure, numbers)

    def rows(self) -> Rows:
        """Return the derivatives of each output with respect to the inputs that it depends on.

        Each row is a pass in reverse mode over the part of the tape that the output depends on. If one pass in forward
        mode for each input takes less, each of these is a column instead.
        """
        tape, outputs, inputs = self.tape, self.outputs, self.inputs
        if len(outputs) > len(inputs):
            wanted = tape.dependents(inputs)
            most = len(inputs) * wanted.count(1)  # which is the same when it is recorded, unlike the length of the tape
            sizes = (len(tape.below(index, wanted)) for index in tape.indices_of(outputs))
            if any(total > most for total in accumulate(sizes)):
                return self._rows_of_columns()
        return pull_each(tape, outputs, inputs, self.recorded, kept={})

    def _rows_of_columns(self) -> Rows:
        rows: list[list[tuple[int, Number]]] = [[] for _ in self.outputs]
        indices, kept = self.tape.indices_of(self.outputs), Kept()
        for column, node in enumerate(self.inputs):
            reached = self.tape.dependents([node])
            tangents = push(self.tape, self.outputs, {node: 1.0}, self.recorded, kept)
            for row, index, tangent in zip(rows, indices, tangents, strict=True):
                if reached[index]:
                    row.append((column, tangent))
        ends = [0, *accumulate(map(len, rows))]
        return Rows(ends, [column for row in rows for column, _ in row], [entry for row in rows for _, entry in row])

    def full(self, rows: Rows) -> list[list[Number]]:
        """Return rows with an entry for each input, finished."""
        zero, width = self.finished(0.0), len(self.inputs)
        found = []
        for start, end in pairwise(rows.ends):
            row = [zero] * width
            for column, entry in zip(rows.columns[start:end], rows.entries[start:end], strict=True):
                row[column] = self.finished(entry)
            found.append(row)
        return found

    def sparse(self, rows: Rows) -> Any:
        """Return rows as a sparse matrix with a column for each input; equal numbers are one constant."""
        if len(set(self._order)) < len(self._order):
            raise ValueError(
                "argnums names an argument twice, which would have its columns twice in a sparse matrix: name it once"
            )
        constants: dict[float, Number] = {}
        finished = []
        for entry in rows.entries:
            if type(entry) is not float or entry == 0.0:  # 0.0 and -0.0 are one key
                finished.append(self.finished(entry))
                continue
            if entry not in constants:
                constants[entry] = self.finished(entry)
            finished.append(constants[entry])
        return sparse_matrix(Pattern(rows.ends, rows.columns, len(self.inputs)), finished, self.recorded)

    def pull(self, seeds: Mapping[Value, Number], recorded: bool, kept: Kept | None = None) -> list[Number]:
        """Return the gradients of the inputs, from those of some outputs."""
        grads = pull(self.tape, self.inputs, seeds, recorded, kept)
        return [grads.get(node, 0.0) for node in self.inputs]
