"""One call of a function of numbers, recorded: what every derivative of a function starts from.

>>> call = RecordedCall(lambda point: point["x"] * point["y"], [{"x": 2.0, "y": 3.0}], 0)
>>> call.outputs, call.like_inputs(call.pull({call.outputs[0]: 1.0}, recorded=False))
([Value(6.0)], ({'x': 3.0, 'y': 2.0},))
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from contextvars import ContextVar
from typing import Any, NamedTuple

from autograd.calculus.reverse_and_forward import Number, as_value, may_fail, pull
from autograd.floats import as_float
from autograd.modes import Failures, ieee_arithmetic, program_recording
from autograd.saving import shortened
from autograd.tape import Tape, begin
from autograd.trees import flat, nested
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
            f"{name} must be the number of an argument, counted from 0, or a sequence of such, got {shortened(given)} "
            f"of type {type(given).__name__}"
        ) from None


def is_differentiated(leaves: Sequence[Value]) -> bool:
    """Return whether a transformation that is under way around this call differentiates by one of some leaves."""
    around = _around.get()
    return around is not None and bool(leaves) and not set(leaves).isdisjoint(Tape(*around.inputs).nodes)


class RecordedCall:
    """One call of a function of trees of numbers, recorded, to be differentiated by an argument, or by several.

    Arguments with a keyword are passed on, and not differentiated by.
    The function computes by IEEE 754, and the outermost call raises the errors that its results depend on: see `check`.

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
    ) -> None:
        count, numbers = len(arguments), [argnums] if isinstance(argnums, int) else argnums
        for index in numbers:
            if not -count <= index < count:
                raise TypeError(
                    f"there is no argument {index} to differentiate by: {count} were given without a keyword"
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
        outputs, self.output_structure = flat(result, Value)
        self.outputs = [as_value(output) for output in outputs]
        self.tape = Tape(*self.outputs, since=self.since)
        if current is not None and not around and may_fail(self.tape):
            current.checked.extend(self.outputs)  # by the compiled function, when it runs
        self.recorded = (
            current is not None
            or any(isinstance(number, Value) for number in given)
            or (around is not None and self.tape.reaches(around.reached, around.since))
        )
        if not self.recorded:
            for output in self.outputs:
                output.data  # noqa: B018  # which is refused if it was computed from what has no number

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
                f"{name} needs a function with one number as its result, got {len(self.outputs)}; use jacobian"
            )
        return self.outputs[0]

    def result(self) -> Any:
        """Return the result of the function: Values where it is differentiated again, floats elsewhere."""
        return self.like_output([self.finished(output) for output in self.outputs])

    def finished(self, number: Number) -> Number:
        """Return a number as the caller gets it: a Value where it is differentiated again, a float elsewhere."""
        if self.recorded:
            return as_value(number)
        return number.data if isinstance(number, Value) else number

    def like_inputs(self, numbers: list[Any]) -> tuple[Any, ...]:
        """Return trees like the arguments around other numbers."""
        parts = nested(self.input_structure, numbers)
        return tuple([parts[place] for place in self._order])

    def like_output(self, numbers: list[Any]) -> Any:
        """Return a tree like the result around other numbers."""
        return nested(self.output_structure, numbers)

    def pull(self, seeds: Mapping[Value, Number], recorded: bool) -> list[Number]:
        """Return the gradients of the inputs, from those of some outputs."""
        grads = pull(self.tape, self.inputs, seeds, recorded)
        return [grads.get(node, 0.0) for node in self.inputs]
