"""The rules of the table and reads by slices on arrays, of NumPy or JAX; and lowered programs run with NumPy.

>>> import numpy as np
>>> from autograd.primitives import relu
>>> arrays, x = Arrays(np), np.array([-1.0, 0.0, 2.0])
>>> out = arrays.compute(relu, x)
>>> out.tolist(), arrays.compute(relu.slopes[0], out, x).tolist()
([0.0, 0.0, 2.0], [0.0, 0.0, 1.0])

`Schedule` runs lowered programs where nothing was compiled; execution.pyx does the same in C. The bits are those of the
compiled engine, but for functions such as exp and tanh, which NumPy rounds in its own way. Every sum is added in the
order of its terms: what is computed side by side are different sums.

>>> from autograd import Value
>>> from autograd.programs.layout import lower
>>> from autograd.programs.program import Program
>>> x, w = Value(3.0), Value(0.5)
>>> Schedule(lower(Program.of([w * x + 1.0], inputs=[x, w]))).call_floats((4.0, 0.5))
3.0

`exports` makes functions of JAX from the same rules and reads. It joins groups, and keeps no memory, which XLA needs;
with NumPy that takes four times as long, and has other bits.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from autograd import primitives
from autograd.native.languages import SAME_NAMES
from autograd.primitives import PRIMITIVES, Operators, Primitive
from autograd.programs.groups import CONTIGUOUS, GATHERED, TABLE, Chain, Code, Map, Matrix, Operand, Sum, Total

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autograd.programs.groups import Floats, Group, Integers

Function: TypeAlias = Callable[..., Any]  # arrays and floats in, an array out
Reading: TypeAlias = Callable[[Sequence[Any]], Any]  # takes the arrays, gives an array
Step: TypeAlias = Callable[[], object]

MOST_PIECES = 16  # of several arrays that are put together; more are read by index
MOST_AXES = 5
ABSENT = -1  # the array of a place that is in none
FEW = 64  # sums side by side, up to which one call that accumulates is faster than a call for each term
LANE_MEMORY, MOST_LANES = 3 << 16, 64  # the numbers of a block of examples, so that they stay in the cache; its lanes
LARGE = 1 << 14  # totals, which are far away after each block: then blocks are larger, of these numbers and lanes
LARGE_LANE_MEMORY, MOST_LARGE_LANES = 1 << 19, 128
SMALL_LANE_MEMORY, MOST_SMALL_LANES = 1 << 12, 256  # more lanes for so few numbers that they stay in the first cache


class ArrayNumber(Operators):
    """An array as a number: rules of the table run on it, element by element.

    Args:
        arrays: what the module of the array calls the primitives.
        array: the array.
    """

    __slots__ = ("array", "arrays")

    def __init__(self, arrays: Arrays, array: Any) -> None:
        self.arrays, self.array = arrays, array

    @staticmethod
    def apply_primitive(primitive: Primitive, *operands: Any) -> ArrayNumber:
        """The primitive at arrays and plain numbers.

        Raises:
            TypeError: if the rule needs a function that the module lacks.
        """
        arrays = next(operand.arrays for operand in operands if isinstance(operand, ArrayNumber))
        function = arrays.function(primitive)
        if function is None:
            result = primitive.value(*operands)
            return result if isinstance(result, ArrayNumber) else ArrayNumber(arrays, result)
        plain = [operand.array if isinstance(operand, ArrayNumber) else operand for operand in operands]
        return ArrayNumber(arrays, function(*plain))


class Arrays:
    """What a module of arrays calls the primitives that rules are made of.

    Args:
        module: the module: `numpy`, or one with its interface.
        others: functions for more primitives, by name, such as `erf` and `erfc`, which the interface of NumPy lacks.
            With NumPy itself, those two are computed by Python, element by element.
    """

    def __init__(self, module: Any, **others: Function) -> None:
        self.module = module
        self._is_numpy = module.__name__ == "numpy"
        functions = {**_functions(module), **others}
        if self._is_numpy:
            own = {"power": _power, "erf": by_element(primitives.erf), "erfc": by_element(primitives.erfc)}
            functions = {**functions, **own, **others}
        self._functions = {PRIMITIVES[name]: function for name, function in functions.items()}

    def function(self, primitive: Primitive) -> Function | None:
        """The function of arrays that computes a primitive; None if the rule of the table does.

        A primitive that is not in the table has a rule for floats alone. With NumPy it is called for each element.

        Raises:
            TypeError: for such a primitive, with another module.
        """
        found = self._functions.get(primitive)
        if found is None and not primitive.index:
            if not self._is_numpy:
                raise TypeError(
                    f"{primitive!r} is not in the table of primitives: only Python knows its function, which "
                    f"{self.module.__name__} cannot run; compose it of primitives of the table"
                )
            return by_element(primitive)
        return found

    def compute(self, rule: Primitive | Function, *operands: Any) -> Any:
        """A primitive, or a slope of one, at arrays and plain numbers: by the rules of IEEE 754, without warnings.

        Returns:
            An array; of a rule that is the same everywhere, such as the slope of a sum, a number.
        """
        numbers = [operand if type(operand) is float else ArrayNumber(self, operand) for operand in operands]
        with self.quiet():
            result = rule(*numbers)
        return result.array if isinstance(result, ArrayNumber) else result

    def take(self, array: Any, indices: Any) -> Any:
        """The numbers of an array of one dimension at some indices, which are all within it."""
        return self.module.take(array, indices)

    def quiet(self) -> AbstractContextManager[Any]:
        """A context in which the module does not warn of what is not finite."""
        return self.module.errstate(all="ignore") if self._is_numpy else nullcontext()


def by_element(primitive: Primitive) -> Function:
    """A primitive as a function of arrays of NumPy, which calls it with the floats of each element."""

    def function(*operands: Any) -> Any:
        import numpy as np

        arrays = np.broadcast_arrays(*operands)
        columns = [array.ravel().tolist() for array in arrays]
        return np.array([primitive(*numbers) for numbers in zip(*columns, strict=True)]).reshape(arrays[0].shape)

    return function


def _power(x: Any, y: Any) -> Any:
    """The power by NumPy, whatever the shapes.

    For one exponent of −1, 0.5 or 2 for all, NumPy computes something else: sqrt(−inf) for (−inf) ** 0.5, for instance.
    Hence exponents of full shape; and squares as Python's, since NumPy's powers miss the last digit of some.
    """
    import numpy as np

    return np.where(np.equal(y, 2.0), np.multiply(x, x), np.power(x, y + np.zeros_like(x)))


def _functions(module: Any) -> dict[str, Function]:
    """The functions of a module with NumPy's interface, by the name of the primitive."""
    where = module.where

    def remainder(a: Any, b: Any) -> Any:
        rest = module.fmod(a, b)  # which has the sign of a
        floored = where((rest < 0.0) != (b < 0.0), rest + b, rest)
        return where(rest == 0.0, module.copysign(0.0, b), floored)

    # The choices are written out: of 0 and −0, the functions of the modules do not choose as the table does.
    return {
        "add": module.add,
        "subtract": module.subtract,
        "multiply": module.multiply,
        "divide": module.divide,
        "negate": module.negative,
        "abs": module.abs,
        "remainder": remainder,
        "power": lambda x, y: module.where(module.equal(y, 2.0), x * x, module.power(x, y)),
        "greater": lambda a, b: where(a > b, 1.0, 0.0),
        "where": lambda condition, a, b: where(condition != 0.0, a, b),
        "maximum": lambda a, b: where((a >= b) | (a != a), a, b),
        "minimum": lambda a, b: where((a <= b) | (a != a), a, b),
        "sign": lambda x: where((x == 0.0) | (x != x), x, module.copysign(1.0, x)),
        "atan2": module.arctan2,
        "hypot": module.hypot,
        **{name: getattr(module, _numpy_name(name)) for name in SAME_NAMES},
    }


def _numpy_name(name: str) -> str:
    """NumPy's name of a function of one number: arcsin for asin."""
    return f"arc{name[1:]}" if name[0] == "a" else name


class Sources:
    """Which array holds the number of each place, and at which index. The arrays have one dimension.

    Args:
        arrays: what reads and reshapes them.
    """

    def __init__(self, arrays: Arrays) -> None:
        self.arrays = arrays
        self.sizes: list[int] = []
        self._array = np.zeros(0, np.int64)
        self._index = np.zeros(0, np.int64)

    def put(self, places: Integers, indices: Integers | None = None, size: int | None = None) -> None:
        """Let a further array hold the numbers of some places.

        Args:
            places: the places.
            indices: for each its index in the array; 0, 1, … when not given.
            size: of the array, if it holds more than that.
        """
        missing = int(places.max(initial=-1)) + 1 - len(self._array)
        if missing > 0:
            self._array = np.concatenate([self._array, np.full(missing, ABSENT)])
            self._index = np.concatenate([self._index, np.zeros(missing, np.int64)])
        self._array[places] = len(self.sizes)
        self._index[places] = np.arange(len(places)) if indices is None else indices
        self.sizes.append(len(places) if size is None else size)

    def has(self, places: Integers) -> bool:
        """Whether there is an array for each of these places."""
        return bool((places < len(self._array)).all() and (self._array[places] != ABSENT).all())

    def read(self, places: Integers) -> Reading:
        """What reads the numbers of some places.

        Args:
            places: the places, in an array of any shape.

        Returns:
            A function of the arrays, in the order in which they were put. It gives an array of the shape of `places`.
        """
        flat, shape = places.ravel(), places.shape
        if not len(flat):
            return lambda given: given[0][:0].reshape(shape)
        arrays, indices = self._array[flat], self._index[flat]
        starts = [0, *(np.flatnonzero(np.diff(arrays)) + 1).tolist()]
        if len(starts) > MOST_PIECES:
            return self._read_by_index(arrays, indices, shape)
        pieces = [
            (int(arrays[start]), _Piece.of(indices[start:end], self.sizes[arrays[start]]))
            for start, end in zip(starts, [*starts[1:], len(flat)], strict=True)
        ]

        def run(given: Sequence[Any]) -> Any:
            return self._together([piece.read(given[array], self.arrays) for array, piece in pieces]).reshape(shape)

        return run

    def _read_by_index(self, arrays: Integers, indices: Integers, shape: tuple[int, ...]) -> Reading:
        """Read from the arrays put together: of each, from the first to the last index that is used."""
        used = np.unique(arrays)
        ranges = [(int(indices[arrays == array].min()), int(indices[arrays == array].max()) + 1) for array in used]
        ends = np.cumsum([end - start for start, end in ranges])
        shifts = np.array([last - end for last, (_, end) in zip(ends.tolist(), ranges, strict=True)])
        index = indices + shifts[np.searchsorted(used, arrays)]

        def run(given: Sequence[Any]) -> Any:
            parts = [given[array][start:end] for array, (start, end) in zip(used.tolist(), ranges, strict=True)]
            return self.arrays.take(self._together(parts), index).reshape(shape)

        return run

    def _together(self, parts: list[Any]) -> Any:
        return self.arrays.module.concatenate(parts) if len(parts) > 1 else parts[0]


class _Cut(NamedTuple):
    """How the last axis of an array is cut: from `start` on, into a number of parts of one length."""

    start: int
    parts: int
    length: int


class _Piece(NamedTuple):
    """Indices of one array as nested loops: for each axis a count and a step.

    Attributes:
        indices: the indices.
        axes: count and step of each loop, the outermost first; None where there are no such loops.
        cuts: how an array is cut into these axes, in the order of their steps; with the last slice.
    """

    indices: Integers
    axes: tuple[tuple[int, int], ...] | None
    cuts: tuple[_Cut, ...] = ()
    last: slice = slice(None)

    @classmethod
    def of(cls, indices: Integers, size: int) -> _Piece:
        """The loops of indices of an array of some size."""
        axes = loops_of(indices)
        if axes is None:
            return cls(indices, None)
        first = int(indices[0]) + sum((count - 1) * step for count, step in axes if step < 0)
        inner = sorted([(abs(step), count) for count, step in axes if step], reverse=True)
        cuts, length = [], size
        while len(inner) > 1:
            (step, count), *inner = inner
            extent = 1 + sum((many - 1) * each for each, many in inner)
            start = min(first, length - count * step)
            first, length = first - start, step
            if start < 0 or first + extent > step:
                return cls(indices, None)
            cuts.append(_Cut(start, count, step))
        step, count = inner[0] if inner else (1, 1)
        return cls(indices, axes, tuple(cuts), slice(first, first + (count - 1) * step + 1, step))

    def read(self, array: Any, arrays: Arrays) -> Any:
        """The numbers at the indices, in one dimension."""
        if self.axes is None:
            return arrays.take(array, self.indices)
        shape: tuple[int, ...] = ()
        for start, parts, length in self.cuts:
            array = array[..., start : start + parts * length].reshape(*shape, parts, length)
            shape = (*shape, parts)
        array = array[..., self.last]
        steps = [step for _, step in self.axes if step]
        order = sorted(range(len(steps)), key=lambda axis: -abs(steps[axis]))
        if order != sorted(order):
            array = array.transpose(np.argsort(order).tolist())
        if any(step < 0 for step in steps):
            array = arrays.module.flip(array, [axis for axis, step in enumerate(steps) if step < 0])
        counts = tuple([count for count, _ in self.axes])
        if len(steps) < len(counts):
            array = array.reshape([count if step else 1 for count, step in self.axes])
            array = arrays.module.broadcast_to(array, counts)
        return array.reshape(math.prod(counts))


def loops_of(indices: Integers) -> tuple[tuple[int, int], ...] | None:
    """Indices as nested loops: for each the count and the step, the outermost first; None if they are no such loops.

    >>> loops_of(np.array([4, 5, 6, 0, 1, 2])), loops_of(np.array([0, 2, 3]))
    (((2, -4), (3, 1)), None)
    """
    axes: list[tuple[int, int]] = []
    while len(indices) > 1:
        steps = np.diff(indices)
        changes = np.flatnonzero(steps != steps[0])
        count = int(changes[0]) + 1 if len(changes) else len(indices)
        if len(indices) % count or len(axes) == MOST_AXES:
            return None
        rows = indices.reshape(-1, count)
        if (np.diff(rows, axis=1) != steps[0]).any():
            return None
        axes.insert(0, (count, int(steps[0])))
        indices = rows[:, 0]
    return tuple(axes)


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
        """Run it once with one float for each input, and return the first output.

        Raises:
            ValueError: if there is not one float for each input, or if there is no output or one that varies.
            TypeError: if an argument is not a real number.
        """
        if len(arguments) != self.code.inputs or not len(self.code.outputs) or self.lanes:
            raise ValueError(f"{len(arguments)} arguments, not {self.code.inputs}; {len(self.code.outputs)} outputs")
        result = np.empty((1, len(self.code.outputs)))
        self.run(1, np.array(array("d", arguments)), [], [result])
        return float(result[0, 0])

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
            How many examples or times were done, and whether all results and the state are finite. An interrupt ends
            a run that has a state after a whole time.

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
            done = count
        else:
            done = self._run_times(memory, count, inputs, tables, results, state)
        if not self._spare:
            self._spare.append(memory)
        written = [inputs[:state], *[result[:done] for result in results]]
        return done, all(bool(np.isfinite(part).all()) for part in written)

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
    ) -> int:
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
        except KeyboardInterrupt:
            if not state:
                raise
        finally:
            inputs[:state] = committed[1]
        return committed[0]

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
        self.uniform, self.varying = np.zeros(code.uniform_size), np.zeros((code.varying_size, lanes))
        for place, number in code.constants.items():
            self.uniform[place] = number
        kinds: dict[type, Callable[[Any], Step]] = {
            Map: self._map, Sum: self._sum, Matrix: self._matrix, Chain: self._chain, Total: self._total,
        }  # fmt: skip
        self.once = [kinds[type(group)](group) for group in code.groups]
        self.each = [kinds[type(group)](group) for group in (*code.varying_groups, *code.totals)]

    @staticmethod
    def run(steps: Sequence[Step]) -> None:
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

    def _map(self, group: Map) -> Step:
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

    def _call(self, function: Function, out: Floats, readers: Sequence[Callable[[], Floats]], varies: bool) -> Step:
        """Return the step of a primitive that is not in the table: Python's own function for each number."""

        def step() -> None:
            if varies:
                out[:, : self.valid] = function(*[reader()[:, : self.valid] for reader in readers])
            else:
                out[:] = function(*[reader() for reader in readers])

        return step

    def _sum(self, group: Sum) -> Step:
        out, sides = self._out(group), [side for side in (group.terms, group.factors) if side]
        if not group.varies:
            indices = [np.array([operand.places(group.count) for operand in side]) for side in sides]
            return lambda: _add_up(math.prod([self.uniform.take(index) for index in indices]), out)
        readers = [[self._reader(operand, group) for operand in side] for side in sides]
        return self._adder(out, [partial(_product, *term) for term in zip(*readers, strict=True)])

    def _matrix(self, group: Matrix) -> Step:
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
    def _adder(out: Floats, terms: Sequence[Callable[[Any], object]]) -> Step:
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

    def _chain(self, group: Chain) -> Step:
        """Return the step of a chain: a call of Python for each link, on a list of floats."""
        places, ends = group.operands.tolist(), group.starts.tolist()
        links = []
        for code, start, end in zip(group.codes.tolist(), ends, ends[1:], strict=False):
            primitive = TABLE[code - 1] if code <= len(TABLE) else self.code.others[code]
            links.append((primitive, primitive.value, places[start:end]))

        def step() -> None:
            numbers = self.uniform[: group.out].tolist()
            for primitive, value, operands in links:
                try:
                    numbers.append(value(*[numbers[place] for place in operands]))
                except (ValueError, ArithmeticError):  # noqa: PERF203  # as for the primitive itself, without a call more
                    numbers.append(primitive(*[numbers[place] for place in operands]))
            self.uniform[group.out : group.out + group.count] = numbers[group.out :]

        return step

    def _total(self, group: Total) -> Step:
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


def instruction_set() -> str:
    """Return the name of the kernels that run: those of NumPy."""
    return "numpy"


def has_chain_step(code: int) -> bool:
    """Return whether a primitive, by its code, can be a step of a chain: any of the table can."""
    return code <= len(PRIMITIVES)


def lanes_for(code: Code, count: int) -> int:
    """Return how many examples are run side by side: a multiple of 8, such that their numbers stay in the cache.

    Blocks are as large as each other, or nearly so.
    """
    is_large = sum([total.count for total in code.totals]) > LARGE
    memory, lanes = (LARGE_LANE_MEMORY, MOST_LARGE_LANES) if is_large else (LANE_MEMORY, MOST_LANES)
    size = max(code.varying_size, 1)
    if not is_large:
        lanes = max(lanes, min(MOST_SMALL_LANES, SMALL_LANE_MEMORY // size))
    most = max(8, min(memory // size, lanes) // 8 * 8)
    blocks = max(1, -(-count // most))
    lanes = -(-count // blocks)
    return max(8, lanes + -lanes % 8)


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


ARRAYS = Arrays(np)
