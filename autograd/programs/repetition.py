"""A function called again and again, on its own results: what `repeat` of a compiled function does."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from autograd.programs.batching import LOOKED_AT, examples_of, plain_form_of
from autograd.programs.nesting import (
    CallForm,
    Fixed,
    Form,
    Leaf,
    Row,
    Rows,
    described,
    entries_of,
    form_of,
    plain,
    rebuilder,
    rebuilt_from_rows,
    size_of,
)
from autograd.programs.recorded import Recorded
from autograd.value import Value


def repeat(
    function: Callable[..., Any],
    record: Callable[[CallForm], Recorded],
    times: int,
    state: Sequence[Any],
    static: Collection[int],
    each: Sequence[Any],
) -> Any:
    """The state after many calls of a function, and its records: see `Compiled.repeat`.

    Args:
        function: the function.
        record: gives what was recorded of it for arguments of some form.
        times: how often.
        state: the arguments of the first call.
        static: the numbers of those that stay as they are.
        each: the arguments that follow, for all calls.
    """
    if times < 0:
        raise ValueError(f"times must be at least 0, got {times}")
    call: list[Form] = []
    forms: list[Form] = []  # of what the function has to give
    numbers = [np.empty(0)]
    for place, argument in enumerate(state):
        if place in static:
            call.append(Fixed(type(argument), argument))
        else:
            form, row = plain_form_of(argument, f"argument {place} of the state")
            numbers.append(row)
            forms.append(form)
            call.append(form)
    size = sum(map(len, numbers))
    table = [np.empty((times, 0))]
    for place, argument in enumerate(each):
        form, rows = examples_of(argument, f"entry {place} of each")
        call.append(form)
        for part in rows:
            if len(part) < times:
                raise ValueError(f"each needs {times} entries, one for each call; entry {place} has {len(part)}")
            table.append(part[:times])
    recorded = record(CallForm(tuple(call)))
    result = recorded.form
    is_bare = len(forms) == 1 and result == forms[0]
    found = (result,) if is_bare else entries_of(result)
    if list(found[: len(forms)]) != forms:
        raise ValueError(
            f"repeat needs a function whose results have the form of the state, {_listed(forms)}, and may have records "
            f"after them; its result is {described(result)}"
        )
    rounds = _Rounds(recorded, size, np.concatenate(table, axis=1))
    start = recorded.inputs(np.concatenate([*numbers, np.zeros(rounds.table.shape[1])]))
    inputs, records = start.copy(), np.empty((times, rounds.record_count))
    done, is_interrupted = rounds.run(inputs, records, 0, times)
    if is_interrupted:
        warnings.warn(f"repeat was interrupted after {done} of {times} calls", RuntimeWarning, stacklevel=3)
    elif not (np.isfinite(inputs[:size]).all() and np.isfinite(records).all()):
        _run_eagerly(function, CallForm(tuple(call)), rounds, start, records)
    results = []
    at = 0
    for form in forms:
        results.append(rebuilder(form, at)(inputs))
        at += size_of(form)
    at = 0
    for form in found[len(forms) :]:
        results.append(rebuilt_from_rows(form, records[:done, at : at + size_of(form)]))
        at += size_of(form)
    return results[0] if is_bare else tuple(results)


class _Rounds:
    """The rounds of a program.

    Args:
        recorded: the program.
        size: how many numbers the state holds.
        table: a row for each round: the numbers of the arguments that follow the state.
    """

    def __init__(self, recorded: Recorded, size: int, table: Rows) -> None:
        self.size, self.table = size, np.ascontiguousarray(table)
        self.code = recorded.code()
        self.runners = recorded.runners(self.code)
        self.record_count = len(self.code.outputs) - size

    def run(self, inputs: Row, records: Rows, first: int, end: int) -> tuple[int, bool]:
        """Run some rounds, which change the inputs.

        Returns:
            How many whole rounds were run, and whether an interrupt stopped them.
        """
        runner = self.runners.take()
        result: tuple[int, bool] = runner.repeat(end - first, inputs, self.size, self.table[first:end], records)
        self.runners.give_back(runner)
        return result

    def state_before(self, start: Row, records: Rows) -> tuple[int, Row]:
        """Where results are no longer finite: the round, and the inputs that it starts from."""
        trouble = np.flatnonzero(~np.isfinite(records).all(axis=1))
        low, high, inputs = 0, len(self.table), start.copy()
        if len(trouble):
            low = high = int(trouble[0])
            self.run(inputs, np.empty((low, self.record_count)), 0, low)
        while high - low > 1:  # the state is finite before round `low`, and not before round `high`
            middle = (low + high) // 2
            tried = inputs.copy()
            self.run(tried, np.empty((middle - low, self.record_count)), low, middle)
            if np.isfinite(tried[: self.size]).all():
                low, inputs = middle, tried
            else:
                high = middle
        return low, inputs


def _run_eagerly(function: Callable[..., Any], call: CallForm, rounds: _Rounds, start: Row, records: Rows) -> None:
    """Run some rounds with Values, where results are no longer finite: the engine's error says what happened."""
    first, inputs = rounds.state_before(start, records)
    state = inputs[: rounds.size].tolist()
    for row in rounds.table[first : first + LOOKED_AT].tolist():
        arguments, _ = call.rebuilt(map(Value, [*state, *row]))
        numbers: list[Leaf] = []
        form_of(function(*arguments), numbers)
        state = plain(numbers)[: rounds.size]


def _listed(forms: Sequence[Form]) -> str:
    return ", ".join(map(described, forms)) or "nothing"
