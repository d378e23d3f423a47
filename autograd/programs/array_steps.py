"""The groups of a lowered program as functions that run them on arrays of NumPy.

>>> import numpy as np
>>> from autograd.primitives import PRIMITIVES
>>> from autograd.programs.groups import CONTIGUOUS, Code, Map, Operand
>>> group = Map(PRIMITIVES["negate"], PRIMITIVES["negate"].index, 2, False, 2, [Operand(False, CONTIGUOUS, 0)])
>>> code = Code(4, 0, 2, 0, {}, [group], [], [], np.array([2, 3]), np.zeros(2, bool))
>>> uniform = np.array([1.0, 2.0, 0.0, 0.0])
>>> negate = Steps(code, uniform, np.zeros((0, 0))).of(group)
>>> _ = negate()
>>> uniform
array([ 1.,  2., -1., -2.])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from autograd.primitives import PRIMITIVES, Primitive
from autograd.programs.array_rules import Arrays, by_element
from autograd.programs.groups import (
    CONTIGUOUS,
    GATHERED,
    Code,
    Dots,
    Group,
    Map,
    Matrix,
    Operand,
    OuterTotals,
    Sum,
    Tape,
    Totals,
)

if TYPE_CHECKING:
    from autograd.programs.groups import Floats, Integers

FEW = 64  # sums side by side, up to which one call that accumulates is faster than a call for each term
ARRAYS = Arrays(np)

Step: TypeAlias = Callable[[], object]


class Steps:
    """Makes functions without arguments that read and write the memories of a program.

    Args:
        code: the program.
        uniform: its memory of numbers that are there once.
        varying: its memory of numbers that are there once for each lane.

    Attributes:
        valid: how many lanes are in use.
    """

    def __init__(self, code: Code, uniform: Floats, varying: Floats) -> None:
        self.code, self.uniform, self.varying = code, uniform, varying
        self.valid = varying.shape[1]

    def of(self, group: Group) -> Step:
        """The step of a group."""
        if isinstance(group, Map):
            return self._map(group)
        if isinstance(group, Matrix):
            return self._matrix(group)
        if isinstance(group, Sum):
            return self._sum(group)
        if isinstance(group, Dots):
            return self._dots(group)
        return self._tape(group)

    def _out(self, group: Group) -> Floats:
        """Where a group's results go: a view of one of the memories."""
        memory = self.varying if group.varies else self.uniform
        return memory[group.out : group.out + group.count]

    def _reader(self, operand: Operand, group: Group) -> Callable[[], Floats]:
        """A function that gives an operand of a group, in a shape that fits the results."""
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
            return self._call(primitive, out, readers, group.varies)
        function = ARRAYS.function(primitive)
        if isinstance(function, np.ufunc):
            ufunc = function
            if all(operand.mode != GATHERED for operand in group.operands):
                return partial(ufunc, *[reader() for reader in readers], out)
            return lambda: ufunc(*[reader() for reader in readers], out)
        compute = partial(ARRAYS.compute, primitive)
        return lambda: np.copyto(out, compute(*[reader() for reader in readers]))

    def _call(self, primitive: Primitive, out: Floats, readers: Sequence[Callable[[], Floats]], varies: bool) -> Step:
        """A primitive that is not in the table: Python's own function for each number."""
        function = by_element(primitive)

        def step() -> None:
            if varies:
                out[:, : self.valid] = function(*[reader()[:, : self.valid] for reader in readers])
            else:
                out[:] = function(*[reader() for reader in readers])

        return step

    def _sum(self, group: Sum) -> Step:
        out = self._out(group)
        if not group.varies:
            index = _index(group.terms, group.count)
            return lambda: _add_up(self.uniform.take(index), out)
        first, *others = [self._reader(term, group) for term in group.terms]

        def step() -> None:
            np.copyto(out, first())
            for term in others:
                np.add(out, term(), out)

        return step

    def _dots(self, group: Dots) -> Step:
        out = self._out(group)
        if not group.varies:
            left_index, right_index = _index(group.lefts, group.count), _index(group.rights, group.count)
            return lambda: _add_up(self.uniform.take(left_index) * self.uniform.take(right_index), out)
        pairs = [
            (self._reader(left, group), self._reader(right, group))
            for left, right in zip(group.lefts, group.rights, strict=True)
        ]
        product = np.empty_like(out)

        def step() -> None:
            target = out
            for left, right in pairs:
                np.multiply(left(), right(), target)
                if target is product:
                    np.add(out, product, out)
                target = product

        return step

    def _matrix(self, group: Matrix) -> Step:
        """The products of each row with each column, term after term."""
        out, varies = self._out(group), group.varies
        rows, columns = (np.ascontiguousarray(part.T) for part in (group.rows, group.columns))  # a row for each term
        row, first, length = group.runs.T
        row_count, column_count = rows.shape[1], columns.shape[1]
        is_grid = np.array_equal(row, np.arange(row_count)) and not first.any() and (length == column_count).all()
        left_shape: tuple[int, ...] = (-1, 1) if is_grid else (-1,)
        if varies:
            left_shape += (self.varying.shape[1] if group.rows_vary else 1,)
        if is_grid:
            out = out.reshape(row_count, column_count, *out.shape[1:])
        else:  # the factors of each result by themselves
            starts = np.repeat(np.cumsum(length) - length, length)
            rows = rows[:, np.repeat(row, length)]
            columns = columns[:, np.repeat(first, length) + np.arange(group.count) - starts]
        memory = self.varying if varies else self.uniform
        row_memory = self.varying if group.rows_vary else self.uniform
        if out.size <= FEW:

            def add_few() -> None:
                rights = memory.take(columns, 0)
                lefts = row_memory.take(rows, 0).reshape(len(rows), *left_shape)
                _add_up(lefts * (rights[:, None] if is_grid else rights), out)

            return add_few
        product = np.empty_like(out)

        def step() -> None:
            lefts = row_memory.take(rows, 0)
            target = out
            for left, places in zip(lefts, columns, strict=True):
                np.multiply(left.reshape(left_shape), memory.take(places, 0), target)
                if target is product:
                    np.add(out, product, out)
                target = product

        return step

    def _tape(self, group: Tape) -> Step:
        """Each step of a tape as a call of Python, on a list of floats."""
        table = list(PRIMITIVES.values())
        places, ends = group.operands.tolist(), group.starts.tolist()
        steps = []
        for code, start, end in zip(group.codes.tolist(), ends, ends[1:], strict=False):
            primitive = table[code - 1] if code <= len(table) else self.code.others[code]
            steps.append((primitive, primitive.value, places[start:end]))

        def step() -> None:
            numbers = self.uniform[: group.out].tolist()
            for primitive, value, operands in steps:
                try:
                    numbers.append(value(*[numbers[place] for place in operands]))
                except (ValueError, ArithmeticError):  # noqa: PERF203  # as for the primitive itself, without a call more
                    numbers.append(primitive(*[numbers[place] for place in operands]))
            self.uniform[group.out : group.out + group.count] = numbers[group.out :]

        return step

    def of_total(self, total: Totals | OuterTotals) -> Step:
        """Add the numbers of the lanes in use to the totals, lane after lane."""
        outs = total.outs
        if isinstance(total, OuterTotals):
            lefts, rights = total.lefts, total.rights
            grid_outs = outs.reshape(len(lefts), len(rights))

            def add_outer() -> None:
                left = self.varying.take(lefts, 0).T[: self.valid, :, None]
                right = self.varying.take(rights, 0).T[: self.valid, None, :]
                grid = self.uniform.take(grid_outs)
                if grid.size <= FEW:
                    _add_up(np.concatenate([grid[None], left * right]), grid)
                else:
                    for i in range(self.valid):
                        np.add(grid, left[i] * right[i], grid)
                self.uniform[grid_outs] = grid

            return add_outer
        places = total.places

        def add() -> None:
            found = self.uniform.take(outs)
            numbers = self.varying.take(places, 0).T[: self.valid]
            _add_up(np.concatenate([found[None], numbers]), found)
            self.uniform[outs] = found

        return add


def _index(operands: Sequence[Operand], count: int) -> Integers:
    """The places of operands: a row for each, a column for each member."""
    return np.array([operand.places(count) for operand in operands])


def _add_up(terms: Floats, out: Floats) -> None:
    """Write the sum over the first axis, added in order."""
    if out.size <= FEW:
        np.copyto(out, np.add.accumulate(terms, 0)[-1])
        return
    np.copyto(out, terms[0])
    for term in terms[1:]:
        np.add(out, term, out)
