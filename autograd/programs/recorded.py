"""`Recorded`: a function recorded once, as a program, for arguments of one form.

>>> from autograd.programs.nesting import NUMBER, CallForm
>>> recorded = Recorded(lambda x, y: x * y + 1.0, CallForm((NUMBER, NUMBER)))
>>> runner = recorded.runners(recorded.code()).take()
>>> runner.call_floats((3.0, 4.0))
13.0
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.modes import ieee_arithmetic, is_recording, recording, recording_program
from autograd.native import selection
from autograd.programs.lowering import lower
from autograd.programs.lowering.instructions import Instructions
from autograd.programs.nesting import CallForm, Leaf, Row, form_of, rebuilder
from autograd.programs.refusals import Trace, index_refusal, name_of
from autograd.value import Constant, Value

if TYPE_CHECKING:
    from autograd.programs.groups import Code
    from autograd.programs.program import Program

# The numbers of the inputs while a function is recorded. They do not matter; these are in the domain of most functions.
PLACEHOLDERS = [0.5 + i / 1024.0 for i in range(101)]
KEPT = 4  # runners of some code, for the next calls


class Recorded:
    """What a function computes from arguments of one form.

    Args:
        function: what is recorded.
        call: the form of its arguments.
        leaves: that the function refers to; their numbers are inputs of the program, after those of the arguments.
        exact: False if results may differ from those of the eager engine by rounding.

    Attributes:
        call: the same.
        instructions: the program's; its inputs are the numbers of the arguments in order, and of the leaves.
        captured: the other leaves that the function refers to: the parameters of the program.
        size: how many numbers the arguments hold.
        form: the form of the result.
        rebuild: puts the result's nesting around the outputs.

    Raises:
        TypeError: if the function does what cannot be recorded.
    """

    def __init__(
        self, function: Callable[..., Any], call: CallForm, leaves: Sequence[Value] = (), exact: bool = True
    ) -> None:
        inputs: list[Value] = []
        arguments, named = call.rebuilt(_fresh(inputs))
        # A mode that is in force slows every operation down, so recording() is entered only where it is needed.
        records = contextlib.nullcontext() if is_recording.get() else recording()
        results: list[Leaf] = []
        with records, ieee_arithmetic(), recording_program(Trace(function, inputs)):
            try:
                result = function(*arguments, **named)
            except Exception as error:
                refused = index_refusal(error, function)
                if refused is None:
                    raise
                raise refused from error
            try:
                self.form = form_of(result, results)
            except TypeError as error:
                raise TypeError(f"the result of {name_of(function)} cannot be that of a program: {error}") from error
        self.rebuild = rebuilder(self.form)
        self.instructions, self.captured = Instructions.of_graph(_nodes(results), [*inputs, *leaves])
        self.call, self.size, self.exact = call, len(inputs), exact
        self._runners: dict[tuple[int, int], Runners] = {}
        self._codes: dict[tuple[tuple[bool, ...], bool], Code] = {}

    @functools.cached_property
    def program(self) -> Program:
        """The program, whose inputs are the numbers of the arguments in order."""
        return self.instructions.program(len(self.captured), (self.call, self.form))

    def filled(self, arguments: tuple[Any, ...]) -> Row | None:
        """The numbers of arguments that are seen at once to have these forms; else None."""
        numbers = np.empty(self.size)
        return numbers if selection.running().filled(self.call.positional, arguments, numbers) else None

    def inputs(self, numbers: Row) -> Row:
        """The inputs of a runner: the numbers of the arguments, and those that the captured leaves hold now."""
        if not self.captured:
            return numbers
        return np.concatenate([numbers, [leaf.data for leaf in self.captured]])

    def code(self, varies: tuple[bool, ...] = (), totals: bool = False) -> Code:
        """The lowered program.

        Args:
            varies: for each number of the arguments whether it varies over the examples of a batch; none of them when
                not given.
            totals: whether outputs are summed up over the examples.
        """
        key = varies, totals
        if key not in self._codes:
            all_vary = np.zeros(len(self.instructions.inputs), bool)
            all_vary[: len(varies)] = varies
            self._codes.setdefault(key, lower(self.instructions, all_vary, totals))
        return self._codes[key]

    def runners(self, code: Code, count: int = 0) -> Runners:
        """The runners of this code.

        Args:
            code: from `code`.
            count: for how many examples; 0 for one call.
        """
        lanes: int = selection.running().lanes_for(code, count) if count else 0
        key = id(code), lanes
        if key not in self._runners:
            self._runners.setdefault(key, Runners(code, lanes, self.exact))
        return self._runners[key]


class Runners:
    """The runners of some code: one for each thread that runs it at this moment, and those that are free."""

    def __init__(self, code: Code, lanes: int, exact: bool) -> None:
        self.code, self.lanes, self.exact = code, lanes, exact
        self.free: list[Any] = []

    def take(self) -> Any:
        """A runner that no other thread uses."""
        try:
            return self.free.pop()
        except IndexError:
            return selection.running().Runner(self.code, self.lanes, self.exact)

    def give_back(self, runner: Any) -> None:
        """Keep a runner for the next call."""
        if len(self.free) < KEPT:
            self.free.append(runner)


def _fresh(inputs: list[Value]) -> Iterator[Value]:
    """New leaves, which are appended to a list."""
    while True:
        inputs.append(Value(PLACEHOLDERS[len(inputs) % len(PLACEHOLDERS)]))
        yield inputs[-1]


def _nodes(results: list[Leaf]) -> list[Value]:
    """The numbers of a result as nodes."""
    nodes: list[Value] = []
    for result in results:
        if isinstance(result, Value):
            nodes.append(result)
        else:
            nodes += map(Constant, result.tolist() if isinstance(result, np.ndarray) else [result])
    return nodes
