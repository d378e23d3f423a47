"""Groups: many instructions of one kind that are run as one, with the places of their numbers; and when they fit.

There are two memories. A *uniform* number is there once. A number that *varies* over the examples of a batch is there
once for each *lane*, side by side. Places count numbers in either memory.

There are six kinds of groups: `Map`, `Sum`, `Matrix`, `Chain`, `Loop` and `Total`. Each kind says here what it reads,
which ranges must stay together, how it is moved, and when it is well formed. `execution.pyx` and `array_execution.py`
each choose once, by the kind, how a group is run. This file has more than 500 lines because each kind is checked where
it is defined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeAlias, overload

import numpy as np

from autograd.primitives import PRIMITIVES, Primitive

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]
    Truths = NDArray[np.bool_]
    Floats = NDArray[np.float64]

Read: TypeAlias = "tuple[bool, Integers]"  # which memory, whether the varying one; and places in it

TABLE: tuple[Primitive, ...] = tuple(PRIMITIVES.values())
ADD, MULTIPLY = PRIMITIVES["add"].index, PRIMITIVES["multiply"].index
SUM, DOT = PRIMITIVES["sum"].index, PRIMITIVES["dot"].index
CONTIGUOUS, SINGLE, GATHERED = range(3)  # how an operand of a group is read: one after another, the same one, by index
MOST_NUMBERS = 2**31  # that the memories hold, of one lane
MOST_LANES = 1024
TRACED = 64  # rounds of a loop that are added up at a time


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
        """Return the place for each of `count` members."""
        if self.gathered is not None:
            return self.gathered
        return self.place + np.arange(count) * (self.mode == CONTIGUOUS)

    def part(self, start: int, end: int) -> Operand:
        """Return the operand of some of the members alone."""
        if self.gathered is not None:
            return operand_of(self.gathered[start:end], self.varies)
        return self._replace(place=self.place + start * (self.mode == CONTIGUOUS))

    def moved(self, places: tuple[Integers, Integers]) -> Operand:
        """Return the operand at new places."""
        new = places[self.varies]
        gathered = None if self.gathered is None else new[self.gathered]
        return self._replace(place=int(new[self.place]), gathered=gathered)

    def check(self, count: int, varies: bool, memory: Memory) -> None:
        """Check that `count` members can read it."""
        known = self.mode in (CONTIGUOUS, SINGLE, GATHERED) and type(self.varies) is bool
        demand(known, f"an operand has the mode {self.mode}")
        demand(varies or not self.varies, "an operand varies where the results do not")
        memory.range(self.place, count if self.mode == CONTIGUOUS else 1, self.varies, "an operand")
        if self.mode != GATHERED:
            demand(self.gathered is None, "an operand has places that are not read")
        else:
            fits = self.gathered is not None and np.shape(self.gathered) == (count,)
            demand(fits, f"an operand is not gathered for {count} members")
            memory.places(self.gathered, self.varies, "an operand")


class Terms(Sequence[Operand]):
    """Operands that are very many, of members that do not vary: as one array instead of an object for each.

    Attributes:
        rows: for each operand a row, with its place for each member.
    """

    def __init__(self, rows: Integers) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Operand: ...
    @overload
    def __getitem__(self, index: slice) -> Terms: ...
    def __getitem__(self, index: int | slice) -> Operand | Terms:
        return Terms(self.rows[index]) if isinstance(index, slice) else operand_of(self.rows[index], False)

    def steps(self) -> tuple[Truths, Truths]:
        """Return for each operand whether its places are one and the same, and whether they go up by one."""
        steps = np.diff(self.rows, axis=1)
        return (steps == 0).all(axis=1), (steps == 1).all(axis=1)

    def part(self, start: int, end: int) -> Terms:
        """Return the operands of some of the members alone."""
        return Terms(self.rows[:, start:end])

    def moved(self, places: tuple[Integers, Integers]) -> Terms:
        """Return the operands at new places."""
        return Terms(places[False][self.rows])


def operand_of(places: Integers, varies: bool) -> Operand:
    """Return the operand that reads some places, in the simplest mode."""
    first = int(places[0])
    if len(places) == 1:
        return Operand(varies, CONTIGUOUS, first)
    step = int(places[1]) - first
    if step in (0, 1) and np.array_equal(places, first + step * np.arange(len(places))):
        return Operand(varies, CONTIGUOUS if step else SINGLE, first)
    return Operand(varies, GATHERED, first, np.ascontiguousarray(places))


class _Group:
    """What groups share whose results stand one after another, from the place `out` of one of the memories on."""

    out: int
    varies: bool
    count: int

    @property
    def size(self) -> int:
        """How many places from `out` on hold the results."""
        return self.count

    def results(self) -> Integers:
        """Return the place of each result."""
        return np.arange(self.out, self.out + self.count)


class _OfOperands(_Group):
    """What the groups share whose members read a few operands each, which stand in lists of these names."""

    lists: ClassVar[tuple[str, ...]]

    def all_operands(self) -> list[Operand]:
        """Return the operands."""
        return [operand for name in self.lists for operand in getattr(self, name)]

    def work(self) -> int:
        """Return how many numbers it reads, which is about how many operations it takes."""
        return self.count * sum([len(getattr(self, name)) for name in self.lists])

    def part(self, start: int, end: int) -> Any:
        """Return a group of some of the members alone."""
        return self._with(self.out + start, end - start, lambda operand: operand.part(start, end))

    def moved(self, places: tuple[Integers, Integers]) -> Any:
        """Return the group at new places."""
        return self._with(int(places[self.varies][self.out]), self.count, lambda operand: operand.moved(places))

    def _with(self, out: int, count: int, change: Callable[[Any], Any]) -> Any:
        """Return the group with other results, and each operand changed."""
        lists = {}
        for name in self.lists:
            found = getattr(self, name)
            lists[name] = change(found) if isinstance(found, Terms) else list(map(change, found))
        return replace(self, out=out, count=count, **lists)  # type: ignore[type-var]  # a dataclass

    def reads(self) -> list[Read]:
        """Return the (memory, places) pairs that the group reads."""
        operands = self.all_operands()
        if self.count == 1 and all(operand.gathered is None for operand in operands):  # of which there may be very many
            places = [[operand.place for operand in operands if operand.varies is vary] for vary in (False, True)]
            return [(bool(vary), np.array(found, np.int64)) for vary, found in enumerate(places) if found]
        return [(operand.varies, operand.places(self.count)) for operand in operands]

    def ranges(self, varies: bool) -> list[tuple[int, int]]:
        """Return the ranges of places of a memory that are read as such, and must stay together."""
        if self.count == 1:
            return []
        return [
            (operand.place, operand.place + self.count)
            for operand in self.all_operands()
            if operand.varies is varies and operand.mode == CONTIGUOUS
        ]


@dataclass
class Map(_OfOperands):
    """One primitive applied to many operands. `out` is the place of the first result; the others follow.

    The primitive is None where numbers are copied to the lanes of each.
    """

    primitive: Primitive | None
    code: int
    out: int
    varies: bool
    count: int
    operands: list[Operand]

    lists: ClassVar = ("operands",)

    def check(self, memory: Memory) -> None:
        """Check that it is well formed."""
        for operand in self.operands:
            operand.check(self.count, self.varies, memory)
        if self.primitive is None:
            fits = len(self.operands) == 1 and self.code == 0 and not self.operands[0].varies and self.varies
            demand(fits, "a copy is of one operand that does not vary")
            return
        memory.primitive(self.primitive, self.code, len(self.operands))
        does_vary = any(operand.varies for operand in self.operands)
        demand(does_vary is self.varies, f"the operands of {self.primitive.name} do not vary as its results do")


@dataclass
class Sum(_OfOperands):
    """Sums of as many terms each, added in the order of the terms.

    Attributes:
        factors: of dot products a second factor for each term, by which it is multiplied; else none.
    """

    terms: Sequence[Operand]
    factors: Sequence[Operand]
    out: int
    varies: bool
    count: int

    lists: ClassVar = ("terms", "factors")

    def sides(self) -> list[Any]:
        """Return the terms, and of dot products the factors."""
        return [self.terms, self.factors] if self.factors else [self.terms]

    def places(self) -> list[Integers]:
        """Return for each side an array with a row for each term: its place for each member."""
        return [
            side.rows if isinstance(side, Terms) else np.stack([operand.places(self.count) for operand in side])
            for side in self.sides()
        ]

    def are_gathered(self) -> list[Sequence[bool] | Truths]:
        """Return for each side whether each operand is read by index."""
        return [
            ~np.logical_or(*side.steps()) if isinstance(side, Terms) else [it.mode == GATHERED for it in side]
            for side in self.sides()
        ]

    def reads(self) -> list[Read]:
        """Return the (memory, places) pairs that the group reads."""
        if isinstance(self.terms, Terms):
            return [(False, side.rows.ravel()) for side in self.sides()]
        return super().reads()

    def ranges(self, varies: bool) -> list[tuple[int, int]]:
        """Return the ranges of places of a memory that are read as such, and must stay together."""
        if not isinstance(self.terms, Terms):
            return super().ranges(varies)
        if varies or self.count == 1:
            return []
        starts = np.concatenate([side.rows[side.steps()[1], 0] for side in self.sides()])
        return list(zip(starts.tolist(), (starts + self.count).tolist(), strict=True))

    def check(self, memory: Memory) -> None:
        """Check that it is well formed."""
        demand(len(self.terms) > 0, "a Sum has no terms")
        demand(len(self.factors) in (0, len(self.terms)), "the factors of a Sum are not one for each term")
        if isinstance(self.terms, Terms):
            for side in self.sides():
                fits = isinstance(side, Terms) and not self.varies and side.rows.shape == (len(self.terms), self.count)
                demand(fits, f"the terms of a sum are not for {self.count} members")
                memory.places(side.rows, False, "an operand of a sum")
            return
        operands = self.all_operands()
        if self.count == 1 and all(operand.mode == CONTIGUOUS and operand.gathered is None for operand in operands):
            for vary in {operand.varies for operand in operands}:  # all at once: there may be very many
                demand(type(vary) is bool and vary <= self.varies, "an operand varies where the results do not")
                places = [operand.place for operand in operands if operand.varies is vary]
                memory.places(places, vary, "an operand of a sum")
            return
        for operand in operands:
            operand.check(self.count, self.varies, memory)


@dataclass
class Matrix(_Group):
    """Dot products of rows with columns: all of them, or of each row with a range of columns.

    Attributes:
        rows: for each row the places of its factors, in the memory that `rows_vary` says.
        columns: likewise for each column, in the memory of the results.
        runs: for each run of results the row, the first column, and how many columns.
    """

    rows: Integers
    columns: Integers
    rows_vary: bool
    runs: Integers
    out: int
    varies: bool
    count: int

    NO_STEP: ClassVar[int] = -(2**62)

    def work(self) -> int:
        """Return how many operations it takes."""
        return 2 * self.count * int(self.rows.shape[1])

    def reads(self) -> list[Read]:
        """Return the (memory, places) pairs that the group reads."""
        return [(self.rows_vary, self.rows.ravel()), (self.varies, self.columns.ravel())]

    def moved(self, places: tuple[Integers, Integers]) -> Matrix:
        """Return the group at new places."""
        rows, columns = places[self.rows_vary][self.rows], places[self.varies][self.columns]
        return replace(self, rows=rows, columns=columns, out=int(places[self.varies][self.out]))

    def ranges(self, varies: bool) -> list[tuple[int, int]]:
        """Return the ranges of uniform places that are read where they are."""
        found: list[tuple[int, int]] = []
        blocks = list(blocks_of(self.runs))
        if not varies and not self.rows_vary:
            for (start, count, _, _), step in zip(blocks, self.row_steps(), strict=True):
                if step is not None:
                    rows = self.rows[self.runs[start : start + count, 0]]
                    found += zip(rows.min(axis=1).tolist(), (rows.max(axis=1) + 1).tolist(), strict=True)
        if not varies and not self.varies:
            for (_, _, first, length), is_in_place in zip(blocks, self.columns_in_place(), strict=True):
                if is_in_place:
                    places = self.columns[first]
                    found += zip(places.tolist(), (places + length).tolist(), strict=True)
        return found

    def row_steps(self) -> list[int | None]:
        """Return for each block of runs the step by which the places of all its rows go up, if there is one."""
        steps = np.diff(self.rows, axis=1) if self.rows.shape[1] > 1 else np.ones((len(self.rows), 1), np.int64)
        own = np.where((steps == steps[:, :1]).all(axis=1), steps[:, 0], self.NO_STEP)[self.runs[:, 0]].tolist()
        found = [set(own[start : start + count]) for start, count, _, _ in blocks_of(self.runs)]
        return [steps.pop() if len(steps) == 1 and self.NO_STEP not in steps else None for steps in found]

    def columns_in_place(self) -> list[bool]:
        """Return for each block of runs whether the numbers of its columns stand side by side, for each term."""
        breaks = np.cumsum([0, *(np.diff(self.columns, axis=0) != 1).any(axis=1)]).tolist()
        return [breaks[first + length - 1] == breaks[first] for _, _, first, length in blocks_of(self.runs)]

    def check(self, memory: Memory) -> None:
        """Check that it is well formed."""
        rows, columns, runs = (integers(part, "a matrix product") for part in (self.rows, self.columns, self.runs))
        fits = rows.ndim == columns.ndim == runs.ndim == 2 and runs.shape[1] == 3
        fits = fits and rows.shape[1] == columns.shape[1] > 0
        fits = fits and (self.rows_vary is False or (self.varies and self.rows_vary is True))
        demand(fits, "the rows, columns and runs of a matrix product do not fit together")
        memory.places(rows, self.rows_vary, "a row")
        memory.places(columns, self.varies, "a column")
        row, first, length = runs.T
        within = (row >= 0) & (row < len(rows)) & (first >= 0) & (length > 0) & (length <= len(columns) - first)
        demand(bool(within.all()), "a run of a matrix product is not within its rows and columns")
        demand(int(length.sum()) == self.count, f"the runs of a matrix product are not for {self.count} results")


@dataclass
class Chain(_Group):
    """Instructions one after another: for programs that are deep and narrow.

    Attributes:
        codes, starts, operands: as of a `Program`, but with the places of the operands.
        operands_vary: for each operand in which memory it is.
        outs: the place of each result; one after another, unless they vary: then some places are used again.
    """

    codes: Integers
    starts: Integers
    operands: Integers
    operands_vary: Truths
    outs: Integers
    varies: bool

    def apart(self) -> Iterator[Map | Sum]:
        """Yield a group for each instruction of a chain that varies."""
        pairs = zip(self.operands_vary.tolist(), self.operands.tolist(), strict=True)
        operands = [Operand(varies, CONTIGUOUS, place) for varies, place in pairs]
        starts = self.starts.tolist()
        for code, start, end, out in zip(self.codes.tolist(), starts, starts[1:], self.outs.tolist(), strict=False):
            if code in (SUM, DOT):
                middle = end if code == SUM else (start + end) // 2
                yield Sum(operands[start:middle], operands[middle:end], out, True, 1)
            else:
                yield Map(TABLE[code - 1], code, out, True, 1, operands[start:end])

    @property
    def out(self) -> int:  # type: ignore[override]  # it is known from the rest, as the count is
        """The lowest place of a result."""
        return int(self.outs.min())

    @property
    def count(self) -> int:  # type: ignore[override]  # likewise
        """How many instructions there are."""
        return len(self.codes)

    @property
    def size(self) -> int:
        """How many places from `out` on hold the results."""
        return int(self.outs.max()) + 1 - self.out

    def results(self) -> Integers:
        """Return the place of each result."""
        return self.outs

    def work(self) -> int:
        """Return how many operations it takes."""
        return len(self.operands)

    def reads(self) -> list[Read]:
        """Return the (memory, places) pairs that it reads and does not compute itself."""
        is_own = (self.operands_vary == self.varies) & (self.operands >= self.out)
        is_own &= self.operands < self.out + self.size
        return [(vary, self.operands[(self.operands_vary == vary) & ~is_own]) for vary in (False, True)]

    def moved(self, places: tuple[Integers, Integers]) -> Chain:
        """Return the group at new places."""
        operands = _moved(self.operands, self.operands_vary, places)
        return replace(self, operands=operands, outs=places[self.varies][self.outs])

    def ranges(self, varies: bool) -> list[tuple[int, int]]:
        """Return the range of its results, which stay together."""
        return [(self.out, self.out + self.size)] * (self.varies is varies)

    def check(self, memory: Memory) -> None:
        """Check that it is well formed."""
        parts = self.codes, self.starts, self.operands, self.outs
        (codes, starts, operands, outs), vary = [integers(part, "a chain") for part in parts], self.operands_vary
        counts = np.diff(starts)
        fits = len(starts) == len(codes) + 1 and starts[0] == 0 and starts[-1] == len(operands) and (counts >= 0).all()
        demand(bool(fits), "the operands of a chain do not fit together")
        fits = outs.shape == codes.shape and vary.shape == operands.shape and vary.dtype == bool
        fits = fits and (self.varies or np.array_equal(outs, self.out + np.arange(len(codes))))
        demand(fits, "the results of a chain do not fit together")
        own = np.repeat(outs, counts)
        demand(self.varies or bool((operands < own).all()), "a step of a chain reads what is not yet there")
        demand(self.varies or not vary.any(), "an operand varies where the results do not")
        memory.places(operands[vary], True, "an operand of a chain")
        memory.places(operands[~vary], False, "an operand of a chain")
        demand(not ((vary == self.varies) & (operands == own)).any(), "a step of a chain overwrites what it reads")
        for code, count in sorted(set(zip(codes.tolist(), counts.tolist(), strict=True))):
            memory.primitive(TABLE[code - 1] if 0 < code <= len(TABLE) else memory.others.get(code), code, count)


@dataclass
class Loop(_Group):
    """Rounds of a program, each of which starts from the state that the one before it computed.

    The results are the state after the last round, then the results of each round. A loop may keep the state that it
    had before each round in a *store*, whose size is known when it has run; another loop, which goes backwards, reads
    it.

    Attributes:
        body: the program of a round. Its inputs are the state, numbers from a store, a row, and constants; its outputs
            are the next state, the results, and whether there is a next round, if the loop has a condition.
        sizes: how many numbers these are: the state, those from a store, the row, the constants, the results.
        inputs_vary: for each input of the body in which memory of the body it is.
        operands: the places of the state, of the constants, and of the rows, one after another.
        operands_vary: for each operand in which memory it is.
        rounds: how many rounds there are; None if that is known when it runs.
        head: then the memory and the place of their count, or of whether there is a first round.
        rounds_vary: whether the count differs from lane to lane.
        has_condition: whether the body says if there is a next round.
        is_backward: whether rounds go from the last one to the first.
        is_reversed: whether the first round, in order of time, reads the last row.
        store: the number of the store; None if there is none.
        kept: of a loop that keeps its state, which numbers of it; None for one that reads a store, or has none.
        costly: how many results of a round, after the others, are kept with it.
        totals: sums over all rounds, as a program for batches whose examples are the rounds, in the order in which they
            run; they are the last results of the loop. None if there are none.
        traced: how many results of a round, after the others, are the inputs of that program.
        beside: how many rounds run side by side, as lanes of the body, if they carry nothing; 0 for one after another.
    """

    body: Code
    sizes: tuple[int, int, int, int, int]
    inputs_vary: Truths
    operands: Integers
    operands_vary: Truths
    rounds: int | None
    head: tuple[bool, int] | None
    rounds_vary: bool
    has_condition: bool
    is_backward: bool
    is_reversed: bool
    store: int | None
    kept: Integers | None
    costly: int
    out: int
    varies: bool
    totals: Code | None = None
    traced: int = 0
    beside: int = 0

    @property
    def reads_store(self) -> bool:
        """Whether it goes over the states that another loop has kept."""
        return self.store is not None and self.kept is None

    @property
    def count(self) -> int:  # type: ignore[override]  # it is known from the rest
        """How many results there are; one at least."""
        totals = 0 if self.totals is None else len(self.totals.outputs)
        return max(self.sizes[0] + (self.rounds or 0) * self.sizes[4] + totals, 1)

    def work(self) -> int:
        """Return how many operations a round takes, and the rounds, if their count is known."""
        return (self.rounds or 1) * sum([group.work() for group in self.body.all_groups()])

    def reads(self) -> list[Read]:
        """Return the (memory, places) pairs that it reads."""
        found = [(vary, self.operands[self.operands_vary == vary]) for vary in (False, True)]
        return found if self.head is None else [*found, (self.head[0], np.array([self.head[1]]))]

    def moved(self, places: tuple[Integers, Integers]) -> Loop:
        """Return the group at new places."""
        operands = _moved(self.operands, self.operands_vary, places)
        head = None if self.head is None else (self.head[0], int(places[self.head[0]][self.head[1]]))
        return replace(self, operands=operands, head=head, out=int(places[self.varies][self.out]))

    def ranges(self, varies: bool) -> list[tuple[int, int]]:
        """Return the range of its results, which stay together."""
        return [(self.out, self.out + self.count)] * (self.varies is varies)

    def input_places(self) -> Integers:
        """Return for each input of the body its place in that memory of the body where it is."""
        places = np.cumsum(self.inputs_vary) - 1
        return np.where(self.inputs_vary, places, np.arange(len(places)) - places - 1)

    def check(self, memory: Memory) -> None:
        """Check that it is well formed."""
        self.body.check(self.beside or (memory.lanes if self.varies else 0))
        operands, vary, inputs_vary = integers(self.operands, "a loop"), self.operands_vary, self.inputs_vary
        state, from_store, row, constants, results = self.sizes
        demand(min(self.sizes) >= 0 and len(self.sizes) == 5, f"the sizes of a loop are {self.sizes}")
        fits = self.body.inputs + self.body.varying_inputs == sum(self.sizes[:4]) == len(inputs_vary)
        fits = fits and inputs_vary.dtype == vary.dtype == bool and int(inputs_vary.sum()) == self.body.varying_inputs
        fits = (
            fits
            and len(self.body.outputs) == state + results + self.costly + self.traced + self.has_condition
            and not self.body.totals
        )
        fits = fits and not (self.body.output_varies[:state] & ~inputs_vary[:state]).any()
        demand(bool(fits), "the round of a loop does not fit its sizes")
        demand(
            self.traced >= 0 and (self.traced > 0) == (self.totals is not None),
            "a loop has no totals of what it traces",
        )
        if self.totals is not None:
            self.totals.check(TRACED)
            fits = self.totals.varying_inputs == self.traced and not self.totals.inputs and not self.varies
            demand(fits and len(self.totals.totals) > 0, "the totals of a loop do not fit it")
        rounds = self.rounds
        demand(not self.costly or not self.traced, "a loop keeps numbers and has totals")
        is_known = rounds is not None or self.head is not None or self.reads_store
        demand(is_known and (rounds is None or self.head is None), "the count of the rounds of a loop is not known")
        demand(rounds is None or (type(rounds) is int and rounds >= 0), f"a loop has {rounds} rounds")
        demand(not row + results or rounds is not None, "a loop has rows, but no count of rounds")
        demand(
            operands.shape == vary.shape == (state + constants + (rounds or 0) * row,), "operands of a loop are missing"
        )
        memory.places(operands[vary], True, "an operand of a loop")
        memory.places(operands[~vary], False, "an operand of a loop")
        does_vary = vary.any() or (inputs_vary.any() and not self.beside)
        demand(self.varies or not does_vary, "an operand varies where the results do not")
        if self.beside:
            fits = self.beside in range(8, TRACED + 1, 8) and not (state or self.varies or self.store is not None)
            fits = fits and rounds is not None and not self.has_condition and bool(inputs_vary[:row].all())
            demand(fits and not inputs_vary[row:].any(), "rounds that are run side by side carry something")
        own, rows = vary[: state + constants], vary[state + constants :].reshape(-1, row) if row else vary[:0]
        first = state + from_store
        targets = np.concatenate([inputs_vary[:state], inputs_vary[first + row :]])
        demand(not (own & ~targets).any(), "an operand of a loop varies, but not what it is for")
        demand(
            not row or not (rows.any(axis=0) & ~inputs_vary[first : first + row]).any(),
            "a row varies, but not its input",
        )
        if self.head is not None:
            memory.places([self.head[1]], self.head[0], "the count of rounds")
            demand(self.varies or not self.head[0], "the count of rounds varies where the results do not")
            demand(self.rounds_vary or not self.head[0], "rounds do not vary, but their count does")
        demand(not self.rounds_vary or bool(inputs_vary[:state].all()), "a state does not vary, but its rounds do")
        go_on_varies = self.has_condition and bool(self.body.output_varies[-1])
        demand(self.rounds_vary or not go_on_varies, "rounds do not vary, but their condition does")
        demand(not self.rounds_vary or (self.varies and rounds is None), "rounds vary, but their count is known")
        demand(not self.has_condition or self.head is not None, "a loop with a condition does not say how it starts")
        demand(
            self.costly >= 0 and (not self.costly or self.kept is not None), "a loop keeps numbers, but has no store"
        )
        demand((from_store > 0) <= self.reads_store, "a loop reads a store that there is not")
        if self.store is not None and self.kept is not None:
            kept = integers(self.kept, "a state")
            demand(bool(((kept >= 0) & (kept < state)).all()), f"a number that is kept is not among {state}")
            demand(self.store not in memory.stores, "a store is written twice")
            also = self.body.output_varies[state + results : state + results + self.costly]
            memory.stores[self.store] = (
                self.varies,
                self.rounds_vary,
                rounds,
                np.concatenate([inputs_vary[kept], also]),
            )
        elif self.store is not None:
            demand(self.store in memory.stores, "a store is read before it is written")
            demand(self.is_backward, "a loop reads a store forwards")
            of_lanes, rounds_vary, kept_rounds, kept_vary = memory.stores[self.store]
            demand(rounds is None or rounds == kept_rounds, f"a store of {kept_rounds} rounds is read for {rounds}")
            demand(self.varies or not of_lanes, "a store varies where the results do not")
            demand(self.rounds_vary is rounds_vary, "loops do not vary alike in the count of their rounds")
            demand(np.array_equal(kept_vary, inputs_vary[state:first]), "a store does not hold what a loop reads")


@dataclass
class Total:
    """Sums over the lanes of numbers that vary, or of the products of each number of one list with each of another.

    Attributes:
        terms: the places of the numbers.
        factors: those of the other list; None for sums of the numbers themselves.
        outs: the uniform place of each total; of products with the first factor, and those with the others follow.
    """

    terms: Integers
    factors: Integers | None
    outs: Integers

    varies: ClassVar = False

    @property
    def count(self) -> int:
        """How many totals there are."""
        return len(self.terms) * (1 if self.factors is None else len(self.factors))

    @property
    def row_step(self) -> int:
        """The step from the totals of one number to those of the next, of products."""
        assert self.factors is not None
        return int(self.outs[1] - self.outs[0]) if len(self.outs) > 1 else len(self.factors)

    def reads(self) -> list[Read]:
        """Return the (memory, places) pairs that it reads."""
        return [(True, self.terms)] if self.factors is None else [(True, self.terms), (True, self.factors)]

    def results(self) -> Integers:
        """Return the uniform place of each total, row after row."""
        return self.outs if self.factors is None else (self.outs[:, None] + np.arange(len(self.factors))).ravel()

    def moved(self, places: tuple[Integers, Integers]) -> Total:
        """Return the group at new places."""
        factors = None if self.factors is None else places[1][self.factors]
        return Total(places[1][self.terms], factors, places[0][self.outs])

    def check(self, memory: Memory) -> None:
        """Check that it is well formed."""
        for places in (self.terms, self.terms if self.factors is None else self.factors):
            memory.places(places, True, "the factor of a total")
            demand(np.ndim(places) == 1 and len(places) > 0, "a total is of nothing")
        memory.places(self.outs, False, "a total")
        demand(np.shape(self.outs) == np.shape(self.terms), "totals have not one place each")
        if self.factors is not None:
            columns, step = len(self.factors), self.row_step
            demand(step >= columns, f"rows of {columns} totals are {step} places apart")
            demand(bool((np.diff(self.outs) == step).all()), "rows of totals are not as far apart as each other")
            memory.range(int(self.outs[-1]), columns, False, "a total")


Group: TypeAlias = Map | Sum | Matrix | Chain | Loop


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
        outputs: the place of each output; in the memory that `output_varies` says, or that of its total.
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

    def lane_size(self) -> int:
        """Return how many numbers there are for each lane, with those of the rounds of loops."""
        loops = [group for group in self.varying_groups if isinstance(group, Loop)]
        return self.varying_size + sum([loop.body.lane_size() for loop in loops])

    def all_groups(self) -> Iterator[Group]:
        """Yield every group but the totals."""
        yield from self.groups
        yield from self.varying_groups

    def outputs_in_lanes(self) -> Truths:
        """Return of each output whether it is read from the lanes, rather than a uniform number."""
        varies: Truths = np.asarray(self.output_varies, bool) & (not self.totals)
        return varies

    def check(self, lanes: int) -> None:
        """Check that every place is within its memory, and that counts agree: whatever runs code does not look again.

        Args:
            lanes: how many lanes the varying memory has.

        Raises:
            ValueError: if the code is not well formed; the message names the part.
            MemoryError: if its memories are too large.
        """
        if not 0 <= lanes <= MOST_LANES:
            raise ValueError(f"there are at most {MOST_LANES} lanes, not {lanes}")
        try:
            self._check(lanes)
        except (AttributeError, IndexError, OverflowError, TypeError) as error:  # a part is of another type
            raise ValueError(f"this is not well-formed code: {error}") from error

    def _check(self, lanes: int) -> None:
        sizes = self.uniform_size, self.varying_size
        demand(min(sizes) >= 0, f"its memories hold {sizes} numbers")
        if self.uniform_size + self.varying_size * max(lanes + -lanes % 8, 1) > MOST_NUMBERS:
            raise MemoryError(f"the program needs memory for {sizes[0]} and {sizes[1]} numbers")
        memory = Memory(sizes, self.others, lanes)
        for count, size in zip((self.inputs, self.varying_inputs), sizes, strict=True):
            demand(0 <= count <= size, f"its inputs are {count} of {size} numbers")
        for place in self.constants:
            memory.range(place, 1, False, "a constant")
        for groups, varies in ((self.groups, False), (self.varying_groups, True)):
            for group in groups:
                name = type(group).__name__
                demand(isinstance(group, Group), f"there is no group of the type {name}")
                demand(group.varies is varies, f"a {name} stands among the groups of the other memory")
                demand(not varies or lanes > 0, f"a {name} varies, but there are no lanes")
                demand(type(group.count) is int and group.count > 0, f"a {name} has {group.count} members")
                memory.range(group.out, group.size, varies, f"the result of a {name}")
                group.check(memory)
        for total in self.totals:
            demand(lanes > 0, "there are totals, but no lanes")
            total.check(memory)
        demand(len(self.outputs) == len(self.output_varies), "its outputs do not say whether they vary")
        in_lanes = self.outputs_in_lanes()
        demand(not in_lanes.any() or lanes > 0, "an output varies, but there are no lanes")
        memory.places(self.outputs[~in_lanes], False, "an output")
        memory.places(self.outputs[in_lanes], True, "an output")


def _moved(operands: Integers, operands_vary: Truths, places: tuple[Integers, Integers]) -> Integers:
    """Return operands of both memories at new places."""
    found = operands.copy()
    for vary in (False, True):
        chosen = operands_vary == vary
        found[chosen] = places[vary][operands[chosen]]
    return found


class Memory:
    """The sizes of the uniform and of the varying memory, and the primitives that are not in the table."""

    def __init__(self, sizes: tuple[int, int], others: dict[int, Primitive], lanes: int = 0) -> None:
        self.sizes, self.others, self.lanes = sizes, others, lanes
        # Of each store: whether it is of a loop that varies, of one whose rounds vary; its rounds; which numbers vary.
        self.stores: dict[int, tuple[bool, bool, int | None, Truths]] = {}

    def range(self, place: Any, count: int, varies: bool, what: str) -> None:
        """Check that so many numbers from a place on are within a memory."""
        size = self.sizes[varies]
        fits = type(place) is int and count >= 0 and 0 <= place <= size - count
        demand(fits, f"{what} of {count} numbers is at {place}, which is not within {size}")

    def places(self, places: object, varies: bool, what: str) -> None:
        """Check that places are within a memory."""
        array, size = integers(places, what), self.sizes[varies]
        if array.size:
            low, high = int(array.min()), int(array.max())
            demand(low >= 0 and high < size, f"{what} is at places from {low} to {high}, which are not within {size}")

    def primitive(self, primitive: Primitive | None, code: int, count: int) -> None:
        """Check that a code stands for a primitive of as many operands."""
        demand(isinstance(primitive, Primitive), f"{primitive} is not a primitive")
        assert primitive is not None
        known = code == primitive.index if primitive.index else self.others.get(code) is primitive
        known &= bool(primitive.index) or code > len(TABLE)
        demand(known, f"{primitive.name} does not have the code {code}")
        demand(primitive.takes(count), f"{primitive.name} has {count} operands")


def integers(places: object, what: str) -> Integers:
    """Return places as an array of int64; a ValueError if they are no integers."""
    array = np.asarray(places)
    demand(array.dtype.kind in "iu" or not array.size, f"{what} has places of the type {array.dtype}")
    return array.astype(np.int64, copy=False)


def demand(is_met: bool, otherwise: str) -> None:
    """Raise a ValueError unless a condition is met."""
    if not is_met:
        raise ValueError(f"this is not well-formed code: {otherwise}")


def step_of(places: Integers) -> int | None:
    """Return the step by which the places of every row go up; 1 for rows of one place, None if there is none."""
    if places.shape[1] == 1:
        return 1
    steps = np.diff(places, axis=1)
    return int(steps[0, 0]) if (steps == steps[0, 0]).all() else None


def blocks_of(runs: Integers) -> Iterator[tuple[int, int, int, int]]:
    """Yield runs of a matrix product that have the same columns, as blocks: first run, count, first column, length.

    >>> list(blocks_of(np.array([[0, 0, 4], [1, 0, 4], [2, 4, 2]])))
    [(0, 2, 0, 4), (2, 1, 4, 2)]
    """
    changes = np.flatnonzero((runs[1:, 1:] != runs[:-1, 1:]).any(axis=1)) + 1
    for start, end in zip([0, *changes.tolist()], [*changes.tolist(), len(runs)], strict=True):
        yield start, end - start, int(runs[start, 1]), int(runs[start, 2])
