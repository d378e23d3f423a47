"""Functions recorded as programs, and what a function may not do while it is recorded.

>>> from autograd.trees import flatten
>>> _, call = flatten(((3.0, 4.0), {}))
>>> recorded = RecordedFunction(lambda x, y: x * y + 1.0, call)
>>> recorded.schedule().call_floats((3.0, 4.0))
13.0

While a function is recorded its numbers must not be looked at, since they are others at each call. A number that is
read, and used as a plain number, would be part of the program. So would be the way that a comparison decides.
"""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Callable, Sequence
from itertools import compress, count, repeat
from operator import is_
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd.arrays import CONDITIONS
from autograd.calculus.recorded_calls import parameters_of
from autograd.modes import (
    NOT_OF_USERS,
    ieee_arithmetic,
    is_recording,
    line_of_user,
    program_recording,
    recording,
    recording_program,
)
from autograd.native import selection
from autograd.primitives import greater, select_multiply, strong_multiply, where
from autograd.programs.groups import TABLE
from autograd.programs.layout import lanes_for, lower, spread
from autograd.programs.program import AsCalled, Program
from autograd.programs.recorded_loops import Pick, RecordedLoop, has_code, placeholders, slots_of
from autograd.programs.rows import FLOAT64, STATIC_LEAVES, Results, Row, Rows, in_place
from autograd.tape import Tape
from autograd.trees import Structure, fill, flat, named_leaves, nested
from autograd.value import Constant, Value, is_fixed, recording_of

if TYPE_CHECKING:
    from autograd.programs.groups import Code, Integers

COMPARISONS = {
    "less": operator.lt, "less_equal": operator.le, "greater": operator.gt, "greater_equal": operator.ge,
    "equal": operator.eq, "not_equal": operator.ne,
}  # fmt: skip
GUARDS = [select_multiply.index, strong_multiply.index]
LARGE = 1 << 12  # numbers of an argument that is read where the caller has it
MOST_NUMBERS = 65_535  # of recordings; a node keeps one in two bytes
_numbers: dict[str, int] = {}  # of the functions that were recorded, from 1, by their descriptions
_next_number = count(1)


class Recording(NamedTuple):
    """A function that is being recorded.

    Attributes:
        function: the function.
        arguments: its arguments, trees with leaves that stand for their numbers, by position and name.
        guarded: whether products of gradients and slopes are guarded.
        checked: the values of functions that were differentiated, if they have operations with a domain.
        derivatives: the derivatives that were recorded.
        number: what the nodes that are made meanwhile keep, so that it is known later that they were recorded.
        is_condition: whether comparisons give nodes, of 1 or 0.
    """

    function: Callable[..., object]
    arguments: dict[int | str, Any]
    guarded: bool
    checked: list[Value]
    derivatives: list[Value]
    number: int = 0
    is_condition: bool = False


class RecordedFunction:
    """What a function computes from arguments of one structure, as a program.

    Args:
        function: what is recorded.
        call: the structure of the tuple of its arguments and the dict of those with a name.
        exact: False if results may differ from those of the eager engine by rounding.
        is_guarded: whether products of gradients and slopes are guarded.

    Attributes:
        call: the same.
        arguments: the structure of the arguments without a name, if there are no others.
        result: the structure of the result.
        results: makes arrays for the results of calls.
        captured: the leaves that the function refers to: the parameters of the program.
        program: the program, whose outputs are the numbers of the result, followed by those that are checked.
        checked: how many numbers follow the result: the values of functions that are differentiated, which count as
            results where they may be outside a domain, and what is compared and depends on derivatives.

    Raises:
        TypeError: if the function does what cannot be recorded.
    """

    def __init__(
        self, function: Callable[..., Any], call: Structure, exact: bool = True, is_guarded: bool = False
    ) -> None:
        self.function, self.call, self.exact = function, call, exact
        self.arguments = call.parts[0]
        number = _number_of(function)
        inputs = placeholders(call.size, number)
        arguments, named = nested(call, inputs)
        # A mode that is in force slows every operation down, so recording() is entered only where it is needed.
        records = contextlib.nullcontext() if is_recording.get() else recording()
        current = Recording(function, {**dict(enumerate(arguments)), **named}, is_guarded, [], [], number)
        with records, ieee_arithmetic(), recording_program(current):
            try:
                result = function(*arguments, **named)
            except Exception as error:
                refused = index_refusal(error, function)
                if refused is None:
                    raise
                raise refused from error
            try:
                found, self.result = flat(result, Value, STATIC_LEAVES)
            except TypeError as error:
                raise TypeError(f"the result of {name_of(function)} cannot be that of a program: {error}") from error
            outputs = [each if isinstance(each, Value) else Constant(each) for each in found]
        self.results = Results(self.result)
        others: list[Value] = []
        if current.checked:
            known = set(map(id, outputs))
            others = [node for node in dict.fromkeys(current.checked) if id(node) not in known]
        wanted, structures = [*outputs, *others], (call, self.result)
        tape = Tape(*wanted, *inputs)
        self.program, self.captured = Program.with_parameters(wanted, inputs, structures, tape=tape)
        self.program = self.program.replaced(as_called=self.as_called)
        if any(recording_of(leaf) == number for leaf in self.captured):
            raise TypeError(
                f"{name_of(function)} uses a node of a round of a loop outside of it, where it has no number: return "
                f"it from the round, as a part of the state or of the result"
            )
        if current.derivatives:
            found = [index for index in tape.indices_of(current.derivatives) if index >= 0]
            slots = _deciding(self.program, found)
            outs = np.concatenate([self.program.outputs, np.setdiff1d(slots, self.program.outputs)])
            self.program = self.program.replaced(outputs=outs)
        self.checked = len(self.program.outputs) - len(outputs)
        self._guarded: RecordedFunction | None = self if is_guarded else None
        self._codes: dict[tuple[bytes, bool], Code] = {}
        self._schedules: dict[tuple[bytes, bool, int], Any] = {}

    def guarded(self) -> RecordedFunction:
        """Return the same function with guarded products, for results that are nan; itself if it has no such products.

        It is recorded when it is first needed, and then kept.
        """
        if self._guarded is None:
            made = RecordedFunction(self.function, self.call, self.exact, is_guarded=True)
            self._guarded = made if has_code(made.program, GUARDS) else self
        return self._guarded

    def tables(self, results: list[Rows], count: int) -> list[Rows]:
        """Return tables for all outputs: those for so many results, and one for what is checked, if anything is."""
        return [*results, np.empty((count, self.checked))] if self.checked else results

    def of_result(self) -> tuple[Program, list[Value]]:
        """Return the program of the result alone, and the leaves that it refers to."""
        if not self.checked:
            return self.program, self.captured
        program = self.program.replaced(outputs=self.program.outputs[: -self.checked])
        captured = compress(self.captured, program.needed()[program.parameters].tolist())
        return program.pruned(), list(captured)

    def as_called(self) -> AsCalled:
        """Return what a call runs, with the numbers that the captured leaves hold now."""
        leaves, attempts = list(self.of_result()[1]), list(dict.fromkeys([self, self.guarded()]))
        for each in attempts:  # leaves that only what is checked depends on come last
            leaves += [leaf for leaf in each.captured if not any(map(is_, leaves, repeat(leaf)))]
        places = {id(leaf): place for place, leaf in enumerate(leaves)}
        return AsCalled(
            [(each.program, np.array([places[id(leaf)] for leaf in each.captured], np.int64)) for each in attempts],
            [str(leaf.label or "") for leaf in leaves],
            [leaf.data for leaf in leaves],
            argument_names(self.function, len(self.arguments.entries)),
        )

    def filled(self, arguments: tuple[Any, ...], may_share: bool = False) -> Row | None:
        """Return the numbers of arguments, if it is seen at once that they fit; or None.

        Those of one large array, if it is the only argument, are not copied where nothing can write to it before it is
        read for the last time: neither `out` nor functions of Python. Programs with others, such as loops, copy it.
        """
        may_share = may_share and self.arguments.size >= LARGE and not self.program.others
        if may_share and len(arguments) == len(self.arguments.parts) == 1:
            part = self.arguments.parts[0]
            shared = in_place(arguments[0], part.shape) if part.shape and part.leaf == FLOAT64 else None
            if shared is not None:
                return shared
        numbers = np.empty(self.arguments.size)
        return numbers if fill(self.arguments, arguments, numbers) else None

    def inputs(self, numbers: Row) -> Row:
        """Return the numbers of the arguments, followed by those that the captured leaves hold now."""
        if not self.captured:
            return numbers
        return np.concatenate([numbers, [leaf.data for leaf in self.captured]])

    def code(self, varies: bytes = b"", totals: bool = False) -> Code:
        """Return the lowered program.

        Args:
            varies: for each number of the arguments a byte, 1 if it varies over the examples of a batch; none of them
                when not given.
            totals: whether outputs are summed up over the examples.
        """
        code = self._codes.get((varies, totals))
        if code is None:
            all_vary = np.zeros(len(self.program.leaves), bool)
            all_vary[: len(varies)] = np.frombuffer(varies, bool)
            tile = selection.execution().TILE
            code = self._codes.setdefault((varies, totals), lower(self.program, all_vary, totals, tile=tile))
        return code

    def schedule(self, varies: bytes = b"", totals: bool = False, count: int = 0) -> Any:
        """Return what runs the lowered program.

        Args:
            varies: as for `code`.
            totals: as for `code`.
            count: for how many examples; 0 for calls, one after another.
        """
        lanes = lanes_for(self.code(varies, totals), count) if count else 0
        key = varies, totals, lanes
        schedule = self._schedules.get(key)
        if schedule is None:
            made = selection.execution().Schedule(self.code(varies, totals), lanes, self.exact)
            schedule = self._schedules.setdefault(key, made)
        return schedule


def argument_names(function: Callable[..., Any], count: int) -> list[str]:
    """Return what the first arguments of a function are called, so many of them.

    >>> argument_names(lambda x, *others: x, 3)
    ['x', 'others_0', 'others_1']
    """
    names: list[str] = []
    for one in parameters_of(function).values():
        if one.kind is one.VAR_POSITIONAL:
            names += [f"{one.name}_{place}" for place in range(count - len(names))]
        elif one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD):
            names.append(one.name)
    return [*names, *[f"argument_{place}" for place in range(len(names), count)]][:count]


def _deciding(program: Program, derivatives: Sequence[int]) -> Integers:
    """Return what is compared or a condition, and depends on derivatives: it may be nan though no result is."""
    is_other = (program.codes > len(TABLE)) & ~slots_of(program, RecordedLoop | Pick)
    found = np.flatnonzero((program.codes == greater.index) | (program.codes == where.index) | is_other)
    starts, counts = program.starts[found], np.diff(program.starts)[found]
    counts[program.codes[found] == where.index] = 1  # its condition
    slots: Integers = program.operands[spread(starts, counts)]
    if len(slots):
        varies = np.zeros(len(program), bool)
        varies[derivatives] = True
        slots = np.unique(slots[program.analysed(varies)[1][slots]])
    return slots


def compared(name: str, left: Value, right: Any) -> Any:
    """Compare, by the name of NumPy's function: numbers, or where conditions are recorded nodes, which gives 1 or 0."""
    current = program_recording.get()
    if current is not None and current.is_condition:
        return CONDITIONS[name](left, right)
    return COMPARISONS[name](left.data, right.data if isinstance(right, Value) else right)


def refuse(node: Value, what: str) -> None:
    """Raise a TypeError if a function is being recorded in this thread, or the node was made while one was.

    A constant whose number is part of the program may be read.

    Args:
        node: whose number is to be read.
        what: what is done with it, and how it begins decides on the remedy.
    """
    current = program_recording.get()
    if current is None and not recording_of(node):
        return
    if is_fixed(node) and not what.startswith("assign"):
        return
    file, line = line_of_user()
    if current is None:
        function = next(
            (place for place, number in list(_numbers.items()) if number == recording_of(node)), "a function"
        )
        raise TypeError(
            f"cannot {what}: {node!r} was made while {function} was recorded to be compiled, and has a number only "
            f"within a call. This happened at line {line} of {file}; return the node as a part of the result, and the "
            f"caller gets its number"
        )
    raise TypeError(
        f"compiled functions cannot {what}: {name_of(current.function)} does so with {_named(node, current)} at line "
        f"{line} of {file}; {_remedy(what, current.is_condition)}"
    )


def _named(node: Value, current: Recording) -> str:
    if node.label:
        return f"the node {node.label!r}"
    if node.primitive is not None:
        return f"a result of {node.primitive.name}"
    # The last argument first: losses try to read targets, which follow all parameters.
    for place, tree in reversed(current.arguments.items()):
        for name, leaf in named_leaves(f"argument {place}", tree, Value):
            if leaf is node:
                return name
    return "a leaf that the function refers to"


def _number_of(function: Callable[..., object]) -> int:
    """Return the number of a function that is recorded; those after the first 65,534 share one."""
    file, line = line_of_user()
    if isinstance(function, FunctionType) and not _is_of_package(function.__globals__):
        file, line = function.__code__.co_filename, function.__code__.co_firstlineno
    described = f"{name_of(function)}, at line {line} of {file},"
    if described not in _numbers and len(_numbers) >= MOST_NUMBERS - 1:
        return MOST_NUMBERS
    number = _numbers.get(described)
    return _numbers.setdefault(described, min(next(_next_number), MOST_NUMBERS)) if number is None else number


def _remedy(what: str, is_condition: bool) -> str:
    if is_condition:
        return (
            "a comparison in a condition is 1 or 0: write a * b for `and`, autograd.max([a, b]) for `or`, and 1 - a "
            "for `not`; a chain such as 0 < x < 1 is an `and`"
        )
    if what.startswith(("run backward", "read a grad", "assign a grad")):
        return "use grad, value_and_grad or gradients, which return gradients"
    if what.startswith("assign"):
        return "return the new number, and pass it as an argument to the next call"
    return (
        "choose with where(greater(a, b), x, y), maximum, minimum or clip; compute with the node itself, or with "
        "stop_gradient(v) where no gradient should flow; name an argument on which the form of the program depends "
        "in static_argnums"
    )


def index_refusal(error: Exception, function: Callable[..., object]) -> TypeError | None:
    """Return the error for a Value that was used as an index, which Python itself refuses; None for any other error."""
    if not isinstance(error, TypeError | IndexError) or "integer" not in str(error):
        return None
    return TypeError(
        f"{error}: compiled functions cannot use a value as an index or a count, as {name_of(function)} does"
        f"{place_of(error)}; name an argument on which the form of the program depends in static_argnums, or choose "
        f"with where(greater(a, b), x, y)"
    )


def place_of(error: Exception) -> str:
    """Return where in a user's code an error came from, as the end of a sentence; nothing if it came from elsewhere."""
    place, frames = "", error.__traceback__
    while frames is not None:
        if not _is_of_package(frames.tb_frame.f_globals):
            place = f", at line {frames.tb_lineno} of {frames.tb_frame.f_code.co_filename}"
        frames = frames.tb_next
    return place


def _is_of_package(names: dict[str, Any]) -> bool:
    """Return whether global names are those of a module of this project, NumPy or the standard library."""
    return names.get("__name__", "").partition(".")[0] in NOT_OF_USERS


def name_of(function: Callable[..., object]) -> str:
    """Return what to call a function in a message."""
    return getattr(function, "__name__", "a function")
