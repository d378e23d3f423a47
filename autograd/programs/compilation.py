"""`compile`: a function recorded once, and then run at the speed of C.

>>> from autograd import grad, sin
>>> slope = compile(grad(lambda x: x * sin(x)))
>>> slope(0.5) == grad(lambda x: x * sin(x))(0.5)
True
>>> slope.repeat(100, 1.0)          # x becomes the slope at x, a hundred times
1.3065423741887985

NumPy is imported when a compiled function is called for the first time.
"""

from __future__ import annotations

import functools
import inspect
import math
import operator
import sys
from collections.abc import Callable, Sequence
from types import MethodType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar, overload

from autograd.calculus.recorded_calls import is_differentiated
from autograd.calculus.signatures import (
    Gradient,
    GradientByOne,
    GradientBySeveral,
    Hessian,
    Jacobian,
    OfList,
    OfNumber,
    ValueAndGradient,
)
from autograd.modes import is_recording_program
from autograd.saving import shortened
from autograd.value import Value

if TYPE_CHECKING:
    from autograd.programs.batching import Batch
    from autograd.programs.nesting import CallForm, Leaf, Row
    from autograd.programs.program import Program
    from autograd.programs.recorded import Recorded

__all__ = ["compile"]

ResultT = TypeVar("ResultT")
Derivative: TypeAlias = Gradient | GradientByOne | GradientBySeveral | ValueAndGradient | Hessian | Jacobian
PlainArgument: TypeAlias = "float | list[float] | list[int] | list[list[float]] | tuple[float, ...] | dict[str, float]"


class Compiled(Generic[ResultT]):
    """A function that is recorded as a program at its first call, and run as such; made by `compile`."""

    def __init__(self, function: Callable[..., Any], static_argnums: Sequence[int], exact: bool) -> None:
        functools.update_wrapper(self, function, updated=())
        self.function, self.static_argnums, self.exact = function, tuple(static_argnums), exact
        self.static_names = _names_of(function, self.static_argnums)
        self._programs: dict[CallForm, Recorded] = {}
        self._last: Recorded | None = None  # of the last call, if it had neither names nor static arguments
        self._last_batch: tuple[object, Batch] | None = None  # and of which `over` and `reduce`
        self._of_floats: dict[int, Callable[[tuple[float, ...]], float]] = {}  # by the count of arguments, all floats

    @overload
    def __call__(self, *arguments: PlainArgument, **keywords: PlainArgument) -> ResultT: ...
    @overload
    def __call__(self, *arguments: Any, **keywords: Any) -> Any: ...
    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """The result of the function.

        Args:
            arguments: numbers, and lists, tuples, dicts and NumPy arrays of them. With a Value among them the function
                itself is called, so that its result is part of the graph.
            keywords: the same.

        Returns:
            What the function returns, with floats instead of Values, and float64 arrays instead of arrays of them.

        Raises:
            TypeError: if the function cannot be recorded; the message says what it did, on which line, and what to
                write instead.
        """
        run = self._of_floats.get(len(arguments))
        if run is None or keywords:
            return self._call(arguments, keywords)
        for argument in arguments:
            if type(argument) is not float:
                return self._call(arguments, keywords)
        return run(arguments)

    def _call(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        last = self._last
        if last is not None and not keywords:
            filled = last.filled(arguments)
            if filled is not None:  # as in most calls
                return self._run(last, filled)
        from autograd.programs.nesting import flat, has_value, holds_value

        try:
            form, numbers = self._form_of(arguments, keywords)
        except TypeError as error:
            if holds_value([*arguments, *keywords.values()]):
                return self.function(*arguments, **keywords)
            raise TypeError(
                f"{error}; name an argument that is something else in static_argnums, or let the function refer to it"
            ) from error
        if has_value(numbers):
            return self.function(*arguments, **keywords)
        recorded = self._record(form)
        if is_differentiated(recorded.captured) or (recorded.captured and is_recording_program()):
            return self.function(*arguments, **keywords)
        if not (keywords or self.static_argnums or recorded.captured):
            self._last = recorded
        result = self._run(recorded, flat(numbers))
        self._note_if_of_floats(arguments, recorded, form)
        return result

    def _run(self, recorded: Recorded, numbers: Row) -> Any:
        """The result for arguments that hold these numbers."""
        import numpy as np

        code = recorded.code()
        outputs = np.empty(len(code.outputs))
        runners = recorded.runners(code)
        runner = runners.take()
        is_finite = runner.call(recorded.inputs(numbers), outputs)
        runners.give_back(runner)
        if not is_finite:
            self._run_eagerly(recorded.call, numbers.tolist())
        return recorded.rebuild(outputs)

    def batch(
        self,
        *arguments: Any,
        over: int | Sequence[int] | None = None,
        reduce: Literal["mean", "sum", "each"] = "mean",
    ) -> Any:
        """The results for many examples, computed side by side.

        Args:
            arguments: those of the function. Those in `over` are arrays or lists with an entry for each example, or
                tuples and dicts of such.
            over: the numbers of the arguments that differ from example to example, counted from 0; when not given, all
                that are not static.
            reduce: what to give: the mean of the results over the examples, their sum, or each.

        Returns:
            The result of the function with, for each number, its mean or its sum; or an array with an entry for each
            example. Examples are added one after another, in their order. A number that is the same for all of them is
            multiplied by their count instead.

        Raises:
            ValueError: if there are no examples, or not as many in each argument.
            TypeError: as for a call, or for a Value among the arguments.
        """
        from autograd.programs.batching import batch_of

        key = over if over is None or isinstance(over, int) else tuple(over), reduce
        if self._last_batch is not None and self._last_batch[0] == key:
            batch = self._last_batch[1]
            filled = batch.filled(arguments)
            if filled is not None:  # as in most calls
                self._refuse_gradient(batch.recorded)
                return batch.run(*filled)
        if reduce not in ("mean", "sum", "each"):
            raise ValueError(f"reduce must be 'mean', 'sum' or 'each', got {reduce!r}")
        static = self._static(len(arguments))
        varying = set(range(len(arguments))) - static if over is None else _places_of(over, len(arguments))
        if varying & static:
            raise ValueError(f"over={over} has a static argument in it: static_argnums are {self.static_argnums}")
        batch, uniform, parts = batch_of(self.function, self._record_of_numbers, arguments, static, varying, reduce)
        self._last_batch = key, batch
        return batch.run(uniform, parts)

    def repeat(self, times: int, *state: Any, each: Sequence[Any] = ()) -> Any:
        """Call the function again and again, its results as the next arguments, without Python between the calls.

        Args:
            times: how often.
            state: the arguments of the first call. The function gives what takes their place in the next one, in the
                same nesting: one result for one argument, a tuple of them for several. More results than arguments are
                a record. Static arguments stay as they are, and are no part of the results.
            each: further arguments, which follow the state: arrays or lists with an entry for each call, or tuples and
                dicts of such.

        Returns:
            The state after the last call, followed by each record as an array with an entry for each call. One state
            without records is given as it is, not in a tuple. After Ctrl-C it is the state after the last whole call,
            with a RuntimeWarning.

        Raises:
            ValueError: if the results do not have the form of the state, or `each` has not enough entries.
            TypeError: as for a call, or for a Value among the arguments.
        """
        from autograd.programs.repetition import repeat

        times = operator.index(times)
        static = self._static(len(state) + len(each))
        return repeat(self.function, self._record_of_numbers, times, state, static, each)

    def program(self, *arguments: Any, **keywords: Any) -> Program:
        """The program that a call with these arguments runs, before it is lowered."""
        return self._record(self._form_of(arguments, keywords)[0]).program

    def parameters(self, *arguments: Any, **keywords: Any) -> list[Value]:
        """The leaves that a call with these arguments reads besides them, in the order of its program's parameters."""
        return list(self._record(self._form_of(arguments, keywords)[0]).captured)

    def __repr__(self) -> str:
        return f"<compiled {getattr(self.function, '__name__', repr(self.function))}>"

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)  # as a function in a class is a method

    def __reduce__(self) -> Any:
        """Pickled by its name, where it has taken the place of its function; else as the function, compiled anew."""
        name = getattr(self, "__qualname__", "")
        found: Any = sys.modules.get(self.__module__)
        for part in name.split("."):
            found = getattr(found, part, None)
        return name if found is self else (Compiled, (self.function, self.static_argnums, self.exact))

    def _static(self, count: int) -> set[int]:
        """Which of so many arguments are static."""
        return {place % count for place in self.static_argnums if -count <= place < count}

    def _form_of(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[CallForm, list[Leaf]]:
        """The form of a call, and its numbers."""
        from autograd.programs.nesting import CallForm, Fixed, form_of

        numbers: list[Leaf] = []
        static = self._static(len(arguments))
        forms = [
            Fixed(type(argument), argument) if place in static else form_of(argument, numbers)
            for place, argument in enumerate(arguments)
        ]
        named = [
            (name, Fixed(type(argument), argument) if name in self.static_names else form_of(argument, numbers))
            for name, argument in keywords.items()
        ]
        return CallForm(tuple(forms), tuple(named)), numbers

    def _record(self, form: CallForm) -> Recorded:
        """What was recorded for arguments of this form; now, if it is the first call with them."""
        try:
            recorded = self._programs.get(form)
        except TypeError:
            raise TypeError("a static argument must be hashable, such as a number, a string or a tuple") from None
        if recorded is None:
            from autograd.programs.recorded import Recorded

            recorded = self._programs.setdefault(form, Recorded(self.function, form, exact=self.exact))
        return recorded

    def _record_of_numbers(self, form: CallForm) -> Recorded:
        """The same, where no gradient may flow to what the function refers to."""
        recorded = self._record(form)
        self._refuse_gradient(recorded)
        return recorded

    def _refuse_gradient(self, recorded: Recorded) -> None:
        """Refuse to run without a graph what a gradient has to flow through."""
        if is_differentiated(recorded.captured):
            raise TypeError(
                f"{self!r} refers to what is differentiated by around it, but batch and repeat are run without a "
                f"graph: take the gradient within, by compile(grad(…)).batch, or call it for each example"
            )

    def _run_eagerly(self, form: CallForm, numbers: list[float]) -> None:
        """Run the function with Values, after a result that is not finite: the engine's error says what happened."""
        arguments, keywords = form.rebuilt(map(Value, numbers))
        self.function(*arguments, **keywords)

    def _note_if_of_floats(self, arguments: tuple[Any, ...], recorded: Recorded, form: CallForm) -> None:
        """Shorten the next calls with as many floats, if the result is one number, and no leaf has to be read."""
        from autograd.programs.nesting import NUMBER

        if recorded.captured or recorded.form is not NUMBER or form.named or self.static_argnums:
            return
        if len(arguments) in self._of_floats or any(type(argument) is not float for argument in arguments):
            return
        runners = recorded.runners(recorded.code())

        def run(floats: tuple[float, ...]) -> float:
            runner = runners.take()
            result: float = runner.call_floats(floats)
            runners.give_back(runner)
            if not math.isfinite(result):
                self._run_eagerly(form, list(floats))
            return result

        self._of_floats[len(arguments)] = run


@overload
def compile(function: Derivative, *, static_argnums: int | Sequence[int] = (), exact: bool = True) -> Compiled[Any]: ...
@overload
def compile(function: OfNumber, *, static_argnums: int | Sequence[int] = (), exact: bool = True) -> Compiled[float]: ...
@overload
def compile(
    function: OfList, *, static_argnums: int | Sequence[int] = (), exact: bool = True
) -> Compiled[list[float]]: ...
@overload
def compile(
    function: Callable[..., Any], *, static_argnums: int | Sequence[int] = (), exact: bool = True
) -> Compiled[Any]: ...
def compile(
    function: Callable[..., Any], *, static_argnums: int | Sequence[int] = (), exact: bool = True
) -> Compiled[Any]:
    """Record a function once for each form of its arguments, and run what was recorded as a program.

    The function is called with Values, once. What it computes with them is recorded, lowered to a few groups of equal
    instructions, and from then on run by loops in C. The results have the bits of the eager engine (the sign of a zero
    apart). Leaves that the function refers to, such as the parameters of a network, are read anew at each call; what
    was computed from them before is computed again. Anything else that it refers to stays as it was.

    A function that decides by a number, or reads `v.data`, cannot be recorded: an error names the line. While it is
    recorded, IEEE 754 holds, so that an error in a branch that `where` does not choose raises nothing. After a result
    that is not finite the function runs with Values, so that it raises the error that it raises without `compile`.

    Args:
        function: of numbers, and lists, tuples, dicts and NumPy arrays of them; also one that `grad`, `value_and_grad`
            or `hessian` made. An array reaches it as an array of Values.
        static_argnums: the arguments that are no numbers to compute with, but decide on what is computed, such as a
            count; the function is recorded for each of their values. Negative numbers count from the last argument
            that is given.
        exact: whether results have the bits of the eager engine. False is faster, and the last digits differ: `exp` and
            `tanh` are within 2 units in the last place, and large matrix products of a batch are left to SciPy's BLAS,
            if it is installed. It has no effect on the plain engine.

    Returns:
        A `Compiled` function, with the methods `batch`, `repeat` and `program`.
    """
    if not callable(function):
        raise TypeError(f"compile needs a function, got {shortened(function)} of type {type(function).__name__}")
    static = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)
    if isinstance(function, Compiled) and static in ((), function.static_argnums) and exact == function.exact:
        return function
    return Compiled(function, static, exact)


def _names_of(function: Callable[..., Any], places: Sequence[int]) -> frozenset[str]:
    """The names of some arguments, under which they may be given too."""
    try:
        parameters = inspect.signature(function).parameters.values() if places else ()
    except (TypeError, ValueError):  # a function in C that does not say
        return frozenset()
    names = [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
    return frozenset([names[place] for place in places if -len(names) <= place < len(names)])


def _places_of(over: int | Sequence[int], count: int) -> set[int]:
    """The places among so many arguments that `over` names."""
    places = [over] if isinstance(over, int) else list(over)
    for place in places:
        if not -count <= place < count:
            raise ValueError(f"there is no argument {place} as in over={over}: {count} were given")
    return {place % count for place in places}
