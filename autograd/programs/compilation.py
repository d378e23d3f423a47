"""`compile`: a function recorded once, and then run at the speed of C.

>>> from autograd import grad, sin
>>> slope = compile(grad(lambda x: x * sin(x)))
>>> slope(0.5) == grad(lambda x: x * sin(x))(0.5)
True
>>> slope.batch([0.0, 0.5]).tolist() == [0.0, slope(0.5)]
True
>>> slope.repeat(100, 1.0)          # x becomes the slope at x, a hundred times
1.3065423741887985

Numbers become flat rows here: a program takes a row of numbers, and gives one. This file is long because calls, batches
and repetitions are one subject. NumPy is imported when a compiled function is called for the first time.
"""

from __future__ import annotations

import contextlib
import functools
import math
import operator
import sys
import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from types import MethodType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar, overload

from autograd.calculus.recorded_calls import argument_numbers, is_differentiated, parameters_of
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
from autograd.programs.control_flow import scan
from autograd.saving import shortened
from autograd.trees import Structure, container, cut, flat, flatten, nested, numbers_of, static, unflatten
from autograd.value import Value

if TYPE_CHECKING:
    from autograd.programs.batching import Batch
    from autograd.programs.program import Program
    from autograd.programs.recording import RecordedFunction
    from autograd.programs.rows import Row

__all__ = ["compile"]

ResultT = TypeVar("ResultT")
# What `grad` and its kin return, for type checkers.
Differentiated: TypeAlias = Gradient | GradientByOne | GradientBySeveral | ValueAndGradient | Hessian | Jacobian
PlainArgument: TypeAlias = "float | list[float] | list[int] | list[list[float]] | tuple[float, ...] | dict[str, float]"
Reduce: TypeAlias = Literal["each", "mean", "sum"]
MOST_PROGRAMS = 128  # that a compiled function keeps


class Compiled(Generic[ResultT]):
    """A function that is recorded at its first call, and run as a program; made by `compile`."""

    def __init__(self, function: Callable[..., Any], static_argnums: Sequence[int], exact: bool) -> None:
        functools.update_wrapper(self, function, updated=())
        self.function, self.static_argnums, self.exact = function, tuple(static_argnums), exact
        self.static_names = _names_of(function, self.static_argnums)
        self.clear()

    def clear(self) -> None:
        """Drop all programs, and the arrays that were passed last; the next call records the function again."""
        self._recorded: OrderedDict[Structure, RecordedFunction] = OrderedDict()  # the one used last at the end
        self._forget_last()

    def _forget_last(self) -> None:
        """Let the next call look for its program."""
        self._last: RecordedFunction | None = None  # of the last call, if it had neither names nor static arguments
        self._last_batch: tuple[object, Batch] | None = None  # and of which `over` and `reduce`
        self._of_floats: dict[int, Callable[[tuple[float, ...]], float]] = {}  # by the count of arguments, all floats

    @overload
    def __call__(self, *arguments: PlainArgument, **keywords: PlainArgument) -> ResultT: ...
    @overload
    def __call__(self, *arguments: Any, **keywords: Any) -> Any: ...
    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Return the result of the function.

        Args:
            arguments: numbers, and lists, tuples, dicts, dataclasses and NumPy arrays of them, which must not change
                during the call. If one is a Value, the function itself is called, and its result is part of the graph.
            keywords: the same; and `out`, unless the function has an argument of this name: a tree like the result with
                arrays for it. A number needs an array of shape (), an array one of its shape, of float64, C-contiguous
                and writable. An array may also be an argument. In place of None a new array is made.

        Returns:
            What the function returns, with floats instead of Values, and float64 arrays instead of arrays of them; with
            `out`, those arrays.

        Raises:
            TypeError: if the function cannot be recorded; the message says what it did, on which line, and what to
                write instead. Or if `out` does not fit the result.
        """
        run = self._of_floats.get(len(arguments))
        if run is None or keywords:
            return self._call(arguments, keywords)
        for argument in arguments:
            if type(argument) is not float:
                return self._call(arguments, keywords)
        result = run(arguments)
        if not math.isfinite(result):
            return self._call(arguments, keywords)
        return result

    def _call(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        out = keywords.pop("out") if "out" in keywords and not self._has_out else None
        if self._last is not None and not keywords:
            numbers = self._last.filled(arguments, out is None)
            if numbers is not None:  # as in most calls
                return self._run(self._last, numbers, out)
        from autograd.programs.rows import has_value, row_of

        call: Structure | None
        try:
            call, leaves = self._flatten(arguments, keywords)
        except TypeError as error:
            call, leaves = None, flatten((arguments, keywords), Value)[0]
            if not has_value(leaves):
                raise TypeError(
                    f"{error}; name an argument of another kind in static_argnums, or let the function refer to it"
                ) from error
        recorded = None if call is None or has_value(leaves) else self._record(call)
        if recorded is None or (recorded.captured and (is_recording_program() or is_differentiated(recorded.captured))):
            if out is not None:
                raise TypeError(
                    f"out= takes plain numbers, but the result of {self!r} is part of a graph here: leave it out, or "
                    f"pass plain numbers (v.data)"
                )
            if call is not None and has_value([leaf for leaf in leaves if hasattr(leaf, "shape")]):
                # Arrays of objects become arrays of Values, as when it is recorded.
                arguments, keywords = nested(call, numbers_of(leaves))
            return self.function(*arguments, **keywords)
        if not (keywords or self.static_argnums or recorded.captured):
            self._last = recorded
        result = self._run(recorded, row_of(leaves), out)
        is_short = not (recorded.captured or keywords or self.static_argnums or out is not None)
        if is_short and type(result) is float and all(type(argument) is float for argument in arguments):
            self._of_floats[len(arguments)] = recorded.schedule().call_floats
        return result

    def _run(self, recorded: RecordedFunction, numbers: Row, out: Any) -> Any:
        """Return the result for arguments that hold these numbers."""
        results, leaves = recorded.results.of(1, out)
        tables = recorded.tables(results, 1)
        _, is_finite = recorded.schedule().run(1, recorded.inputs(numbers), [], tables)
        if not is_finite:
            from autograd.programs.batching import call_again

            call_again(recorded, numbers, tables)
        if leaves is None:
            return unflatten(recorded.result, cut(recorded.result, results[0][0]))
        return out if hasattr(recorded.result.kind, "__unflattened__") else unflatten(recorded.result, leaves)

    def batch(
        self, *arguments: Any, over: int | Sequence[int] | None = None, reduce: Reduce = "each", out: Any = None
    ) -> Any:
        """Return the results for many examples, computed side by side.

        Args:
            arguments: those of the function. Those in `over` are arrays or lists with an entry for each example, or
                tuples, dicts and dataclasses of such.
            over: the positions of the arguments that differ from example to example, from 0; by default all that are
                not static.
            reduce: what to return: each result, the mean of the results over the examples, or their sum.
            out: as for a call; arrays for each result have a leading axis with an entry for each example.

        Returns:
            A tree like the result of the function, with an array in place of each number, which has an entry for each
            example; or with the mean or the sum. Examples are added one after another, in their order. A number that is
            the same for all examples is multiplied by their count instead.

        Raises:
            ValueError: if there are no examples, or not equally many in each argument; or if the results, with
                `reduce="each"`, take more than 1 GB.
            TypeError: as for a call, or for a Value among the arguments.
        """
        if over is not None and type(over) is not int and type(over) is not tuple:
            over = argument_numbers(over, "over")
        key = over, reduce
        if self._last_batch is not None and self._last_batch[0] == key:
            batch = self._last_batch[1]
            filled = batch.filled(arguments)
            if filled is not None:  # as in most calls
                self._without_gradient(batch.recorded)
                return batch.run(*filled, out)
        if reduce not in ("each", "mean", "sum"):
            raise ValueError(f"reduce must be 'each', 'mean' or 'sum', got {reduce!r}")
        fixed = self._static(len(arguments))
        varying = set(range(len(arguments))) - fixed if over is None else _places_of(over, len(arguments))
        if varying & fixed:
            raise ValueError(f"over={over} has a static argument in it: static_argnums are {self.static_argnums}")
        from autograd.programs.batching import Batch
        from autograd.programs.rows import split

        names = [f"argument {place}" for place in range(len(arguments))]
        call, numbers, tables = split(arguments, fixed, varying, names)
        counts = {len(table) for table in tables}
        if len(counts) != 1 or not all(counts):
            raise ValueError(
                f"a batch needs as many examples in each argument of over={sorted(varying)}, and at least one; got "
                f"{sorted(counts) or 'none'}"
            )
        batch = Batch(self._without_gradient(self._record(call)), varying, reduce)
        self._last_batch = key, batch
        return batch.run(numbers, tables, out)

    def repeat(self, times: int, *state: Any, each: Sequence[Any] = ()) -> Any:
        """Call the function many times, with its results as the next arguments, and without Python between the calls.

        With a Value among the arguments, within another function that is compiled, or where something that the function
        refers to is differentiated by, it is a `scan`: its result is part of the graph.

        Args:
            times: the number of calls.
            state: the arguments of the first call. The function returns those of the next call, in the same structure:
                one result for one argument, a tuple for several. Results beyond those are records. Static arguments
                stay as they are, and the function does not return them.
            each: further arguments, which follow the state: arrays or lists with an entry for each call, or tuples and
                dicts of such.

        Returns:
            The state after the last call, followed by each record as an array with an entry for each call. A state of
            one argument without records is returned as it is, not in a tuple. After Ctrl-C, the state after the last
            whole call, with a RuntimeWarning.

        Raises:
            KeyboardInterrupt: if Ctrl-C is pressed during the search for the call whose results are not finite.
            ValueError: if the results do not have the structure of the state, `each` does not have enough entries, or
                `times` is too large for the machine.
            TypeError: as for a call.
        """
        import numpy as np

        from autograd.programs.batching import replay
        from autograd.programs.rows import has_value, leaves_of_rows, rows_for, split

        times = operator.index(times)
        if times < 0:
            raise ValueError(f"times must be at least 0, got {times}")
        arguments, varying = [*state, *each], range(len(state), len(state) + len(each))
        if is_recording_program() or has_value(flatten(arguments, Value)[0]):
            return self._carried(times, state, each)
        names = [f"argument {place} of the state" for place in range(len(state))]
        names += [f"entry {place} of each" for place in range(len(each))]
        fixed = self._static(len(arguments))
        call, numbers, tables = split(arguments, fixed - set(varying), varying, names, times)
        recorded = self._record(call)
        if recorded.captured and is_differentiated(recorded.captured):
            return self._carried(times, state, each)
        structures = [part for place, part in enumerate(call.parts[0].entries[: len(state)]) if place not in fixed]
        is_bare = structures == [recorded.result]
        found = (recorded.result,) if is_bare else recorded.result.entries
        if list(found[: len(structures)]) != structures:
            raise ValueError(
                f"repeat needs a function whose results have the structure of the state, "
                f"{', '.join(map(str, structures)) or 'nothing'}, and may have records after them; its result is "
                f"{recorded.result}"
            )
        size, records = len(numbers), container(tuple, found[len(structures) :])
        most = sys.maxsize // (8 * max(records.size, 1))
        if times > most:
            raise ValueError(f"times must be at most {most} for {records.size} recorded numbers a call, got {times}")
        start = np.concatenate([numbers, np.zeros(call.size - size)])
        kept = rows_for(records, times)
        results = recorded.tables(kept, times)
        inputs = recorded.inputs(start).copy()
        done, is_finite = recorded.schedule().run(times, inputs, tables, results, size)
        if done == times and not is_finite and recorded.guarded() is not recorded:
            recorded = recorded.guarded()
            inputs = recorded.inputs(start).copy()
            done, is_finite = recorded.schedule().run(times, inputs, tables, results, size)
        if done < times:
            warnings.warn(f"repeat was interrupted after {done} of {times} calls", RuntimeWarning, stacklevel=2)
        elif not is_finite:
            replay(recorded, times, recorded.inputs(start), tables, results, size)
        ends = nested(container(tuple, structures), inputs[:size])
        if is_bare:
            return ends[0]
        return (*ends, *unflatten(records, leaves_of_rows(records, [rows[:done] for rows in kept])))

    def _carried(self, times: int, state: Sequence[Any], each: Sequence[Any]) -> Any:
        """Return what `repeat` does as a part of a graph, or of a program that is being recorded."""
        fixed = self._static(len(state))
        places = [place for place in range(len(state)) if place not in fixed]
        if not times:
            return state[places[0]] if len(places) == 1 else tuple([state[place] for place in places])
        is_bare = []

        def step(carried: tuple[Any, ...], row: Any) -> tuple[Any, Any]:
            arguments = list(state)
            for place, part in zip(places, carried, strict=True):
                arguments[place] = part
            result = self.function(*arguments, *(row or ()))
            if len(carried) == 1 and flat(result, Value)[1] == flat(carried[0], Value)[1]:
                is_bare.append(True)
                return (result,), ()
            return tuple(result[: len(carried)]), tuple(result[len(carried) :])

        ends, records = scan(step, tuple([state[place] for place in places]), tuple(each) or None, times)
        return ends[0] if is_bare else (*ends, *records)

    def program(self, *arguments: Any, **keywords: Any) -> Program:
        """Return the program that a call with these arguments runs, before it is lowered."""
        return self._record(self._flatten(arguments, keywords)[0]).of_result()[0]

    def parameters(self, *arguments: Any, **keywords: Any) -> list[Value]:
        """Return the leaves that the program of such a call reads, in the order of its parameters."""
        return self._record(self._flatten(arguments, keywords)[0]).of_result()[1]

    def __repr__(self) -> str:
        return f"<compiled {getattr(self.function, '__name__', repr(self.function))}>"

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)  # as a function in a class is a method

    def __reduce__(self) -> Any:
        """Pickle it by its name, where it has taken the place of its function; else as the function, compiled anew."""
        name = getattr(self, "__qualname__", "")
        found: Any = sys.modules.get(self.__module__)
        for part in name.split("."):
            found = getattr(found, part, None)
        return name if found is self else (Compiled, (self.function, self.static_argnums, self.exact))

    @functools.cached_property
    def _has_out(self) -> bool:
        """Whether the function has an argument `out` itself."""
        return "out" in parameters_of(self.function)

    def _static(self, count: int) -> set[int]:
        """Return which of so many arguments are static."""
        return {place % count for place in self.static_argnums if -count <= place < count}

    def _flatten(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Structure, list[Any]]:
        """Return the structure of the arguments of a call, and their leaves."""
        from autograd.programs.rows import STATIC_LEAVES

        leaves: list[Any] = []
        fixed = self._static(len(arguments))

        def structure_of(argument: Any, is_static: bool) -> Structure:
            found, structure = ([], static(argument)) if is_static else flatten(argument, Value, STATIC_LEAVES)
            leaves.extend(found)
            return structure

        parts = [structure_of(argument, place in fixed) for place, argument in enumerate(arguments)]
        named = [structure_of(argument, name in self.static_names) for name, argument in keywords.items()]
        return container(tuple, [container(tuple, parts), container(dict, named, tuple(keywords))]), leaves

    def _record(self, call: Structure) -> RecordedFunction:
        """Return what was recorded for arguments of this structure; now, if it is the first call with them."""
        programs = self._recorded  # `clear` may put another dict in its place
        try:
            recorded = programs.get(call)
        except TypeError:
            raise TypeError("a static argument must be hashable, such as a number, a string or a tuple") from None
        if recorded is None:
            from autograd.programs.recording import RecordedFunction

            made = RecordedFunction(self.function, call, exact=self.exact)
            recorded = programs.setdefault(call, made)
            if len(programs) > MOST_PROGRAMS // 2:
                self._forget_last()  # so that a program which is used after this moves to the end
            if len(programs) > MOST_PROGRAMS:
                with contextlib.suppress(KeyError):  # another thread was faster
                    programs.popitem(last=False)
        if len(programs) > 1:
            with contextlib.suppress(KeyError):  # another thread dropped it
                programs.move_to_end(call)
        return recorded

    def _without_gradient(self, recorded: RecordedFunction) -> RecordedFunction:
        """Return what was recorded, to be run without a graph; refuse it if a gradient has to flow through it."""
        if recorded.captured and is_differentiated(recorded.captured):
            raise TypeError(
                f"{self!r} refers to a node with respect to which a function around it is differentiated, but a "
                f"batch is run without a graph: take the gradient within, by compile(grad(…)).batch, or call it for "
                f"each example"
            )
        return recorded


@overload
def compile(
    function: Differentiated, *, static_argnums: int | Sequence[int] = (), exact: bool = True
) -> Compiled[Any]: ...
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
    """Record a function once for each structure of its arguments, and run what was recorded as a program.

    The function is called once with Values. What it computes with them is recorded and lowered to a few groups of equal
    instructions, which loops in C run from then on. The results have the bits of the eager engine, except for the sign
    of a zero. Leaves that the function refers to, such as the parameters of a network or a `Constant`, are read at each
    call, and nodes that were computed from them are computed again. Anything else that it refers to, such as a float,
    stays as it was when the function was recorded.

    A function that branches on a value, or reads `v.data`, cannot be recorded; the error names the line. Programs
    compute by IEEE 754. If a result is nan, it is computed again by a program in which branches that are not chosen
    contribute nothing to a gradient. If it is still not finite, the function runs with Values, and the error of an
    operation outside its domain is raised if the result depends on it through operands that were chosen.

    A node that the function stores while it is recorded has no number, and reading it later is an error. The programs
    of the 128 structures that were used last are kept; the method `clear` drops all of them.

    Args:
        function: of numbers, and lists, tuples, dicts, dataclasses and NumPy arrays of them; also one that `grad`,
            `value_and_grad` or `hessian` made. An array reaches it as an array of Values.
        static_argnums: the positions of arguments that are constants of the program, such as a loop count. The function
            is recorded for each of their values. Negative positions count from the last argument that is given.
        exact: whether results have the bits of the eager engine. False is faster, and the last digits differ: `exp` and
            `tanh` are within 2 units in the last place, and SciPy's BLAS, if it is installed, computes large matrix
            products of a batch. It has no effect on the plain engine.

    Returns:
        A `Compiled` function, with the methods `batch`, `repeat`, `program`, `parameters` and `clear`.
    """
    if not callable(function):
        raise TypeError(f"compile needs a function, got {shortened(function)} of type {type(function).__name__}")
    given = argument_numbers(static_argnums, "static_argnums")
    static = (given,) if isinstance(given, int) else given
    if isinstance(function, Compiled) and static in ((), function.static_argnums) and exact == function.exact:
        return function
    return Compiled(function, static, exact)


def _names_of(function: Callable[..., Any], places: Sequence[int]) -> frozenset[str]:
    """Return the names of some arguments, under which they may be given too."""
    parameters = parameters_of(function).values() if places else ()
    names = [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
    return frozenset([names[place] for place in places if -len(names) <= place < len(names)])


def _places_of(over: int | Sequence[int], count: int) -> set[int]:
    """Return the places among so many arguments that `over` names."""
    given = argument_numbers(over, "over")
    places = [given] if isinstance(given, int) else given
    for place in places:
        if not -count <= place < count:
            raise ValueError(f"there is no argument {place} as in over={over}: {count} were given")
    return {place % count for place in places}
