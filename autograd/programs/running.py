"""Running lowered programs with NumPy, where nothing was compiled; running.pyx does the same in C.

The bits are those of the compiled engine, but for functions such as exp and tanh, which NumPy rounds in its own way.
Every sum is added in the order of its terms: what is computed side by side are different sums.

>>> from autograd import Value
>>> from autograd.programs.lowering import lower
>>> from autograd.programs.program import Program
>>> x, w = Value(3.0), Value(0.5)
>>> runner = Runner(lower(Program.of([w * x + 1.0], inputs=[x, w])))
>>> runner.call_floats((4.0, 0.5))
3.0
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.primitives import PRIMITIVES, Primitive
from autograd.programs.array_steps import Steps
from autograd.programs.groups import Code
from autograd.programs.validation import validate
from autograd.value import Constant, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autograd.programs.groups import Floats, Integers, Truths

LANE_MEMORY, MOST_LANES = 3 << 16, 64  # the numbers of a block of examples, so that they stay in the cache; its lanes
LARGE = 1 << 14  # totals, which are far away after each block: then blocks are larger, of these numbers and lanes
LARGE_LANE_MEMORY, MOST_LARGE_LANES = 1 << 19, 128


def instruction_set() -> str:
    """The name of the kernels that run: those of NumPy."""
    return "numpy"


def lanes_for(code: Code, count: int) -> int:
    """How many examples are run side by side: a multiple of 8, such that their numbers stay in the cache.

    Blocks are as large as each other, or nearly so.
    """
    is_large = sum([total.count for total in code.totals]) > LARGE
    memory, lanes = (LARGE_LANE_MEMORY, MOST_LARGE_LANES) if is_large else (LANE_MEMORY, MOST_LANES)
    room = memory // max(code.varying_size, 1)
    most = max(8, min(room - room % 8, lanes))
    blocks = max(1, -(-count // most))
    lanes = -(-count // blocks)
    return max(8, lanes + -lanes % 8)


def has_tape_step(code: int) -> bool:
    """Whether a primitive can be a step of a tape, by its code: any of the table can."""
    return code <= len(PRIMITIVES)


def columns(nodes: Sequence[Value]) -> tuple[Integers, Floats, Truths, list[Primitive]]:
    """What instructions need of the nodes of a tape.

    Returns:
        For each node the code of its primitive, 0 for a leaf; its number; and whether it is a constant. And the
        primitives that are not in the table, whose codes follow those of the table.
    """
    others: dict[Primitive, int] = {}
    codes = np.zeros(len(nodes), np.int64)
    for slot, node in enumerate(nodes):
        primitive = node._primitive
        if primitive is not None:
            codes[slot] = primitive.index or others.setdefault(primitive, len(PRIMITIVES) + 1 + len(others))
    numbers = np.array([node._data for node in nodes], np.float64)
    return codes, numbers, np.array([isinstance(node, Constant) for node in nodes], bool), list(others)


def analyse(
    codes: Integers, starts: Integers, operands: Integers, outputs: Integers, varies: Truths
) -> tuple[Integers, Truths, Truths]:
    """What the passes of the lowering ask of each slot.

    Args:
        codes, starts, operands, outputs: as of `Instructions`.
        varies: for each slot whether it is an input that varies over the examples of a batch.

    Returns:
        For each slot its level, 0 for a leaf and else one more than the highest of its operands; whether it varies; and
        whether an output needs it.

    Raises:
        ValueError: if the starts, operands or outputs are not within the slots.
    """
    size = len(codes)
    fits = len(starts) == size + 1 and len(varies) == size
    for places, end in ((starts, len(operands) + 1), (operands, size), (outputs, size)):
        fits = fits and (not len(places) or (places.min() >= 0 and places.max() < end))
    if not fits:
        raise ValueError("the operands and outputs of instructions are not within their slots")
    ends, flat = starts.tolist(), operands.tolist()
    levels, vary, needed = [0] * size, varies.tolist(), bytearray(size)
    for slot in range(size):
        first, end = ends[slot], ends[slot + 1]
        if first < end:
            own = flat[first:end]
            levels[slot] = 1 + max([levels[operand] for operand in own])
            vary[slot] = vary[slot] or any(vary[operand] for operand in own)
    for slot in outputs.tolist():
        needed[slot] = 1
    for slot in reversed(range(size)):
        if needed[slot]:
            for operand in flat[ends[slot] : ends[slot + 1]]:
                needed[operand] = 1
    return np.array(levels, np.int64), np.array(vary, bool), np.frombuffer(needed, bool).copy()


class Runner:
    """Runs a lowered program; by one thread at a time.

    Args:
        code: the lowered program.
        lanes: how many examples of a batch are run side by side; 0 for a program that is not run for batches.
        exact: False if results may differ from those of the eager engine by rounding: by functions that are computed
            side by side, and large matrix products by BLAS. Here it has no effect.

    Attributes:
        code: the lowered program.
        lanes: how many examples of a batch are run side by side.
        output_count: how many outputs it has.
        inputs: the memory of the inputs that do not vary, as an array to write to.
        results: the memory of the outputs, as an array, if none varies and they stand side by side in their order; else
            None.

    Raises:
        ValueError: if the code is not well formed.
        MemoryError: if there is no room for its numbers.
    """

    def __init__(self, code: Code, lanes: int = 0, exact: bool = True) -> None:
        validate(code, lanes)
        self.code, self.lanes = code, lanes
        self.output_count = len(code.outputs)
        self._uniform = np.zeros(code.uniform_size)
        self._varying = np.zeros((code.varying_size, lanes))
        self.inputs = self._uniform[: code.inputs]
        self.results: Floats | None = None
        for place, number in code.constants.items():
            self._uniform[place] = number
        self._groups = Steps(code, self._uniform, self._varying)
        self._steps = [self._groups.of(group) for group in code.groups]
        self._block_steps = [self._groups.of(group) for group in code.varying_groups]
        self._totals = [self._groups.of_total(total) for total in code.totals]
        varying = np.asarray(code.output_varies, bool) & (not code.totals)
        self._has_varying_outputs = bool(varying.any())
        self._uniform_outputs, self._varying_outputs = np.flatnonzero(~varying), np.flatnonzero(varying)
        self._output_places = np.asarray(code.outputs, np.int64)
        if self.output_count and not self._has_varying_outputs and (np.diff(self._output_places) == 1).all():
            self.results = self._uniform[self._output_places[0] :][: self.output_count]

    # Running.

    def call_floats(self, arguments: tuple[float, ...]) -> float:
        """Run it with one float for each input, and give the first output.

        Raises:
            ValueError: if there is not one float for each input, or if there is no output or one that varies.
            TypeError: if an argument is not a real number.
        """
        inputs = array("d", arguments)
        if len(inputs) != self.code.inputs or not self.output_count:
            raise ValueError(f"{len(inputs)} arguments, not {self.code.inputs}; {self.output_count} outputs")
        self._refuse_varying()
        self._uniform[: self.code.inputs] = inputs
        self._run()
        return float(self._uniform[self._output_places[0]])

    def call(self, inputs: Floats, outputs: Floats) -> bool:
        """Run it, and say whether all outputs are finite.

        Args:
            inputs: a number for each input, of those and then of the parameters.
            outputs: where the outputs go.

        Raises:
            ValueError: if there is not a number for each input or a place for each output, or if an output varies.
        """
        inputs, outputs = _array(inputs, 1), _array(outputs, 1, is_written=True)
        if len(inputs) != self.code.inputs or len(outputs) != self.output_count:
            raise ValueError(
                f"{len(inputs)} inputs and {len(outputs)} outputs, not {self.code.inputs} and {self.output_count}"
            )
        self._refuse_varying()
        self._uniform[: self.code.inputs] = inputs
        self._run()
        outputs[:] = self._uniform.take(self._output_places)
        return bool(np.isfinite(outputs).all())

    def repeat(self, times: int, inputs: Floats, state: int, each: Floats, records: Floats) -> tuple[int, bool]:
        """Run it again and again: its first outputs become its first inputs of the next round.

        Args:
            times: how many rounds.
            inputs: a number for each input; the first ones are replaced by those after the last round.
            state: how many of the first inputs and outputs they are.
            each: a row for each round, of numbers for the inputs that follow the state; the others stay.
            records: a row for each round, where the outputs that follow the state go.

        Returns:
            How many whole rounds were run, and whether an interrupt stopped them.

        Raises:
            ValueError: if the sizes do not fit the program, or if an output varies.
        """
        inputs, each, records = _array(inputs, 1, is_written=True), _array(each, 2), _array(records, 2, is_written=True)
        each_count, record_count = each.shape[1], self.output_count - state
        if len(inputs) != self.code.inputs or state < 0 or state + each_count > self.code.inputs or record_count < 0:
            raise ValueError("the state and the inputs do not fit the program")
        too_few = each_count and len(each) < times
        if too_few or (record_count and (len(records) < times or records.shape[1] != record_count)):
            raise ValueError(f"there are not rows for {times} rounds")
        self._refuse_varying()
        committed = 0, inputs[:state].copy()  # whole rounds, and the state after them: assigned at once
        interrupted = False
        self._uniform[: self.code.inputs] = inputs
        try:
            for done in range(times):
                if each_count:
                    self._uniform[state : state + each_count] = each[done]
                self._run()
                results = self._uniform.take(self._output_places)
                if record_count:
                    records[done] = results[state:]
                committed = done + 1, results[:state]
                self._uniform[:state] = results[:state]
        except KeyboardInterrupt:
            interrupted = True
        finally:
            inputs[:state] = committed[1]
        return committed[0], interrupted

    def batch(
        self, inputs: Floats | None, parts: Sequence[Floats], rows: Integers | None, outputs: Floats | None
    ) -> bool:
        """Run it for many examples, and say whether all outputs are finite.

        Args:
            inputs: a number for each input that does not vary; what is in the memory of the inputs when None.
            parts: arrays with a row for each example, whose columns are the inputs that vary, part after part.
            rows: the rows of the examples to run, in their order; all of them if it is None.
            outputs: where the outputs go: a row for each example; or one row, for the totals over the examples, or for
                outputs that do not vary. None to leave these in the memory.

        Raises:
            ValueError: if the sizes do not fit the program.
        """
        inputs = self.inputs if inputs is None else _array(inputs, 1)
        if outputs is not None:
            outputs = _array(outputs, 2, is_written=True)
        tables = [_array(part, 2) for part in parts]
        if rows is None and not tables:
            raise ValueError("there are no examples")
        indices = np.arange(len(tables[0])) if rows is None else _array(rows, 1, np.int64)
        count = len(indices)
        for table in tables:
            if rows is None and len(table) != count:
                raise ValueError("the arguments have not the same number of examples")
            if count and not (indices.min() >= 0 and indices.max() < len(table)):
                raise ValueError("an example is not there")
        width = sum(table.shape[1] for table in tables)
        if len(inputs) != self.code.inputs or width != self.code.varying_inputs or not self.lanes:
            raise ValueError("the inputs do not fit the program")
        each = outputs is not None and not self.code.totals and self.output_count > 0 and len(outputs) == count
        fits = outputs is None or outputs.shape == (count if each else 1, self.output_count)
        if not fits or (self._has_varying_outputs and not each):
            raise ValueError("there is no room for the outputs")
        self._uniform[: self.code.inputs] = inputs
        for total in self.code.totals:
            self._uniform[total.outs] = -0.0
        self._run()
        if outputs is not None and each:
            outputs[:, self._uniform_outputs] = self._uniform.take(self._output_places[self._uniform_outputs])
        for first in range(0, count, self.lanes):
            chosen = indices[first : first + self.lanes]
            self._fill(tables, chosen)
            self._groups.valid = len(chosen)
            with np.errstate(all="ignore"):
                for step in self._block_steps:
                    step()
                for step in self._totals:
                    step()
            if outputs is not None and self._has_varying_outputs:
                results = self._varying.take(self._output_places[self._varying_outputs], 0)[:, : len(chosen)]
                outputs[first : first + len(chosen), self._varying_outputs] = results.T
        if outputs is None or not each:
            results = self._uniform.take(self._output_places)
            if outputs is None:
                return bool(np.isfinite(results).all())
            outputs[0] = results
        return bool(np.isfinite(outputs).all())

    def each(self, inputs: Floats, columns: Sequence[Floats], results: Sequence[Floats]) -> bool:
        """Run it for many examples, whose numbers stand in columns, and say whether all results are finite.

        Args:
            inputs: as for `batch`.
            columns: for each input that varies an array with its number for each example.
            results: for each output such an array, where it goes; it may be one of the columns.

        Raises:
            ValueError: if the sizes do not fit the program.
        """
        if len(results) != self.output_count or self.code.totals:
            raise ValueError("the inputs and results do not fit the program")
        outputs = np.empty((len(columns[0]), self.output_count))
        are_finite = self.batch(inputs, [np.stack(columns, axis=1)], None, outputs)
        for result, output in zip(results, outputs.T, strict=True):
            result[:] = output
        return are_finite

    def _run(self) -> None:
        with np.errstate(all="ignore"):
            for step in self._steps:
                step()

    def _fill(self, tables: Sequence[Floats], chosen: Integers) -> None:
        """Copy examples into the lanes; the lanes that are left over get the last one."""
        place = 0
        for table in tables:
            lanes = self._varying[place : place + table.shape[1]]
            lanes[:, : len(chosen)] = table[chosen].T
            lanes[:, len(chosen) :] = lanes[:, len(chosen) - 1 : len(chosen)]
            place += table.shape[1]

    def _refuse_varying(self) -> None:
        if self._has_varying_outputs:
            raise ValueError("an output varies over the examples: run the program for a batch")


def _array(numbers: Any, dimensions: int, kind: Any = np.float64, is_written: bool = False) -> NDArray[Any]:
    """An array that was given, or another object with a buffer.

    Raises:
        ValueError: if it has not the type, as many dimensions, or contiguous memory that may be written.
        TypeError: if it has no buffer.
    """
    found = numbers if isinstance(numbers, np.ndarray) else np.asarray(memoryview(numbers))
    if found.dtype != kind or found.ndim != dimensions:
        raise ValueError(f"expected {dimensions} dimensions of {np.dtype(kind)}, got {found.ndim} of {found.dtype}")
    if not found.flags.c_contiguous or (is_written and not found.flags.writeable):
        raise ValueError("the memory of an array is not contiguous, or may not be written")
    return found
