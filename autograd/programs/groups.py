"""Groups: many instructions of one kind that are run as one, and the places of their numbers in memory.

There are two memories. A *uniform* number is there once. A number that *varies* over the examples of a batch is there
once for each *lane*, side by side. Places count numbers in either memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, NamedTuple, TypeAlias

import numpy as np

from autograd.primitives import PRIMITIVES, Primitive

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]
    Truths = NDArray[np.bool_]
    Floats = NDArray[np.float64]

Read: TypeAlias = "tuple[bool, Integers]"  # which memory, whether the varying one; and places in it

NO_STEP = -(2**62)
CONTIGUOUS, SINGLE, GATHERED = range(3)  # how an operand of a group is read: one after another, the same one, by index


class Operand(NamedTuple):
    """Where the members of a group find one of their operands.

    Attributes:
        varies: in which memory.
        mode: CONTIGUOUS, SINGLE or GATHERED.
        place: of the first one.
        gathered: the place for each member, if they are gathered; else None.
    """

    varies: bool
    mode: int
    place: int
    gathered: Integers | None = None

    def places(self, count: int) -> Integers:
        """The place for each member."""
        if self.gathered is not None:
            return self.gathered
        return self.place + np.arange(count) * (self.mode == CONTIGUOUS)

    def __str__(self) -> str:
        space = "v" if self.varies else "u"
        text = f"{space}{self.place}"
        return {CONTIGUOUS: f"{text}…", SINGLE: text, GATHERED: f"{text}, …"}[self.mode]


@dataclass
class Map:
    """One primitive applied to many operands. `out` is the place of the first result; the others follow.

    The primitive is None where numbers are copied to the lanes of each.
    """

    primitive: Primitive | None
    code: int
    out: int
    varies: bool
    count: int
    operands: list[Operand]

    def work(self) -> int:
        """How many operations it takes."""
        return self.count

    def reads(self) -> list[Read]:
        """Where it reads: for each operand, or in all, in which memory, and the places."""
        return _places_of(self.operands, self.count)


@dataclass
class Sum:
    """Sums of as many terms each, added in the order of the terms."""

    terms: list[Operand]
    out: int
    varies: bool
    count: int

    def work(self) -> int:
        """How many operations it takes."""
        return self.count * len(self.terms)

    def reads(self) -> list[Read]:
        """Where it reads: for each operand, or in all, in which memory, and the places."""
        return _places_of(self.terms, self.count)


@dataclass
class Dots:
    """Dot products of as many terms each, added in the order of the terms, of factors that no others share."""

    lefts: list[Operand]
    rights: list[Operand]
    out: int
    varies: bool
    count: int

    def work(self) -> int:
        """How many operations it takes."""
        return 2 * self.count * len(self.lefts)

    def reads(self) -> list[Read]:
        """Where it reads: for each operand, or in all, in which memory, and the places."""
        return _places_of([*self.lefts, *self.rights], self.count)


@dataclass
class Matrix:
    """Dot products of rows with columns: all of them, or of each row with a range of columns.

    Attributes:
        rows: for each row the places of its factors, in the memory that `rows_vary` says.
        columns: likewise for each column.
        runs: for each run of results the row, the first column, and how many columns.
    """

    rows: Integers
    columns: Integers
    rows_vary: bool
    columns_vary: bool
    runs: Integers
    out: int
    varies: bool
    count: int

    def work(self) -> int:
        """How many operations it takes."""
        return 2 * self.count * int(self.rows.shape[1])

    def reads(self) -> list[Read]:
        """Where it reads: for each operand, or in all, in which memory, and the places."""
        return [(self.rows_vary, self.rows.ravel()), (self.columns_vary, self.columns.ravel())]

    def row_steps(self) -> list[int | None]:
        """For each block of runs the step by which the places of all its rows go up, if there is one."""
        steps = np.diff(self.rows, axis=1) if self.rows.shape[1] > 1 else np.ones((len(self.rows), 1), np.int64)
        own = np.where((steps == steps[:, :1]).all(axis=1), steps[:, 0], NO_STEP)[self.runs[:, 0]].tolist()
        found = [set(own[start : start + count]) for start, count, _, _ in blocks_of(self.runs)]
        return [steps.pop() if len(steps) == 1 and NO_STEP not in steps else None for steps in found]

    def columns_in_place(self) -> list[bool]:
        """For each block of runs whether the numbers of its columns stand side by side, for each term."""
        breaks = np.cumsum([0, *(np.diff(self.columns, axis=0) != 1).any(axis=1)]).tolist()
        return [breaks[first + length - 1] == breaks[first] for _, _, first, length in blocks_of(self.runs)]


@dataclass
class Totals:
    """Sums over the lanes of numbers that vary.

    Attributes:
        places: of the numbers.
        outs: the uniform place of each total.
    """

    places: Integers
    outs: Integers

    @property
    def count(self) -> int:
        """How many totals there are."""
        return len(self.places)

    def reads(self) -> list[Read]:
        """Where it reads: for each operand, or in all, in which memory, and the places."""
        return [(True, self.places)]


@dataclass
class OuterTotals:
    """Sums over the lanes of the products of each number of one list with each of another.

    Attributes:
        lefts, rights: the places of the numbers.
        out: the uniform place of the first total; those of one left number stand side by side.
        row_step: from the totals of one left number to those of the next.
    """

    lefts: Integers
    rights: Integers
    out: int
    row_step: int

    @property
    def count(self) -> int:
        """How many totals there are."""
        return len(self.lefts) * len(self.rights)

    @property
    def outs(self) -> Integers:
        """The uniform place of each total, row after row."""
        rows = self.out + self.row_step * np.arange(len(self.lefts))
        return (rows[:, None] + np.arange(len(self.rights))).ravel()

    def reads(self) -> list[Read]:
        """Where it reads: for each operand, or in all, in which memory, and the places."""
        return [(True, self.lefts), (True, self.rights)]


@dataclass
class Tape:
    """Instructions one after another, each with a result at the next place: for programs that are deep and narrow.

    Attributes:
        codes, starts, operands: as of `Instructions`, but with the places of the operands.
    """

    codes: Integers
    starts: Integers
    operands: Integers
    out: int
    varies: bool = False

    SUM: ClassVar[int] = PRIMITIVES["sum"].index
    DOT: ClassVar[int] = PRIMITIVES["dot"].index

    @property
    def count(self) -> int:
        """How many instructions there are."""
        return len(self.codes)

    def work(self) -> int:
        """How many operations it takes."""
        return len(self.operands)

    def reads(self) -> list[Read]:
        """Likewise, of what it does not compute itself."""
        return [(False, self.operands[self.operands < self.out])]


Group: TypeAlias = Map | Sum | Dots | Matrix | Tape
Total: TypeAlias = Totals | OuterTotals


@dataclass
class Code:
    """A lowered program.

    Attributes:
        uniform_size, varying_size: how many numbers the memories hold.
        inputs: how many of the first uniform numbers are inputs.
        varying_inputs: how many of the first varying numbers are inputs.
        constants: numbers at uniform places.
        groups: the groups whose results are uniform, in order; run once.
        varying_groups: the groups whose results vary, in order; run for each block of examples.
        totals: the sums over the examples; run after the varying groups of each block.
        outputs: the place of each output; in the memory that `output_varies` says.
        output_varies: of each output.
        others: the primitives that are not in the table, by code.
    """

    uniform_size: int
    varying_size: int
    inputs: int
    varying_inputs: int
    constants: dict[int, float]
    groups: list[Group]
    varying_groups: list[Group]
    totals: list[Total]
    outputs: Integers
    output_varies: Truths
    others: dict[int, Primitive] = field(default_factory=dict)

    def all_groups(self) -> Iterator[Group]:
        """Every group."""
        yield from self.groups
        yield from self.varying_groups

    def varying_reads(self) -> Truths:
        """Of each varying place whether a group, a total or an output reads it."""
        is_read = np.zeros(self.varying_size, bool)
        for part in (*self.varying_groups, *self.totals):
            for varies, places in part.reads():
                if varies:
                    is_read[places] = True
        if not self.totals:
            is_read[self.outputs[self.output_varies]] = True
        return is_read


def _places_of(operands: Sequence[Operand], count: int) -> list[Read]:
    return [(operand.varies, operand.places(count)) for operand in operands]


def step_of(places: Integers) -> int | None:
    """The step by which the places of every row go up.

    Args:
        places: rows of places.

    Returns:
        The step; 1 if there is one place in each row; None if there is no such step.
    """
    if places.shape[1] == 1:
        return 1
    steps = np.diff(places, axis=1)
    return int(steps[0, 0]) if (steps == steps[0, 0]).all() else None


def runs_of(columns: Sequence[Integers]) -> Integers | None:
    """Where the runs start in which each column of places stays or goes up by one, all along the run.

    >>> runs_of([np.array([5, 6, 7, 2, 3]), np.array([1, 1, 1, 1, 1])]).tolist()
    [0, 3]

    Returns:
        The starts, from 0; None if there are too many of them to be worth looking at.
    """
    count = len(columns[0])
    if count == 1:
        return np.zeros(1, np.int64)
    steps = np.stack([np.diff(column) for column in columns])
    regular = ((steps == 0) | (steps == 1)).all(axis=0)
    changes = np.concatenate([[True], (steps[:, 1:] != steps[:, :-1]).any(axis=0)])
    candidates = np.flatnonzero(~regular | changes) if count > 2 else np.flatnonzero(~regular)
    if len(candidates) > 64 + count // 2:
        return None
    starts = [0]
    for step in candidates.tolist():  # the step from one member to the next
        if not regular[step] or step > starts[-1]:
            starts.append(step + 1)
    return np.array(starts, np.int64)


def blocks_of(runs: Integers) -> Iterator[tuple[int, int, int, int]]:
    """Runs of a matrix product that have the same columns, as blocks: first run, count of runs, first column, length.

    >>> list(blocks_of(np.array([[0, 0, 4], [1, 0, 4], [2, 4, 2]])))
    [(0, 2, 0, 4), (2, 1, 4, 2)]
    """
    changes = np.flatnonzero((runs[1:, 1:] != runs[:-1, 1:]).any(axis=1)) + 1
    for start, end in zip([0, *changes.tolist()], [*changes.tolist(), len(runs)], strict=True):
        yield start, end - start, int(runs[start, 1]), int(runs[start, 2])


def operand_of(places: Integers, varies: bool) -> Operand:
    """The operand that reads some places, in the simplest mode."""
    first = int(places[0])
    if len(places) == 1:
        return Operand(varies, CONTIGUOUS, first)
    step = int(places[1]) - first
    if step in (0, 1) and np.array_equal(places, first + step * np.arange(len(places))):
        return Operand(varies, CONTIGUOUS if step else SINGLE, first)
    return Operand(varies, GATHERED, first, np.ascontiguousarray(places))
