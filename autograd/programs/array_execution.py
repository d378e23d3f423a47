"""Lowered programs run with NumPy, where nothing was compiled; execution.pyx does the same in C.

The bits are those of the compiled engine, but for functions such as exp and tanh, which NumPy rounds in its own way.
Every sum is added in the order of its terms: what is computed side by side are different sums. Sums are kept in place,
in a memory: functions that keep none, as `exports` makes for JAX, take four times as long, and have other bits.

This file has more than 500 lines, since the steps of all kinds of groups refer to one memory.

>>> from autograd import Value
>>> from autograd.programs.layout import lower
>>> from autograd.programs.program import Program
>>> x, w = Value(3.0), Value(0.5)
>>> Schedule(lower(Program.of([w * x + 1.0], inputs=[x, w]))).call_floats((4.0, 0.5))
3.0
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from autograd.primitives import PRIMITIVES
from autograd.programs.array_rules import ARRAYS, Function, by_element
from autograd.programs.groups import (
    CONTIGUOUS,
    GATHERED,
    TABLE,
    TRACED,
    Chain,
    Code,
    Loop,
    Map,
    Matrix,
    Operand,
    Sum,
    Total,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autograd.programs.groups import Floats, Group

Run: TypeAlias = Callable[[], object]

TILE = 1 << 16  # numbers that a tile of groups writes: more than in C, since each call of NumPy takes long
FEW = 64  # sums side by side, up to which one call that accumulates is faster than a call for each term


class Schedule:
    """A lowered program, ready to be run. It is immutable, and serves all threads.

    One memory is kept for the next run. A run that finds it taken makes one of its own.

    Args:
        code: the lowered program, which is checked.
        lanes: how many examples of a batch are run side by side; 0 for a program that is not run for batches.
        exact: False if results may differ from those of the eager engine by rounding: by functions that are computed
            side by side, and large matrix products by BLAS. Here it has no effect.

    Attributes:
        code: the lowered program.
        lanes: how many examples of a batch are run side by side.

    Raises:
        ValueError: if the code is not well formed.
        MemoryError: if there is no room for its numbers.
    """

    def __init__(self, code: Code, lanes: int = 0, exact: bool = True) -> None:
        code.check(lanes)
        self.code, self.lanes = code, lanes
        self._in_lanes = code.outputs_in_lanes()
        self._spare = [_Memory(code, lanes)]

    def call_floats(self, arguments: tuple[float, ...]) -> float:
        """Run it once with one float for each input, and return the first output; nan if another one is not finite.

        Raises:
            ValueError: if there is not one float for each input, or if there is no output or one that varies.
            TypeError: if an argument is not a real number.
        """
        if len(arguments) != self.code.inputs or not len(self.code.outputs) or self.lanes:
            raise ValueError(f"{len(arguments)} arguments, not {self.code.inputs}; {len(self.code.outputs)} outputs")
        result = np.empty((1, len(self.code.outputs)))
        self.run(1, np.array(array("d", arguments)), [], [result])
        return float(result[0, 0]) if np.isfinite(result[0, 1:]).all() else math.nan

    def run(
        self, count: int, inputs: Floats, tables: Sequence[Floats], results: Sequence[Floats], state: int = 0
    ) -> tuple[int, bool]:
        """Run it for so many examples, whose numbers vary, side by side; or, without lanes, so many times in a row.

        Args:
            count: how many examples, or how many times.
            inputs: a number for each input that does not vary, of those and then of the parameters.
            tables: arrays with a row for each example, or each time. Their columns, table after table, are the inputs
                that vary; without lanes those that follow the state.
            results: arrays that the outputs are written to, column after column: with a row for each example or time;
                or, of a program with totals, one row.
            state: how many of the first outputs become the first inputs of the next time. They are no part of the
                results; in the end they are written to the inputs.

        Returns:
            How many examples or times were done, and whether all results, and the state after each time, are finite.
            An interrupt ends a run that has a state after a whole time.

        Raises:
            ValueError: if the sizes do not fit the program.
            KeyboardInterrupt: if a run without a state was interrupted.
        """
        inputs, tables = _array(inputs, 1, is_written=True), [_array(table, 2) for table in tables]
        results = [_array(result, 2, is_written=True) for result in results]
        self._check(count, inputs, tables, results, state)
        try:
            memory = self._spare.pop()
        except IndexError:  # another run has it
            memory = _Memory(self.code, self.lanes)
        memory.uniform[: len(inputs)] = inputs
        if self.lanes:
            self._run_examples(memory, count, tables, results)
            done, is_finite = count, True
        else:
            done, is_finite = self._run_times(memory, count, inputs, tables, results, state)
        if not self._spare:
            self._spare.append(memory)
        return done, is_finite and all(bool(np.isfinite(result[:done]).all()) for result in results)

    def _check(self, count: int, inputs: Floats, tables: list[Any], results: list[Any], state: int) -> None:
        code, width = self.code, sum(table.shape[1] for table in tables)
        if any(len(table) < count for table in tables):
            raise ValueError(f"there are not rows for {count} examples")
        fits = width == code.varying_inputs and not state if self.lanes else state + width <= code.inputs
        if len(inputs) != code.inputs or not fits or not 0 <= state <= len(code.outputs):
            raise ValueError("the inputs, or the state, do not fit the program")
        if code.totals and count < 1:
            raise ValueError("there are no examples")
        wanted = 1 if code.totals else count
        if any(len(result) != wanted for result in results):
            raise ValueError(f"there is not room for {wanted} rows of results")
        if state + sum(result.shape[1] for result in results) != len(code.outputs):
            raise ValueError(f"there is not room for {len(code.outputs)} outputs")

    def _run_times(
        self,
        memory: _Memory,
        count: int,
        inputs: Floats,
        tables: Sequence[Floats],
        results: Sequence[Floats],
        state: int,
    ) -> tuple[int, bool]:
        is_finite = True
        committed = 0, inputs[:state].copy()  # whole times, and the state after them: assigned at once
        try:
            for done in range(count):
                place = state
                for table in tables:
                    memory.uniform[place : place + table.shape[1]] = table[done]
                    place += table.shape[1]
                memory.run(memory.once)
                outputs = memory.uniform.take(self.code.outputs)
                _store(outputs[None, state:], results, done)
                committed = done + 1, outputs[:state]
                memory.uniform[:state] = outputs[:state]
                is_finite = is_finite and bool(np.isfinite(outputs[:state]).all())
        except KeyboardInterrupt:
            if not state:
                raise
        finally:
            inputs[:state] = committed[1]
        return committed[0], is_finite

    def _run_examples(self, memory: _Memory, count: int, tables: Sequence[Floats], results: Sequence[Floats]) -> None:
        code = self.code
        for total in code.totals:
            memory.uniform[total.results()] = -0.0
        memory.run(memory.once)
        for first in range(0, count, self.lanes):
            memory.valid = min(self.lanes, count - first)
            place = 0
            for table in tables:
                lanes = memory.varying[place : place + table.shape[1]]
                lanes[:, : memory.valid] = table[first : first + memory.valid].T
                lanes[:, memory.valid :] = lanes[:, memory.valid - 1 : memory.valid]  # the lanes that are left over
                place += table.shape[1]
            memory.run(memory.each)
            if not code.totals:
                outputs = np.empty((memory.valid, len(code.outputs)))
                outputs[:, self._in_lanes] = memory.varying.take(code.outputs[self._in_lanes], 0)[:, : memory.valid].T
                outputs[:, ~self._in_lanes] = memory.uniform.take(code.outputs[~self._in_lanes])
                _store(outputs, results, first)
        if code.totals:
            _store(memory.uniform.take(code.outputs)[None], results, 0)


class _Memory:
    """The two memories of a program, and functions without arguments that read and write them: one for each group.

    Attributes:
        uniform: the numbers that are there once.
        varying: the numbers that are there once for each lane.
        valid: how many lanes are in use.
        once, each: the functions that run once, and for each block of examples.
    """

    def __init__(self, code: Code, lanes: int) -> None:
        self.code, self.valid = code, lanes
        self.stores: dict[int, _Store] = {}  # of the states of loops
        self.uniform, self.varying = np.zeros(code.uniform_size), np.zeros((code.varying_size, lanes))
        for place, number in code.constants.items():
            self.uniform[place] = number
        kinds: dict[type, Callable[[Any], Run]] = {
            Map: self._map, Sum: self._sum, Matrix: self._matrix, Chain: self._chain, Loop: self._loop,
            Total: self._total,
        }  # fmt: skip
        self.once = [kinds[type(group)](group) for group in code.groups]
        self.each = [kinds[type(group)](group) for group in (*code.varying_groups, *code.totals)]

    @staticmethod
    def run(steps: Sequence[Run]) -> None:
        """Run some of the functions."""
        with np.errstate(all="ignore"):
            for step in steps:
                step()

    def _out(self, group: Group) -> Floats:
        """Return where a group's results go: a view of one of the memories."""
        memory = self.varying if group.varies else self.uniform
        return memory[group.out : group.out + group.count]

    def _reader(self, operand: Operand, group: Group) -> Callable[[], Floats]:
        """Return a function that gives an operand of a group, in a shape that fits the results."""
        memory = self.varying if operand.varies else self.uniform[:, None] if group.varies else self.uniform
        if operand.mode == GATHERED:
            return partial(memory.take, operand.gathered, 0)  # type: ignore[return-value]  # it takes the index as it is
        count = group.count if operand.mode == CONTIGUOUS else 1
        view = memory[operand.place : operand.place + count]
        return lambda: view

    def _map(self, group: Map) -> Run:
        out, primitive = self._out(group), group.primitive
        readers = [self._reader(operand, group) for operand in group.operands]
        if primitive is None:
            return lambda: np.copyto(out, readers[0]())
        if not primitive.index:
            return self._call(by_element(primitive), out, readers, group.varies)
        function = ARRAYS.function(primitive)
        if isinstance(function, np.ufunc):
            ufunc = function
            if all(operand.mode != GATHERED for operand in group.operands):
                return partial(ufunc, *[reader() for reader in readers], out)
            return lambda: ufunc(*[reader() for reader in readers], out)
        compute = partial(ARRAYS.compute, primitive)
        return lambda: np.copyto(out, compute(*[reader() for reader in readers]))

    def _call(self, function: Function, out: Floats, readers: Sequence[Callable[[], Floats]], varies: bool) -> Run:
        """Return the step of a primitive that is not in the table: Python's own function for each number."""

        def step() -> None:
            if varies:
                out[:, : self.valid] = function(*[reader()[:, : self.valid] for reader in readers])
            else:
                out[:] = function(*[reader() for reader in readers])

        return step

    def _sum(self, group: Sum) -> Run:
        out = self._out(group)
        if not group.varies:
            indices = group.places()
            return lambda: _add_up(math.prod([self.uniform.take(index) for index in indices]), out)
        readers = [[self._reader(operand, group) for operand in side] for side in group.sides()]
        return self._adder(out, [partial(_product, *term) for term in zip(*readers, strict=True)])

    def _matrix(self, group: Matrix) -> Run:
        """Return the step of the products of each row with each column, term after term."""
        out = self._out(group)
        rows, columns = (np.ascontiguousarray(part.T) for part in (group.rows, group.columns))  # a row for each term
        row, first, length = group.runs.T
        row_count, column_count = rows.shape[1], columns.shape[1]
        is_grid = np.array_equal(row, np.arange(row_count)) and not first.any() and (length == column_count).all()
        left_shape: tuple[int, ...] = (-1, 1) if is_grid else (-1,)
        if group.varies:
            left_shape += (self.varying.shape[1] if group.rows_vary else 1,)
        if is_grid:
            out = out.reshape(row_count, column_count, *out.shape[1:])
        else:  # the factors of each result by themselves
            starts = np.repeat(np.cumsum(length) - length, length)
            rows = rows[:, np.repeat(row, length)]
            columns = columns[:, np.repeat(first, length) + np.arange(group.count) - starts]
        memory = self.varying if group.varies else self.uniform
        row_memory = self.varying if group.rows_vary else self.uniform
        if out.size <= FEW:

            def add_few() -> None:
                rights = memory.take(columns, 0)
                lefts = row_memory.take(rows, 0).reshape(len(rows), *left_shape)
                _add_up(lefts * (rights[:, None] if is_grid else rights), out)

            return add_few
        terms = [
            partial(_product, partial(row_memory.take, left, 0), partial(memory.take, right, 0), left_shape)
            for left, right in zip(rows, columns, strict=True)
        ]
        return self._adder(out, terms)

    @staticmethod
    def _adder(out: Floats, terms: Sequence[Callable[[Any], object]]) -> Run:
        """Return a step that adds up terms, each of which is a function that writes it to an array."""
        later = np.empty_like(out)

        def step() -> None:
            target = out
            for term in terms:
                term(target)
                if target is later:
                    np.add(out, later, out)
                target = later

        return step

    def _chain(self, group: Chain) -> Run:
        """Return the step of a chain: a call of Python for each link, on a list of floats; of NumPy, if it varies."""
        if group.varies:
            steps = [self._sum(each) if isinstance(each, Sum) else self._map(each) for each in group.apart()]
            return partial(self.run, steps)
        places, ends, out = group.operands.tolist(), group.starts.tolist(), group.out
        links = []
        for code, start, end in zip(group.codes.tolist(), ends, ends[1:], strict=False):
            primitive = TABLE[code - 1] if code <= len(TABLE) else self.code.others[code]
            links.append((primitive, primitive.value, places[start:end]))

        def step() -> None:
            numbers = self.uniform[:out].tolist()
            for primitive, value, operands in links:
                try:
                    numbers.append(value(*[numbers[place] for place in operands]))
                except (ValueError, ArithmeticError):  # noqa: PERF203  # as for the primitive itself, without a call more
                    numbers.append(primitive(*[numbers[place] for place in operands]))
            self.uniform[out : len(numbers)] = numbers[out:]

        return step

    def _loop(self, group: Loop) -> Run:
        """Return the step of a loop, whose rounds have a memory of their own."""
        if group.beside:
            return self._rounds_beside(group)
        inner, body = _Memory(group.body, self.varying.shape[1] if group.varies else 0), group.body
        size, from_store, width, constants, results = group.sizes
        targets, vary = group.input_places(), group.inputs_vary
        is_own = np.ones(len(targets), bool)
        is_own[size : size + from_store + width] = False
        count, first = size + constants, size + from_store
        begin = _Copy(self, group.operands[:count], group.operands_vary[:count], inner, targets[is_own], vary[is_own])
        rows = group.operands[count:].reshape(-1, width) if width else group.operands[:0].reshape(0, 0)
        row_vary = group.operands_vary[count:].reshape(rows.shape)
        of_row = targets[first : first + width], vary[first : first + width]
        end = _Copy(inner, targets[:size], vary[:size], self, group.out + np.arange(size), np.full(size, group.varies))
        next_state = _Copy(inner, body.outputs[:size], body.output_varies[:size], inner, targets[:size], vary[:size])
        of_results = body.outputs[size : size + results], body.output_varies[size : size + results]
        totals = None if group.totals is None else Schedule(group.totals, TRACED)
        traced = body.outputs[size + results : size + results + group.traced]
        stored = slice(size, first) if group.kept is None else group.kept
        kept = [targets[stored][vary[stored] == does_vary] for does_vary in (False, True)]
        costly = slice(size + results, size + results + group.costly)
        also = [body.outputs[costly][body.output_varies[costly] == does_vary] for does_vary in (False, True)]

        def step() -> None:
            begin.run()
            inner.valid = self.valid
            store = self.stores.setdefault(-1 if group.store is None else group.store, _Store())
            if group.kept is not None:
                store.clear()
            known = len(store.rows) if group.reads_store else group.rounds
            head = None if group.head is None else (self.varying if group.head[0] else self.uniform)[group.head[1]]
            counts = store.counts if group.reads_store else head
            if group.rounds_vary and counts is not None:
                counts = counts + np.zeros(self.varying.shape[1])
            k, trace = 0, []
            while known is None or k < known:
                time = known - 1 - k if group.is_backward and known is not None else k
                active = None if counts is None else counts > time if not group.has_condition else counts != 0.0
                if active is not None and known is None and not np.any(np.ravel(active)[: self.valid or 1]):
                    break
                if group.kept is not None:
                    store.keep(inner.uniform[kept[0]], inner.varying[kept[1]], active)
                elif group.reads_store:
                    inner.uniform[kept[0]], inner.varying[kept[1]] = store.rows[time]
                t = time if not group.is_reversed or group.rounds is None else group.rounds - 1 - time
                if width:
                    _Copy(self, rows[t], row_vary[t], inner, *of_row).run()
                self.run(inner.once)
                self.run(inner.each)
                if group.costly:
                    store.add(inner.uniform[also[0]], inner.varying[also[1]])
                if results:
                    out = group.out + size + t * results + np.arange(results)
                    _Copy(inner, *of_results, self, out, np.full(results, group.varies)).run()
                if totals is not None:
                    trace.append(inner.uniform.take(traced))
                if group.has_condition:
                    memory = inner.varying if body.output_varies[-1] else inner.uniform
                    more = np.copy(memory[body.outputs[-1]])
                    counts = more if active is None or not np.ndim(active) else np.where(active, more, 0.0)
                next_state.run(active if isinstance(active, np.ndarray) and active.ndim else None)
                k += 1
            end.run()
            if totals is not None:
                found = self.uniform[group.out + group.count - len(totals.code.outputs) : group.out + group.count]
                found[:] = 0.0
                if trace:
                    totals.run(k, np.zeros(0), [np.array(trace)], [found[None]])

        return step

    def _rounds_beside(self, group: Loop) -> Run:
        """Return the step of a loop whose rounds are run side by side."""
        body, (_, _, width, constants, results), count = group.body, group.sizes, group.rounds or 0
        inner, targets = _Memory(body, group.beside), group.input_places()
        begin = _Copy(
            self, group.operands[:constants], group.operands_vary[:constants], inner, targets[width:],
            group.inputs_vary[width:],
        )  # fmt: skip
        rows = group.operands[constants:].reshape(count, width)
        order = np.arange(count)[:: -1 if group.is_backward != group.is_reversed else 1]  # of the rows
        totals = None if group.totals is None else Schedule(group.totals, TRACED)

        def step() -> None:
            begin.run()
            self.run(inner.once)
            traces = []
            for first in range(0, count, group.beside):
                block = order[first : first + group.beside]
                inner.valid = len(block)
                lanes = self.uniform[rows[block]].T
                inner.varying[targets[:width]] = lanes[:, np.minimum(np.arange(group.beside), len(block) - 1)]
                self.run(inner.each)
                memories = inner.uniform[:, None], inner.varying
                found = np.empty((len(body.outputs), len(block)))
                for output, (place, vary) in enumerate(zip(body.outputs, body.output_varies, strict=True)):
                    found[output] = memories[int(vary)][place][: len(block)]
                self.uniform[group.out + block[:, None] * results + np.arange(results)] = found[:results].T
                traces.append(found[results:].T)
            if totals is not None:
                sums = self.uniform[group.out + group.count - len(totals.code.outputs) : group.out + group.count]
                totals.run(count, np.zeros(0), [np.ascontiguousarray(np.concatenate(traces))], [sums[None]])

        return step

    def _total(self, group: Total) -> Run:
        """Return a step that adds the numbers of the lanes in use to the totals, lane after lane."""
        outs = group.results()

        def step() -> None:
            lanes = self.varying.take(group.terms, 0).T[: self.valid]
            if group.factors is None:
                found = self.uniform.take(outs)
                _add_up(np.concatenate([found[None], lanes]), found)
            else:
                others = self.varying.take(group.factors, 0).T[: self.valid]
                found = self.uniform.take(outs.reshape(len(group.terms), -1))
                if found.size <= FEW:
                    _add_up(np.concatenate([found[None], lanes[:, :, None] * others[:, None]]), found)
                else:
                    for i in range(self.valid):
                        np.add(found, lanes[i][:, None] * others[i], found)
            self.uniform[outs] = found.ravel()

        return step


class _Copy:
    """Copies numbers at some places of one memory to places of another one; a uniform number goes to all lanes."""

    def __init__(
        self, source: _Memory, places: Any, vary: Any, target: _Memory, target_places: Any, target_vary: Any
    ) -> None:
        self.parts: list[tuple[Any, Any, Any, Any]] = []
        memories = source.uniform[:, None], source.varying
        for does_vary, goes in ((False, False), (False, True), (True, True)):
            chosen = (vary == does_vary) & (target_vary == goes)
            if chosen.any():
                to = target.varying if goes else target.uniform[:, None]
                self.parts.append((memories[does_vary], places[chosen], to, target_places[chosen]))

    def run(self, active: Any = None) -> None:
        """Copy them; if only some lanes are active, to those."""
        read = [memory.take(places, 0) for memory, places, _, _ in self.parts]
        for numbers, (_, _, target, places) in zip(read, self.parts, strict=True):
            target[places] = numbers if active is None else np.where(active, numbers, target[places])


class _Store:
    """The states that a loop had before each round, and how many rounds each lane took, if they differ."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget them."""
        self.rows: list[tuple[Floats, Floats]] = []
        self.counts: Any = None

    def keep(self, uniform: Floats, varying: Floats, active: Any) -> None:
        """Keep the state before a round, which some lanes take part in."""
        self.rows.append((uniform, varying))
        if active is not None and np.ndim(active):
            self.counts = active.astype(float) if self.counts is None else self.counts + active

    def add(self, uniform: Floats, varying: Floats) -> None:
        """Keep other numbers of the last round with its state."""
        before = self.rows.pop()
        self.rows.append((np.concatenate([before[0], uniform]), np.concatenate([before[1], varying])))


def instruction_set() -> str:
    """Return the name of the kernels that run: those of NumPy."""
    return "numpy"


def has_chain_step(code: int) -> bool:
    """Return whether a primitive, by its code, can be a step of a chain: any of the table can."""
    return code <= len(PRIMITIVES)


def _product(left: Callable[[], Any], *rest: Any) -> None:
    """Write a term to the last argument: what a reader gives, or its product with what a second one gives.

    Of a matrix product, the shape of the left factors stands between.
    """
    target = rest[-1]
    if len(rest) == 1:
        np.copyto(target, left())
    else:
        np.multiply(left().reshape(rest[1]) if len(rest) == 3 else left(), rest[0](), target)


def _add_up(terms: Any, out: Floats) -> None:
    """Write the sum over the first axis, added in order."""
    if out.size <= FEW:
        np.copyto(out, np.add.accumulate(terms, 0)[-1])
        return
    np.copyto(out, terms[0])
    for term in terms[1:]:
        np.add(out, term, out)


def _store(outputs: Floats, results: Sequence[Floats], first: int) -> None:
    """Write rows of outputs to the results, column after column."""
    start = 0
    for result in results:
        end = start + result.shape[1]
        result[first : first + len(outputs)] = outputs[:, start:end]
        start = end


def _array(numbers: Any, dimensions: int, is_written: bool = False) -> NDArray[Any]:
    """Return an array that was given, or another object with a buffer, of float64.

    Raises:
        ValueError: if it has not the type, as many dimensions, or contiguous memory that may be written.
        TypeError: if it has no buffer.
    """
    found = numbers if isinstance(numbers, np.ndarray) else np.asarray(memoryview(numbers))
    if found.dtype != np.float64 or found.ndim != dimensions:
        raise ValueError(f"expected {dimensions} dimensions of float64, got {found.ndim} of {found.dtype}")
    if not found.flags.c_contiguous or (is_written and not found.flags.writeable):
        raise ValueError("the memory of an array is not contiguous, or may not be written")
    return found
