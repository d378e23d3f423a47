"""Many examples of a recorded function side by side, and what is done where results are not finite."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from operator import is_
from typing import Any

import numpy as np

from autograd.programs.recording import RecordedFunction
from autograd.programs.rows import Results, Row, Rows, filled, is_contiguous, leaves_of_rows, owner_of, rows_of
from autograd.trees import Structure, container, cut, flatten, numbers_of, unflatten
from autograd.value import Value

LOOKED_AT = 10  # examples or rounds that are computed again one by one, where a result is not finite
BLOCK = 10**6  # results that are looked through at once


class Batch:
    """The runs of a function for many examples, whose arguments have the same structures each time.

    Args:
        function: the function.
        recorded: what was recorded of it.
        varying: the numbers of the arguments that hold examples.
        reduce: what to give.
    """

    def __init__(
        self, function: Callable[..., Any], recorded: RecordedFunction, varying: Collection[int], reduce: str
    ) -> None:
        self.function, self.recorded, self.reduce = function, recorded, reduce
        parts = recorded.arguments.entries if recorded.arguments is not None else ()
        self.varying = [(place, part) for place, part in enumerate(parts) if place in varying]
        self.places = [place for place in range(len(parts)) if place not in varying]
        self.uniform = container(tuple, [parts[place] for place in self.places])
        # Whether one array holds all the numbers that do not vary: then it is read where it is.
        self.is_shared = len(self.places) == 1 and bool(parts[self.places[0]].shape)
        self.array_places = [place for place, _ in self.varying] + (self.places if self.is_shared else [])
        is_varying = [place in varying for place in range(len(parts))]
        self.varies = np.repeat(is_varying, [part.size for part in parts]).tobytes()
        does_vary = recorded.code(self.varies, reduce != "each").output_varies
        self.has_varying = bool(does_vary.any())
        self.scaled = does_vary if reduce == "mean" else ~does_vary  # by the count of examples
        self.must_scale = reduce != "each" and bool(self.scaled.any())
        self.results = Results(recorded.result, reduce == "each")
        self._last: tuple[int, Any] = 0, None  # how many examples were run, and by which schedule
        # The last arrays and their shapes, which are often given again, and the tables and the numbers that they hold.
        self._given: tuple[list[Any], list[Any], list[Rows], Row | None] = [], [], [], None
        # The last tables of arguments and of results, if none had to be copied, and whether one is both.
        self._apart: tuple[list[Rows] | None, list[Rows] | None, bool] = None, None, False

    def filled(self, arguments: Sequence[Any]) -> tuple[Row, list[Rows]] | None:
        """Return the numbers of arguments as `run` takes them, if it is seen at once that they fit; or None."""
        if len(arguments) != len(self.places) + len(self.varying):
            return None
        given = [arguments[place] for place in self.array_places]
        arrays, shapes, tables, numbers = self._given
        if not arrays or not all(map(is_, given, arrays)) or [array.shape for array in given] != shapes:
            found = self._tables(given)
            if found is None:
                return None
            tables, numbers = found
            self._given = given, [array.shape for array in given], tables, numbers
        if numbers is None:
            numbers = filled(self.uniform, tuple([arguments[place] for place in self.places]))
        return None if numbers is None else (numbers, tables)

    def _tables(self, given: list[Any]) -> tuple[list[Rows], Row | None] | None:
        """Return the tables of arguments that vary, and the array of the other numbers if there is one."""
        tables = [rows_of(argument, part) for argument, (_, part) in zip(given, self.varying, strict=False)]
        counts = {0 if table is None else len(table) for table in tables}
        if len(counts) != 1 or 0 in counts:
            return None
        numbers = None
        if self.is_shared:
            array = given[-1]
            if not is_contiguous(array) or (array.shape,) != tuple(self.uniform.shapes) or not array.flags.writeable:
                return None
            numbers = array.reshape(-1)
        return tables, numbers  # type: ignore[return-value]  # the count of None would be 0

    def run(self, numbers: Row, tables: list[Rows], out: Any) -> Any:
        """Return the results.

        Args:
            numbers: those of the arguments that are the same for all examples.
            tables: those of the others, with a row for each example.
            out: arrays for the results.
        """
        count = len(tables[0])
        results, leaves = self.results.of(count, out)
        is_in_place = False
        if leaves is not None:
            known_results, known_tables, is_in_place = self._apart
            if results is not known_results or tables is not known_tables:
                numbers, tables, is_in_place = self._apart_from(leaves, results, numbers, tables)
        examples = count if self.has_varying or self.reduce == "each" else 1
        known, schedule = self._last
        if known != examples:
            schedule = self.recorded.schedule(self.varies, self.reduce != "each", examples)
            self._last = examples, schedule
        inputs = self.recorded.inputs(numbers)
        _, is_finite = schedule.run(examples, inputs, tables, results)
        if not is_finite and not is_in_place:
            self._run_eagerly(inputs, tables)
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

    def _apart_from(
        self, leaves: list[Any], results: list[Rows], numbers: Row, tables: list[Rows]
    ) -> tuple[Row, list[Rows], bool]:
        """Return the numbers and the tables such that no result overwrites what is read later.

        Args:
            leaves: the arrays of `out`.
            results: the same as tables.
            numbers: those of the arguments that are the same for all examples.
            tables: those of the others.

        Returns:
            The numbers and the tables, copied where they must be; and whether a table is overwritten row by row.
        """
        given, shared, is_in_place = tables, numbers, False
        owners = [owner_of(leaf) for leaf in leaves]
        ids = set(map(id, owners))
        for place, table in enumerate([*tables, numbers]):
            owner = owner_of(table)
            if type(owner) is np.ndarray and id(owner) not in ids:
                continue  # as in most cases; memory that is not of an array may be shared without this being seen
            for result, other in zip(results, owners, strict=True):
                is_whole = owner is other and table.size == result.size == getattr(owner, "size", -1)
                if (owner is not other and type(owner) is type(other) is np.ndarray) or not (
                    is_whole or np.may_share_memory(table, result)
                ):
                    continue
                is_row_by_row = self.reduce == "each" and place < len(tables) and table.shape == result.shape
                if is_row_by_row and (is_whole or _start_of(table) == _start_of(result)):
                    is_in_place = True
                elif place < len(tables):
                    tables = [*tables[:place], table.copy(), *tables[place + 1 :]]
                else:
                    numbers = numbers.copy()
        if tables is given and numbers is shared:
            self._apart = results, tables, is_in_place
        return numbers, tables, is_in_place

    def _run_eagerly(self, inputs: Row, tables: list[Rows]) -> None:
        """Run some examples with Values, after a result that is not finite: the engine's error says what happened."""
        varies = np.frombuffer(self.varies, bool)
        numbers = np.empty(len(varies))
        numbers[~varies] = inputs[: len(varies) - np.count_nonzero(varies)]
        for example in self._not_finite(inputs, tables):
            numbers[varies] = np.concatenate([table[example] for table in tables])
            run_eagerly(self.function, self.recorded.call, numbers.tolist())

    def _not_finite(self, inputs: Row, tables: list[Rows]) -> list[int]:
        """Return some examples whose results are not finite; first those with a result that is nan."""
        nans: list[int] = []
        infinities: list[int] = []
        size = self.recorded.result.size
        block = max(1, BLOCK // max(size, 1))
        for first in range(0, len(tables[0]), block):
            part = [table[first : first + block] for table in tables]
            rows = np.empty((len(part[0]), size))
            self.recorded.schedule(self.varies, False, len(rows)).run(len(rows), inputs, part, [rows])
            is_nan, is_infinite = np.isnan(rows).any(axis=1), np.isinf(rows).any(axis=1)
            nans += (first + np.flatnonzero(is_nan)).tolist()
            infinities += (first + np.flatnonzero(is_infinite & ~is_nan)).tolist()
            if len(nans) >= LOOKED_AT:
                break
        return [*nans, *infinities][:LOOKED_AT]


def _start_of(array: Rows) -> int:
    start: int = array.__array_interface__["data"][0]
    return start


def run_eagerly(function: Callable[..., Any], call: Structure, numbers: Sequence[float]) -> Any:
    """Run a function with Values, after a result that is not finite: the engine's error says what happened."""
    arguments, keywords = unflatten(call, cut(call, list(map(Value, numbers))))
    return function(*arguments, **keywords)


def replay(
    function: Callable[..., Any],
    recorded: RecordedFunction,
    times: int,
    start: Row,
    tables: Sequence[Rows],
    results: Sequence[Rows],
    size: int,
) -> None:
    """Run some rounds with Values, from where results are no longer finite: the engine's error says what happened.

    Args:
        function: the function.
        recorded: what was recorded of it.
        times: how many rounds there were.
        start: the inputs of the first one.
        tables: the inputs that follow the state, for each round.
        results: the records of the rounds.
        size: how many numbers the state has.

    Raises:
        KeyboardInterrupt: after Ctrl-C.
    """

    def run(inputs: Row, first: int, end: int) -> None:
        rows = [np.empty((end - first, result.shape[1])) for result in results]
        done, _ = recorded.schedule().run(end - first, inputs, [table[first:end] for table in tables], rows, size)
        if done < end - first:
            raise KeyboardInterrupt

    low, high, inputs = 0, times, start.copy()
    wrong = [round_ for rows in results for round_ in np.flatnonzero(~np.isfinite(rows).all(axis=1))[:1].tolist()]
    if wrong:
        low = high = min(wrong)
        run(inputs, 0, low)
    while high - low > 1:  # the state is finite before round `low`, and not before round `high`
        middle = (low + high) // 2
        tried = inputs.copy()
        run(tried, low, middle)
        if np.isfinite(tried[:size]).all():
            low, inputs = middle, tried
        else:
            high = middle
    state = inputs[:size].tolist()
    for i in range(low, min(low + LOOKED_AT, times)):
        row = [number for table in tables for number in table[i].tolist()]
        result = run_eagerly(function, recorded.call, [*state, *row])
        numbers = numbers_of(flatten(result, Value)[0])
        state = [number.data if isinstance(number, Value) else number for number in numbers[:size]]
