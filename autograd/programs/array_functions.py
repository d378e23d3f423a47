"""A lowered program as a function of arrays that keeps no memory: each step makes an array from those before it.

>>> from autograd import Value, dot
>>> from autograd.programs.lowering import lower
>>> from autograd.programs.program import Program
>>> w, x = [Value(1.0) for _ in range(6)], [Value(1.0) for _ in range(2)]
>>> program = Program.of([dot(w[i : i + 2], x) for i in (0, 2, 4)], inputs=[*w, *x])
>>> layer = ArrayFunction(lower(program, deep=1, shares_places=False), [6, 2], [(3,)], Arrays(np))
>>> layer([np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), np.array([1.0, 10.0])], np.float64)
[array([21., 43., 65.])]

Groups are made for loops in C, which read memory in order. A function of arrays takes about a microsecond before it
computes anything. So groups of one kind that do not read each other are joined to one step, also where their sums have
different numbers of terms: a zero takes the place of each term that is missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd.programs.array_reads import Reading, Sources
from autograd.programs.array_rules import Arrays
from autograd.programs.groups import Code, Dots, Group, Map, Matrix, Sum, blocks_of
from autograd.programs.lowering.products import plan_of

if TYPE_CHECKING:
    from autograd.programs.groups import Integers

SMALL = 1 << 14  # multiplications that take about as long as a function of arrays that computes nothing
WASTE = 1.25  # how much more work it may become when groups are joined, if it is not small


class ArrayFunction:
    """A lowered program as a function of arrays.

    Args:
        code: the program: without a tape, without numbers that vary over the examples of a batch, and with a place for
            each number.
        inputs: how many numbers each array of inputs holds. Together they are the inputs of the program.
        outputs: the shape of each array of outputs. Together they are the outputs of the program.
        arrays: what runs the rules of the table on arrays.

    Raises:
        TypeError: if the program has a primitive that the module of the arrays cannot compute.
    """

    def __init__(self, code: Code, inputs: Sequence[int], outputs: Sequence[tuple[int, ...]], arrays: Arrays) -> None:
        self.arrays, self.sources = arrays, Sources(arrays)
        self.zero = code.uniform_size  # the place of the number that is read where terms are missing
        start = 0
        for size in inputs:
            self.sources.put(np.arange(start, start + size))
            start += size
        self.constants = {**code.constants, self.zero: 0.0}
        self.sources.put(np.array(list(self.constants)))
        self.steps = [self._step(groups) for groups in self._joined(code.groups)]
        self.results, start = [], 0
        for shape in outputs:
            end = start + math.prod(shape)
            self.results.append(self.sources.read(np.asarray(code.outputs)[start:end].reshape(shape)))
            start = end

    def __call__(self, inputs: Sequence[Any], dtype: Any) -> list[Any]:
        """The arrays of outputs.

        Args:
            inputs: the arrays of inputs, of one dimension.
            dtype: the type of their numbers, in which everything is computed.
        """
        as_array = self.arrays.module.asarray
        arrays = [*inputs, as_array(np.array(list(self.constants.values())), dtype)]
        for step in self.steps:
            arrays.append(as_array(step(arrays), dtype))
        return [read(arrays) for read in self.results]

    def _joined(self, groups: Sequence[Group]) -> Iterator[list[Any]]:
        """Lists of groups that follow each other: those that are computed together."""
        joined: list[Any] = []
        for group in map(_as_product, groups):
            if joined and not self._fits(group, joined):
                yield joined
                joined = []
            joined.append(group)
        if joined:
            yield joined

    def _fits(self, group: Group, joined: list[Any]) -> bool:
        """Whether a group is computed together with others: it is of their kind, and does not read them."""
        first = joined[0]
        is_of_their_kind = isinstance(group, Matrix if isinstance(first, Matrix) else type(first))
        if not is_of_their_kind or not all(self.sources.has(places) for _, places in group.reads()):
            return False
        if isinstance(first, Map):
            return isinstance(group, Map) and (group.code, len(group.operands)) == (first.code, len(first.operands))
        together = [*joined, group]
        if isinstance(group, Matrix):
            work = _Products.of(together, self.zero).work()
        else:
            work = max(map(_terms, together)) * sum(each.count for each in together)
        return work <= SMALL or work <= WASTE * sum(_terms(each) * each.count for each in together)

    def _step(self, groups: list[Any]) -> Reading:
        """What computes groups of one kind; from then on, they can be read."""
        if isinstance(groups[0], Matrix):
            return self._products(_Products.of(groups, self.zero))
        step = self._map(groups) if isinstance(groups[0], Map) else self._sums(groups)
        self.sources.put(np.concatenate([np.arange(group.out, group.out + group.count) for group in groups]))
        return step

    def _map(self, groups: list[Map]) -> Reading:
        primitive, count, module = groups[0].primitive, sum(group.count for group in groups), self.arrays.module
        assert primitive is not None, "no number varies over examples"
        self.arrays.function(primitive)  # it may refuse
        compute = partial(self.arrays.compute, primitive)
        operands = [
            self._operand(np.concatenate([group.operands[i].places(group.count) for group in groups]))
            for i in range(len(groups[0].operands))
        ]
        return lambda arrays: module.broadcast_to(compute(*[operand(arrays) for operand in operands]), (count,))

    def _operand(self, places: Integers) -> Reading:
        """What reads an operand of a map: one number is read once, and a constant as a float."""
        if (places != places[0]).any():
            return self.sources.read(places)
        number = self.constants.get(int(places[0]))
        return self.sources.read(places[:1]) if number is None else lambda arrays: number

    def _sums(self, groups: Sequence[Sum | Dots]) -> Reading:
        """Sums of terms, or of products of two factors: a row of places for each term, a column for each result."""
        sides = ("terms",) if isinstance(groups[0], Sum) else ("lefts", "rights")
        most, count = max(_terms(group) for group in groups), sum(group.count for group in groups)
        reads = []
        for side in sides:
            places, start = np.full((most, count), self.zero), 0
            for group in groups:
                for row, factor in enumerate(getattr(group, side)):
                    places[row, start : start + group.count] = factor.places(group.count)
                start += group.count
            reads.append(self.sources.read(places))
        return lambda arrays: math.prod([read(arrays) for read in reads]).sum(0)

    def _products(self, products: _Products) -> Reading:
        size = products.size()
        self.sources.put(products.places, products.indices, size)
        rows, columns = self.sources.read(products.rows), self.sources.read(products.columns)
        multiply = partial(self.arrays.module.einsum, "prt,pct->prc")
        return lambda arrays: multiply(rows(arrays), columns(arrays)).reshape(size)


@dataclass
class _Product(Matrix):
    """A matrix product whose results do not stand in the order of their places.

    Attributes:
        order: for each result, which of the places from `out` on it has.
    """

    order: Integers


def _as_product(group: Group) -> Group:
    """A group; as a matrix product, if it is one of dot products that share many of their factors.

    A loop in C may be faster without it, since it has to copy rows or columns together first.
    """
    if isinstance(group, Dots):
        lefts, rights = (
            np.stack([factor.places(group.count) for factor in side], axis=1) for side in (group.lefts, group.rights)
        )
        plan = plan_of(lefts, rights, is_packed=False)
        if plan.is_worth_it():
            order, rows, columns, runs = plan
            return _Product(rows, columns, False, False, runs, group.out, False, group.count, order)
    return group


class _Part(NamedTuple):
    """A part of a matrix product: some runs of results, as rows and columns that hold all of them.

    Attributes:
        group: the matrix product.
        runs: the indices of the runs.
        rows: the rows that they have.
        row: for each run, which of these it has.
        first, end: the columns that they have.
    """

    group: Matrix
    runs: Integers
    rows: Integers
    row: Integers
    first: int
    end: int

    @classmethod
    def of(cls, group: Matrix, runs: Integers) -> _Part:
        """The part of some runs."""
        rows, row = np.unique(group.runs[runs, 0], return_inverse=True)
        _, firsts, lengths = group.runs[runs].T
        return cls(group, runs, rows, row.reshape(-1), int(firsts.min()), int((firsts + lengths).max()))


class _Products(NamedTuple):
    """Matrix products side by side, all of one size: each row with each column.

    Attributes:
        rows, columns: the places of the factors, by product, by row or column, and by term.
        places: the places of the results that are wanted.
        indices: where each of these is among all results.
    """

    rows: Integers
    columns: Integers
    places: Integers
    indices: Integers

    @classmethod
    def of(cls, groups: Sequence[Matrix], zero: int) -> _Products:
        """The products of some groups, in parts that take the least work; of those in the fewest parts.

        Args:
            groups: the groups.
            zero: the place of a zero, for what is missing in a part.
        """
        ways = [[_Part.of(group, runs) for group in groups for runs in cut(group.runs)] for cut in CUTS]
        parts = min(ways, key=lambda parts: (len(parts) * math.prod(_sizes(parts)), len(parts)))
        row_count, column_count, terms = _sizes(parts)
        rows = np.full((len(parts), row_count, terms), zero)
        columns = np.full((len(parts), column_count, terms), zero)
        places, indices = [], []
        for number, (group, runs, members, row, first, end) in enumerate(parts):
            rows[number, : len(members), : _terms(group)] = group.rows[members]
            columns[number, : end - first, : _terms(group)] = group.columns[first:end]
            lengths = group.runs[:, 2]
            order = group.order if isinstance(group, _Product) else np.arange(group.count)
            places.append(group.out + order[_spread((np.cumsum(lengths) - lengths)[runs], lengths[runs])])
            starts = (number * row_count + row) * column_count + group.runs[runs, 1] - first
            indices.append(_spread(starts, lengths[runs]))
        return cls(rows, columns, np.concatenate(places), np.concatenate(indices))

    def size(self) -> int:
        """How many results there are."""
        count, row_count, _ = self.rows.shape
        return int(count * row_count * self.columns.shape[1])

    def work(self) -> int:
        """How many multiplications they take."""
        return self.size() * int(self.rows.shape[2])


def _whole(runs: Integers) -> list[Integers]:
    """All runs together."""
    return [np.arange(len(runs))]


def _by_columns(runs: Integers) -> list[Integers]:
    """Runs of which none shares a column with a run of another part."""
    order = np.argsort(runs[:, 1], kind="stable")
    ends = np.maximum.accumulate(runs[order, 1] + runs[order, 2])
    return np.split(order, np.flatnonzero(runs[order[1:], 1] >= ends[:-1]) + 1)


def _by_blocks(runs: Integers) -> list[Integers]:
    """Runs that have the same columns."""
    return [np.arange(start, start + count) for start, count, _, _ in blocks_of(runs)]


CUTS = (_whole, _by_columns, _by_blocks)


def _sizes(parts: Sequence[_Part]) -> tuple[int, int, int]:
    """How many rows, columns and terms parts have at most."""
    rows, columns = max(len(part.rows) for part in parts), max(part.end - part.first for part in parts)
    return rows, columns, max(_terms(part.group) for part in parts)


def _spread(starts: Integers, lengths: Integers) -> Integers:
    """For each start the numbers that follow it, as many as the length says."""
    return np.repeat(starts - np.cumsum(lengths) + lengths, lengths) + np.arange(int(lengths.sum()))


def _terms(group: Sum | Dots | Matrix) -> int:
    """How many terms each result of a group has."""
    if isinstance(group, Matrix):
        return int(group.rows.shape[1])
    return len(group.terms if isinstance(group, Sum) else group.lefts)
