"""Many examples of a recorded function side by side, and what is done where results are not finite."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from itertools import repeat
from operator import is_
from typing import Any

import numpy as np

from autograd.modes import ieee_arithmetic, recording
from autograd.programs.recording import RecordedFunction
from autograd.programs.rows import Results, Row, Rows, in_place, leaves_of_rows, rows_of
from autograd.trees import container, cut, fill, flat, nested, unflatten
from autograd.value import Value

LOOKED_AT = 10  # at least so many examples or rounds are run with Values, where a result is not finite; more of them
MOST_NODES = 10**5  # as long as they have no more nodes in all
BLOCK = 10**6  # results that are looked through at once


class Batch:
    """The runs of a function for many examples, whose arguments have the same structures each time.

    Args:
        recorded: the function.
        varying: the numbers of the arguments that hold examples.
        reduce: what to give.
    """

    def __init__(self, recorded: RecordedFunction, varying: Collection[int], reduce: str) -> None:
        self.recorded, self.reduce = recorded, reduce
        parts = recorded.arguments.entries
        self.varying = [(place, part) for place, part in enumerate(parts) if place in varying]
        self.places = [place for place in range(len(parts)) if place not in varying]
        self.uniform = container(tuple, [parts[place] for place in self.places])
        # Whether one array holds all the numbers that do not vary: then it is read where it is.
        self.is_shared = len(self.places) == 1 and bool(parts[self.places[0]].shape)
        self.array_places = [place for place, _ in self.varying] + (self.places if self.is_shared else [])
        is_varying = [place in varying for place in range(len(parts))]
        self.varies = np.repeat(is_varying, [part.size for part in parts]).tobytes()
        does_vary = recorded.code(self.varies, reduce != "each").output_varies[: recorded.result.size]
        self.has_varying = bool(does_vary.any())
        self.scaled = does_vary if reduce == "mean" else ~does_vary  # by the count of examples
        self.must_scale = reduce != "each" and bool(self.scaled.any())
        self.results = Results(recorded.result, reduce == "each")
        self._last: tuple[int, Any] = 0, None  # how many examples were run, and by which schedule
        # The last arrays and their shapes, which are often given again, and the tables and the numbers that they hold.
        self._given: tuple[list[Any], list[Any], list[Rows], Row | None] = [], [], [], None
        # The last tables of arguments and of results; and which of those, followed by the numbers, these overwrite.
        self._apart: tuple[list[Rows] | None, list[Rows] | None, list[int]] = None, None, []

    def filled(self, arguments: Sequence[Any]) -> tuple[Row, list[Rows]] | None:
        """Return the numbers of arguments as `run` takes them, if it is seen at once that they fit; or None."""
        if len(arguments) != len(self.places) + len(self.varying):
            return None
        given = [arguments[place] for place in self.array_places]
        arrays, shapes, tables, numbers = self._given
        if not arrays or not all(map(is_, given, arrays)) or [array.shape for array in given] != shapes:
            found = [rows_of(argument, part) for argument, (_, part) in zip(given, self.varying, strict=False)]
            tables, numbers = [table for table in found if table is not None and len(table)], None
            if len(tables) < len(found) or len(set(map(len, tables))) != 1:
                return None
            if self.is_shared:
                numbers = in_place(given[-1], self.uniform.shapes[0])
                if numbers is None:
                    return None
            self._given = given, [array.shape for array in given], tables, numbers
        if numbers is None:
            numbers = np.empty(self.uniform.size)
            if not fill(self.uniform, tuple([arguments[place] for place in self.places]), numbers):
                return None
        return numbers, tables

    def run(self, numbers: Row, tables: list[Rows], out: Any) -> Any:
        """Return the results for the numbers that are the same for all examples, and tables with a row for each."""
        count = len(tables[0])
        results, leaves = self.results.of(count, out)
        if leaves is not None:
            known_results, known_tables, overwritten = self._apart
            if results is not known_results or tables is not known_tables:
                share, given = np.may_share_memory, [*tables, numbers]
                overwritten = [i for i, array in enumerate(given) if any(map(share, repeat(array), results))]
                self._apart = results, tables, overwritten
            if overwritten:
                given = [*tables, numbers]
                for place in overwritten:
                    given[place] = given[place].copy()
                *tables, numbers = given
        examples = count if self.has_varying or self.reduce == "each" else 1
        known, schedule = self._last
        if known != examples:
            schedule = self.recorded.schedule(self.varies, self.reduce != "each", examples)
            self._last = examples, schedule
        outputs = self.recorded.tables(results, len(results[0]) if results else 1)
        _, is_finite = schedule.run(examples, self.recorded.inputs(numbers), tables, outputs)
        if not is_finite:
            self._run_again(examples, numbers, tables, outputs)
        if self.must_scale:
            self._scale(results, count)
        structure = self.recorded.result
        if leaves is None:
            leaves = leaves_of_rows(structure, results) if self.reduce == "each" else cut(structure, results[0][0])
        return unflatten(structure, leaves)

    def _scale(self, results: list[Rows], count: int) -> None:
        """Divide totals by the count of examples, or multiply by it what each of them gives alike."""
        at = 0
        change = np.divide if self.reduce == "mean" else np.multiply
        for result in results:
            chosen = self.scaled[at : at + result.shape[1]]
            change(result[0], count, out=result[0], where=chosen)
            at += len(chosen)

    def _run_again(self, examples: int, numbers: Row, tables: list[Rows], results: list[Rows]) -> None:
        """Compute with guarded products what is nan, and run with Values some examples that are not finite then."""
        guarded = self.recorded.guarded()
        inputs = guarded.inputs(numbers)
        if guarded is not self.recorded:
            wrong = np.flatnonzero(np.any([np.isnan(rows).any(axis=1) for rows in results], axis=0))
            if self.reduce == "each" and len(wrong):
                parts = [np.empty((len(wrong), rows.shape[1])) for rows in results]
                given = [table[wrong] for table in tables]
                guarded.schedule(self.varies, False, len(wrong)).run(len(wrong), inputs, given, parts)
                for rows, part in zip(results, parts, strict=True):
                    rows[wrong] = part
            elif len(wrong):
                guarded.schedule(self.varies, True, examples).run(examples, inputs, tables, results)
        if all(np.isfinite(rows).all() for rows in results):
            return
        varies = np.frombuffer(self.varies, bool)
        row = np.empty(len(varies))
        row[~varies] = numbers
        for example in self._not_finite(guarded, inputs, tables):
            row[varies] = np.concatenate([table[example] for table in tables])
            run_eagerly(guarded, row.tolist(), f"example {example}")

    def _not_finite(self, guarded: RecordedFunction, inputs: Row, tables: list[Rows]) -> list[int]:
        """Return some examples whose results are not finite; first those with a result that is nan."""
        nans: list[int] = []
        infinities: list[int] = []
        size, most = len(guarded.program.outputs), max(LOOKED_AT, MOST_NODES // len(guarded.program))
        block = max(1, BLOCK // max(size, 1))
        for first in range(0, len(tables[0]), block):
            part = [table[first : first + block] for table in tables]
            rows = np.empty((len(part[0]), size))
            guarded.schedule(self.varies, False, len(rows)).run(len(rows), inputs, part, [rows])
            is_nan, is_infinite = np.isnan(rows).any(axis=1), np.isinf(rows).any(axis=1)
            nans += (first + np.flatnonzero(is_nan)).tolist()
            infinities += (first + np.flatnonzero(is_infinite & ~is_nan)).tolist()
            if len(nans) >= most:
                break
        return [*nans, *infinities][:most]


def call_again(recorded: RecordedFunction, numbers: Row, results: list[Rows]) -> None:
    """Compute the results of a call with guarded products, and run it with Values if they are not finite then."""
    guarded = recorded.guarded()
    if guarded is recorded or not guarded.schedule().run(1, guarded.inputs(numbers), [], results)[1]:
        run_eagerly(recorded, numbers.tolist())


def run_eagerly(recorded: RecordedFunction, numbers: Sequence[float], where: str = "") -> Any:
    """Run a function with Values, after a result that is not finite, and return its result.

    Raises:
        ValueError: if a result depends on an operation outside its domain, with the error that it raises elsewhere,
            and `where` that was.
    """
    arguments, keywords = nested(recorded.call, list(map(Value, numbers)))
    try:
        with recording(), ieee_arithmetic() as failures:
            result = recorded.function(*arguments, **keywords)
        found = [number for number in flat(result, Value)[0] if isinstance(number, Value)]
        failures.check(*[number for number in found if not math.isfinite(number.data)])
    except (ValueError, ZeroDivisionError) as error:
        raise type(error)(f"{error} (in {where})") if where else error from None
    return result


def replay(
    recorded: RecordedFunction, times: int, start: Row, tables: Sequence[Rows], results: Sequence[Rows], size: int
) -> None:
    """Run some rounds with Values, from where results are no longer finite: the engine's error says what happened.

    Args:
        recorded: the function.
        times: how many rounds there were.
        start: the inputs of the first one.
        tables: the inputs that follow the state, for each round.
        results: the records of the rounds.
        size: how many numbers the state has.

    Raises:
        KeyboardInterrupt: after Ctrl-C.
    """
    low, high, inputs = 0, times, start.copy()
    while high - low > 1:  # what the rounds before `low` give is finite, and what those before `high` give is not
        middle = (low + high) // 2
        count, tried = middle - low, inputs.copy()
        rows = [np.empty((count, result.shape[1])) for result in results]
        given = [table[low:middle] for table in tables]
        done, is_finite = recorded.schedule().run(count, tried, given, rows, size)
        if done < count:
            raise KeyboardInterrupt
        if is_finite:
            low, inputs = middle, tried
        else:
            high = middle
    state = inputs[:size].tolist()
    for i in range(low, min(low + LOOKED_AT, times)):
        row = [number for table in tables for number in table[i].tolist()]
        result = run_eagerly(recorded, [*state, *row], f"round {i + 1}")
        state = [number.data if isinstance(number, Value) else number for number in flat(result, Value)[0][:size]]
