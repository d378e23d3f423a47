"""`Recorded`: a function recorded once, as a program, for arguments of one form."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograd.modes import ieee_arithmetic, is_recording, recording, tracing
from autograd.native import selection
from autograd.programs.lowering import lower
from autograd.programs.nesting import form_of, rebuilt
from autograd.programs.lowering.instructions import Instructions
from autograd.programs.program import Program
from autograd.programs.refusals import Trace
from autograd.value import Constant, Value

# The numbers of the inputs while a function is recorded. They do not matter; these are in the domain of most functions.
PLACEHOLDERS = [0.5 + i / 1024.0 for i in range(101)]

MOST_FREE = 4  # runners of a program that are kept for the next calls


class Recorded:
    """What a function computes from arguments of one form.

    Args:
        function: takes the arguments.
        forms: the form of each argument, as from `form_of`; of a static one a pair of "static" and itself.
        keywords: the forms of the arguments by name.

    Attributes:
        instructions: the program's; its inputs are the numbers of the arguments in order.
        captured: the leaves that the function refers to, besides its arguments: the parameters of the program.
        form: the form of the result.
    """

    def __init__(self, function: Callable[..., Any], forms: Sequence[Any], keywords: Mapping[str, Any]) -> None:
        inputs: list[Value] = []

        def fresh() -> Iterator[Value]:
            while True:
                inputs.append(Value(PLACEHOLDERS[len(inputs) % len(PLACEHOLDERS)]))
                yield inputs[-1]

        rest = fresh()
        arguments = [form[1] if _is_static(form) else rebuilt(form, rest) for form in forms]
        named = {name: rebuilt(form, rest) for name, form in keywords.items()}
        recording_ = contextlib.nullcontext() if is_recording.get() else recording()  # which every operation looks at
        with recording_, ieee_arithmetic(), tracing(Trace(function, inputs)):
            result = function(*arguments, **named)
            results: list[Any] = []
            self.form = form_of(result, results)
        outputs = [
            output
            for part in results
            for output in ((part,) if isinstance(part, Value | float) else part.tolist())
        ]
        nodes = [output if isinstance(output, Value) else Constant(output) for output in outputs]
        self.instructions, self.captured = Instructions.of_graph(nodes, inputs)
        self.forms, self.size = list(forms), len(inputs)
        self._running = selection.running()
        self._runners: dict[Any, list[Any]] = {}
        self._codes: dict[Any, Any] = {}

    @functools.cached_property
    def program(self) -> Program:
        """The program, whose inputs are the numbers of the arguments in order."""
        return self.instructions.program(len(self.captured))

    def room(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """An array for the numbers of the arguments."""
        return np.empty(self.size)

    def takes(self, arguments: tuple[Any, ...], numbers: np.ndarray[Any, np.dtype[np.float64]]) -> bool:
        """Whether arguments are seen at once to have these forms; then their numbers are copied."""
        return bool(self._running.filled(self.forms, arguments, numbers))

    def inputs(self, numbers: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The inputs of the runner: the numbers of the arguments, and those of the captured leaves now."""
        if not self.captured:
            return numbers
        return np.concatenate([numbers, np.array([leaf.data for leaf in self.captured])])

    def code(self, varies: tuple[bool, ...] = (), totals: bool = False) -> Any:
        """The lowered program.

        Args:
            varies: for each number of the arguments whether it varies over the examples of a batch; none of them when
                not given.
            totals: whether outputs are summed up over the examples.
        """
        key = varies, totals
        if key not in self._codes:
            all_vary = np.zeros(self.size + len(self.captured), bool)
            all_vary[: len(varies)] = varies
            self._codes[key] = lower(self.instructions, all_vary, totals)
        return self._codes[key]

    def runner(self, code: Any, count: int = 0) -> Any:
        """A runner that no other thread uses; to be given back by `release`.

        Args:
            code: the lowered program.
            count: the number of examples; 0 where none of the inputs varies.
        """
        lanes = self._running.lanes_for(code, count) if count else 0
        try:
            return self._runners[id(code), lanes].pop()
        except (KeyError, IndexError):  # none yet, or all in use
            return self._running.Runner(code, lanes)

    def release(self, runner: Any) -> None:
        """Keep a runner for the next call."""
        free = self._runners.setdefault((id(runner.code), runner.lanes), [])
        if len(free) < MOST_FREE:
            free.append(runner)


def _is_static(form: Any) -> bool:
    return type(form) is tuple and form[:1] == ("static",)
