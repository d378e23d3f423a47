"""Lowering: a program's instructions put in groups, and a place in memory for every number.

>>> from autograd import Value, dot
>>> w, x = [Value(0.5) for _ in range(12)], [Value(2.0) for _ in range(3)]
>>> code = lower(Program.of([dot(w[i : i + 3], x) for i in range(0, 12, 3)], inputs=w + x))
>>> [type(group).__name__ for group in code.groups], code.outputs.tolist()
(['Matrix'], [15, 16, 17, 18])

This file has more than 500 lines because whatever gives numbers their places stands together.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd.native import selection
from autograd.programs.groups import (
    DOT,
    MULTIPLY,
    SUM,
    TABLE,
    Chain,
    Code,
    Group,
    Map,
    Matrix,
    Sum,
    Terms,
    Total,
    blocks_of,
    operand_of,
    step_of,
)
from autograd.programs.loop_layout import LoopPlan, group_of, plans_of
from autograd.programs.passes import PASSES, Pass, with_trees
from autograd.programs.program import Program
from autograd.programs.recorded_loops import Pick, RecordedLoop, slots_of
from autograd.programs.sharing import with_shared_places
from autograd.programs.tiles import with_tiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autograd.programs.groups import Integers, Truths

LEAST_RUN = 12  # members that a run must have on average, for a group to be split into runs
LEAST_SHARE = 3  # columns that a row must have on average, for dot products to be a matrix product
LONG_ROW = 64  # products side by side, with which vectors are full enough
MANY_TERMS = 64  # of sums that do not vary, from which one array of their operands is made sooner than many objects
FEW_TERMS = 4  # of dot products of lanes, below which a loop over the lanes is as fast as a matrix product
LANE_MEMORY, MOST_LANES = 3 << 16, 64  # the numbers of a block of examples, so that they stay in the cache; its lanes
LARGE = 1 << 14  # totals, which are far away after each block: then blocks are larger, of these numbers and lanes
LARGE_LANE_MEMORY, MOST_LARGE_LANES = 1 << 19, 128
SMALL_LANE_MEMORY, MOST_SMALL_LANES = 1 << 12, 256  # more lanes for so few numbers that they stay in the first cache
DEEP = 0.25  # groups for each instruction, above which a program is run as a chain


def lower(
    program: Program,
    varies: Truths | None = None,
    totals: bool = False,
    passes: Sequence[Pass] = PASSES,
    deep: float = DEEP,
    shares_places: bool = True,
    fixed: int = 0,
    tile: int = 0,
) -> Code:
    """Lower a program.

    Args:
        program: the program.
        varies: for each input and each parameter whether it varies over the examples of a batch.
        totals: whether to sum outputs up over the examples.
        passes: what is done before instructions are grouped; each pass may be left out.
        deep: how many groups for each instruction of a memory make them a chain; 1 for none.
        shares_places: whether numbers that are not needed at the same time may have the same place.
        fixed: of the program of a round, how many of the last inputs are the same in all rounds.
        tile: about how many numbers a tile writes, if long groups are cut into tiles; 0 for whole groups.
    """
    program = with_trees(program)
    for change in passes:
        program = change(program)
    leaves = np.zeros(len(program), bool)
    if varies is not None:
        leaves[program.leaves] = varies
    code = Layout(program, leaves, totals, deep, fixed).code()
    if tile:
        code = with_tiles(code, tile)
    return with_shared_places(code) if shares_places else code


def _lower_round(program: Program, varies: Truths, totals: bool, fixed: int) -> Code:
    """Lower the program of one round of a loop, or of totals over all rounds."""
    return lower(program, varies, totals, fixed=fixed)


def lanes_for(code: Code, count: int) -> int:
    """Return how many examples are run side by side: a multiple of 8, such that their numbers stay in the cache.

    Blocks are as large as each other, or nearly so.
    """
    is_large = sum([total.count for total in code.totals]) > LARGE
    memory, lanes = (LARGE_LANE_MEMORY, MOST_LARGE_LANES) if is_large else (LANE_MEMORY, MOST_LANES)
    size = max(code.lane_size(), 1)
    if not is_large:
        lanes = max(lanes, min(MOST_SMALL_LANES, SMALL_LANE_MEMORY // size))
    most = max(8, min(memory // size, lanes) // 8 * 8)
    blocks = max(1, -(-count // most))
    lanes = -(-count // blocks)
    return max(8, lanes + -lanes % 8)


class Layout:
    """The places of a program's numbers, and its groups.

    Args:
        program, totals, deep, fixed: as for `lower`.
        varies: for each slot whether it is an input that varies over the examples of a batch.
    """

    def __init__(self, program: Program, varies: Truths, totals: bool, deep: float = DEEP, fixed: int = 0) -> None:
        self.program = program
        self.is_fixed = np.zeros(len(program), bool)
        self.is_fixed[program.inputs[len(program.inputs) - fixed :]] = True
        self.levels, self.varies, self.is_needed = program.analysed(varies)
        self.places = np.full(len(program), -1, np.int64)
        self.sizes = [0, 0]  # of the uniform and the varying memory
        self.groups: tuple[list[Group], list[Group]] = ([], [])
        self.totals: list[Total] = []
        self.copies: dict[int, int] = {}  # the varying place of a uniform slot
        leaves = program.leaves
        self._put(leaves[~varies[leaves]])
        self._put(leaves[varies[leaves]])
        self.inputs = tuple(self.sizes)
        self.is_loop, self.is_pick = slots_of(program, RecordedLoop), slots_of(program, Pick)
        is_read = np.zeros(len(program), bool)  # by anything but a pick, whose second operand says which one
        is_read[program.operands[~self.is_pick[program.owners()]]] = is_read[program.outputs] = True
        constants = np.flatnonzero(program.is_constant & self.is_needed & is_read)
        self._put(constants)
        self.constants = dict(zip(self.places[constants].tolist(), program.numbers[constants].tolist(), strict=True))
        self.picks: dict[int, list[Integers]] = {}
        self.loops = self._plans()
        self.summed = self._products_to_total() if totals else np.zeros(len(program), bool)
        found = self._members()
        for does_vary in (False, True):
            groups = [members for members in found if self.varies[members[0]] == does_vary]
            slots = np.sort(np.concatenate([*groups, leaves[:0]]))
            if len(groups) > deep * len(slots) and self._fits_chain(slots, does_vary):
                self._add_chain(slots, does_vary)
            else:
                for members in groups:
                    self._add(members)
        self.output_varies = self.varies[program.outputs].copy()
        self.outputs = self.places[program.outputs].copy()
        if totals:
            self._add_totals()

    def code(self) -> Code:
        """Return the lowered program."""
        others = {len(TABLE) + 1 + i: primitive for i, primitive in enumerate(self.program.others)}
        (uniform_size, varying_size), (inputs, varying_inputs) = self.sizes, self.inputs
        groups, varying_groups = self.groups
        return Code(
            uniform_size, varying_size, inputs, varying_inputs, self.constants, groups, varying_groups, self.totals,
            self.outputs, self.output_varies, others,
        )  # fmt: skip

    def _put(self, slots: Integers) -> int:
        """Give slots of one kind the next places, and return the first of them."""
        if not len(slots):
            return 0
        varies = int(self.varies[slots[0]])
        first = self.sizes[varies]
        self.places[slots] = first + np.arange(len(slots))
        self.sizes[varies] += len(slots)
        return first

    def _members(self) -> list[Integers]:
        """Return the slots of each group: same level, primitive, count and memories of the operands."""
        program = self.program
        slots = np.flatnonzero(self.is_needed & (program.codes > 0) & ~self.summed & ~self.is_pick)
        if not len(slots):
            return []
        counts = np.diff(program.starts)
        pattern = np.zeros(len(program), np.int64)  # which operands vary; of sums and dot products it is left open
        is_open = (program.codes == SUM) | (program.codes == DOT)
        few = slots[(counts[slots] <= 3) & ~is_open[slots]]
        for place in range(3):
            has = few[counts[few] > place]
            pattern[has] |= self.varies[program.operands[program.starts[has] + place]].astype(np.int64) << place
        known: dict[bytes, int] = {}
        for slot in slots[(counts[slots] > 3) & ~is_open[slots]].tolist():  # long products
            vary = self.varies[program.operands_of(slot)]
            pattern[slot] = known.setdefault(vary.tobytes(), len(known))
        counts, levels = counts[slots], self.levels[slots]
        kinds = 2 * program.codes[slots] + self.varies[slots]  # with the next line, one number for all but the level
        kinds = (kinds * (counts.max() + 1) + counts) * (pattern.max() + 1) + pattern[slots]
        order = np.lexsort([kinds, levels])
        kinds, levels = kinds[order], levels[order]
        breaks = np.flatnonzero((kinds[1:] != kinds[:-1]) | (levels[1:] != levels[:-1])) + 1
        return np.split(slots[order], breaks)

    def _fits_chain(self, slots: Integers, vary: bool) -> bool:
        """Return whether each of some instructions has a step in a chain; and if they vary, a loop is fast for it."""
        codes, counts = self.program.codes[slots], np.diff(self.program.starts)[slots]
        has_step = all(map(selection.execution().has_chain_step, np.flatnonzero(np.bincount(codes)).tolist()))
        return has_step and not (vary and (counts[codes == DOT] >= 2 * FEW_TERMS).any())

    def _add_chain(self, slots: Integers, vary: bool) -> None:
        program = self.program
        counts = np.diff(program.starts)[slots]
        starts = np.concatenate([[0], np.cumsum(counts)])
        operands = program.operands[spread(program.starts[slots], counts)]
        if vary:
            self._put_again(slots, counts, operands)
        else:
            self._put(slots)
        chain = Chain(
            program.codes[slots], starts, self.places[operands], self.varies[operands], self.places[slots], vary
        )
        self.groups[vary].append(chain)

    def _put_again(self, slots: Integers, counts: Integers, operands: Integers) -> None:
        """Give the results of a chain places, of which those that are no longer read are used again."""
        program = self.program
        free: list[int] = []
        last = np.full(len(program), -1)  # the step of the chain that reads a slot last
        last[operands] = np.repeat(np.arange(len(slots)), counts)
        last[program.outputs] = last[program.operands[self.summed[program.owners()]]] = len(slots)
        outs = np.zeros(len(slots), np.int64)
        order = np.argsort(last[slots], kind="stable")
        ends, ended = [*last[slots][order].tolist(), len(slots)], 0
        for step in range(len(slots)):
            while ends[ended] < step:
                free.append(int(outs[order[ended]]))
                ended += 1
            if not free:
                free.append(self.sizes[1])
                self.sizes[1] += 1
            outs[step] = free.pop()
        self.places[slots] = outs

    def _add(self, members: Integers) -> None:
        """Add the group, or groups, of some slots."""
        if self.is_loop[members[0]]:
            for slot in members.tolist():
                self._add_loop(self.loops[slot], slot)
            return
        starts, code = self.program.starts[members], int(self.program.codes[members[0]])
        count = int(self.program.starts[members[0] + 1] - starts[0])
        slots = self.program.operands[starts[:, None] + np.arange(count)]  # a row for each member
        if code == SUM:
            places = self._varying(slots) if self.varies[members[0]] else self.places[slots]
            self._add_sums(members, [places], [bool(self.varies[members[0]])])
        elif code == DOT:
            self._add_dots(members, slots)
        else:
            self._add_map(members, slots, code)

    def _plans(self) -> dict[int, LoopPlan]:
        """Return the plans of the loops, and note which results of each are read, by which slots."""
        program = self.program
        slots = np.flatnonzero(self.is_loop & self.is_needed)
        if not len(slots):
            return {}
        picks = np.flatnonzero(self.is_pick & self.is_needed)
        starts = program.starts[picks]
        owners = program.operands[starts]
        places = program.numbers[program.operands[starts + 1]].astype(np.int64)
        order = np.argsort(owners, kind="stable")
        cuts = np.searchsorted(owners[order], slots), np.searchsorted(owners[order], slots, "right")
        self.picks = {
            slot: [picks[order[first:end]], places[order[first:end]]]
            for slot, first, end in zip(slots.tolist(), *(cut.tolist() for cut in cuts), strict=True)
        }
        loops: Any = {slot: program.primitive(int(program.codes[slot])) for slot in slots.tolist()}
        wanted = {slot: np.unique(places) for slot, (_, places) in self.picks.items()}
        return plans_of(loops, {slot: program.operands_of(slot) for slot in slots.tolist()}, wanted)

    def _add_loop(self, plan: LoopPlan, slot: int | None = None) -> None:
        """Add the group of a loop, unless it is there; and before it that of the loop whose states it reads."""
        if plan.forward is not None:
            self._add_loop(plan.forward)
        if plan.out is None:
            varies = self.varies[plan.operands]
            zero = self._zero() if plan.loop.pulls is not None else 0
            plan.out = self.sizes[bool(varies.any())]
            group, plan.results = group_of(plan, self.places[plan.operands], varies, zero, _lower_round)
            self.sizes[group.varies] += group.count
            self.groups[group.varies].append(group)
        if slot is not None:
            picks, places = self.picks[slot]
            self.places[slot] = plan.out
            self.places[picks] = plan.out + plan.results[np.searchsorted(plan.wanted, places)]

    def _zero(self) -> int:
        """Return the uniform place of a constant 0."""
        for place, number in self.constants.items():
            if number == 0.0:
                return int(place)
        self.constants[self.sizes[0]] = 0.0
        self.sizes[0] += 1
        return self.sizes[0] - 1

    def _add_map(self, members: Integers, slots: Integers, code: int) -> None:
        columns = [self.places[column] for column in slots.T]
        varies = self.varies[slots[0]].tolist()
        order = _order(columns)
        members, columns = members[order], [column[order] for column in columns]
        out, result_varies = self._put(members), bool(self.varies[members[0]])
        primitive = self.program.primitive(code)
        for start, end in _runs(columns):
            operands = [operand_of(column[start:end], v) for column, v in zip(columns, varies, strict=True)]
            group = Map(primitive, code, out + start, result_varies, end - start, operands)
            self.groups[result_varies].append(group)

    def _varying(self, slots: Integers) -> Integers:
        """Return the varying places of slots; uniform ones among them are copied to the lanes first."""
        uniform = np.unique(slots[~self.varies[slots]])
        missing = [slot for slot in uniform.tolist() if slot not in self.copies]
        if missing:
            missing.sort(key=lambda slot: self.places[slot])
            first = self.sizes[1]
            self.sizes[1] += len(missing)
            self.copies.update({slot: first + i for i, slot in enumerate(missing)})
            source = operand_of(self.places[missing], False)
            self.groups[1].append(Map(None, 0, first, True, len(missing), [source]))
        places = self.places[slots]
        if len(uniform):
            where = np.searchsorted(uniform, slots)
            where[where == len(uniform)] = 0
            copies = np.array([self.copies[slot] for slot in uniform.tolist()])
            places = np.where(self.varies[slots], places, copies[where])
        return places

    def _add_sums(self, members: Integers, sides: list[Integers], vary: list[bool]) -> None:
        """Add sums of the places of one side, or of the products of two sides, which may vary."""
        is_plain, varies = len(sides) == 1, bool(self.varies[members[0]])
        order = _order(list(sides[0][:, :3].T) if is_plain else [side[:, 0] for side in sides])
        members, sides = members[order], [side[order] for side in sides]
        out = self._put(members)
        for start, end in _runs(sides[0].T) if is_plain else [(0, len(members))]:
            read = [(side[start:end].T, v) for side, v in zip(sides, vary, strict=True)]
            are_many = not varies and sides[0].shape[1] >= MANY_TERMS
            terms, *factors = [
                Terms(np.ascontiguousarray(rows)) if are_many else [operand_of(places, v) for places in rows]
                for rows, v in read
            ]
            group = Sum(terms, factors[0] if factors else [], out + start, varies, end - start)
            self.groups[varies].append(group)

    def _add_dots(self, members: Integers, slots: Integers) -> None:
        half = slots.shape[1] // 2
        left, right = slots[:, :half], slots[:, half:]
        if self.varies[members[0]]:
            # The uniform factor of a term stands on the left; a left side that is not uniform throughout varies.
            swap = self.varies[left] & ~self.varies[right]
            left, right = np.where(swap, right, left), np.where(swap, left, right)
            is_uniform = ~self.varies[left].any(axis=1)
            for part in (is_uniform, ~is_uniform):
                if part.any():
                    self._add_dots_of(members[part], left[part], right[part], part is not is_uniform)
        else:
            self._add_dots_of(members, left, right, False)

    def _add_dots_of(self, members: Integers, left: Integers, right: Integers, left_varies: bool) -> None:
        varies = bool(self.varies[members[0]])
        a = self._varying(left) if left_varies else self.places[left]
        b = self._varying(right) if varies else self.places[right]
        may_swap = left_varies or not varies
        are_fixed = bool(self.is_fixed[left].all()), bool(self.is_fixed[right].all())
        plan = plan_of(a, b, may_swap, not varies, are_fixed)
        if plan.is_worth_it() or (not may_swap and a.shape[1] >= FEW_TERMS):
            out = self._put(members[plan.order])
            matrix = Matrix(plan.rows, plan.columns, left_varies, plan.runs, out, varies, len(members))
            self.groups[varies].append(matrix)
        else:
            self._add_sums(members, [a, b], [left_varies, varies])

    def _products_to_total(self) -> Truths:
        """Mark the outputs that are products of two numbers that vary, and nothing else: only their total is needed."""
        program = self.program
        found = np.zeros(len(program), bool)
        is_output = np.bincount(program.outputs, minlength=len(program))
        outputs, uses = np.flatnonzero(is_output), program.uses()
        products = outputs[(program.codes[outputs] == MULTIPLY) & (uses[outputs] == is_output[outputs])]
        if len(products):
            factors = program.operands[program.starts[products][:, None] + np.arange(2)]
            found[products[self.varies[factors].all(axis=1)]] = True
        return found

    def _add_totals(self) -> None:
        """Add the sums of outputs over the examples. They stand in the order of the outputs if they can."""
        outputs = self.program.outputs[self.output_varies]
        wanted, first = np.unique(outputs, return_index=True)
        plain = wanted[~self.summed[wanted]]
        plain = plain[np.argsort(self.places[plain], kind="stable")]
        ranks = np.zeros(len(self.program), np.int64)  # of the slots that are summed up
        ranks[wanted[np.argsort(first)]] = np.arange(len(wanted))
        blocks = list(self._blocks_of_products(wanted[self.summed[wanted]], ranks))
        if not all(_has_row_step(ranks[members]) for _, _, members in blocks):
            ranks[np.concatenate([members.ravel() for _, _, members in blocks] + [plain])] = np.arange(len(wanted))
        places = self.sizes[0] + ranks
        self.sizes[0] += len(wanted)
        for terms, factors, members in blocks:
            self.totals.append(Total(terms, factors, places[members[:, 0]]))
        if len(plain):
            self.totals.append(Total(self.places[plain], None, places[plain]))
        self.outputs[self.output_varies] = places[outputs]

    def _blocks_of_products(self, products: Integers, ranks: Integers) -> Iterator[tuple[Integers, Integers, Integers]]:
        """Yield products of each of some numbers with each of others: the places of both, and the slots, row after row.

        Args:
            products: the slots.
            ranks: of each slot; rows and columns are ordered by them.
        """
        if not len(products):
            return
        starts = self.program.starts[products]
        factors = self.places[self.program.operands[starts[:, None] + np.arange(2)]]
        order, rows, columns, runs = plan_of(factors[:, :1], factors[:, 1:], is_packed=False)
        done = 0
        for row, count, first, length in blocks_of(runs):
            lefts, rights = rows[runs[row : row + count, 0], 0], columns[first : first + length, 0]
            members = products[order[done : done + count * length]].reshape(count, length)
            done += members.size
            if length < min(count, LONG_ROW):  # vectors hold some of the longer side
                lefts, rights, members = rights, lefts, members.T
            row_order, column_order = np.argsort(ranks[members[:, 0]]), np.argsort(ranks[members[0]])
            yield lefts[row_order], rights[column_order], members[row_order][:, column_order]


class Plan(NamedTuple):
    """Dot products as those of rows with columns.

    Attributes:
        order: the order of the dot products.
        rows, columns: the places of the factors.
        runs: as of a `Matrix`.
    """

    order: Integers
    rows: Integers
    columns: Integers
    runs: Integers

    def is_worth_it(self) -> bool:
        """Return whether rows share so many columns that a matrix product is faster than dot products."""
        return len(self.order) >= LEAST_SHARE * len(self.runs)


def plan_of(
    a: Integers,
    b: Integers,
    may_swap: bool = True,
    is_packed: bool = True,
    are_fixed: tuple[bool, bool] = (False, False),
) -> Plan:
    """Plan dot products as a matrix product: which factors are its rows, and which its columns.

    >>> left, right = np.array([[0, 1], [0, 1], [2, 3], [2, 3]]), np.array([[4, 5], [6, 7], [4, 5], [6, 7]])
    >>> plan = plan_of(left, right)
    >>> plan.rows.tolist(), plan.columns.tolist(), plan.runs.tolist()
    ([[0, 1], [2, 3]], [[4, 5], [6, 7]], [[0, 0, 2], [1, 0, 2]])

    Args:
        a: for each dot product the places of its left factors.
        b: likewise of its right factors.
        may_swap: whether rows may be made of the right factors.
        is_packed: whether factors have to be packed, unless they stand in the right order.
        are_fixed: whether each side is the same in all rounds of a loop, so that it is packed once.
    """
    row_of, rows = _distinct(a)
    column_of, columns = _distinct(b)
    if LEAST_SHARE * min(len(rows), len(columns)) <= len(a) <= len(rows) * len(columns) // 2:
        row_of, rows, column_of, columns = _by_components(row_of, rows, column_of, columns)
    best: tuple[float, Plan] | None = None
    for swap in (False, True) if may_swap else (False,):
        major, minor = (column_of, row_of) if swap else (row_of, column_of)
        order = np.lexsort([minor, major])
        major, minor = major[order], minor[order]
        starts = np.flatnonzero(np.concatenate([[True], (major[1:] != major[:-1]) | (minor[1:] != minor[:-1] + 1)]))
        lengths = np.diff([*starts, len(order)])
        left, right = (columns, rows) if swap else (rows, columns)
        # What it takes, in nanoseconds or so: tiles, runs, and packing.
        cost = (-(-lengths // 8)).sum() * left.shape[1] * 0.5 + 8.0 * len(starts)
        if is_packed:
            left_fixed, right_fixed = are_fixed[::-1] if swap else are_fixed
            cost += 0.7 * left.size * (step_of(left) is None and not left_fixed)
            cost += 0.7 * right.size * (step_of(right.T) != 1 and not right_fixed)
        if best is None or cost < best[0]:
            best = cost, Plan(order, left, right, np.stack([major[starts], minor[starts], lengths], axis=1))
    assert best is not None
    return best[1]


def _by_components(
    row_of: Integers, rows: Integers, column_of: Integers, columns: Integers
) -> tuple[Integers, Integers, Integers, Integers]:
    """Let rows and columns stand together that share dot products, or are linked by such: then runs are longer."""
    of_row = np.arange(len(rows))  # the lowest row that each is known to be linked with
    while True:
        of_column = np.full(len(columns), len(rows))
        np.minimum.at(of_column, column_of, of_row[row_of])
        linked = of_row.copy()
        np.minimum.at(linked, row_of, of_column[column_of])
        linked = linked[linked]
        if np.array_equal(linked, of_row):
            break
        of_row = linked
    row_order, column_order = (np.argsort(labels, kind="stable") for labels in (of_row, of_column))
    row_rank, column_rank = np.argsort(row_order), np.argsort(column_order)
    return row_rank[row_of], rows[row_order], column_rank[column_of], columns[column_order]


def spread(starts: Integers, lengths: Integers) -> Integers:
    """Return for each start the numbers that follow it, as many as the length says."""
    return np.repeat(starts - np.cumsum(lengths) + lengths, lengths) + np.arange(int(lengths.sum()))


def _distinct(places: Integers) -> tuple[Integers, Integers]:
    """Return for each row of places its number among the distinct ones, and these, sorted."""
    with np.errstate(over="ignore"):
        keys = (places.astype(np.uint64) * _weights(places.shape[1])).sum(axis=1, dtype=np.uint64)
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    if not np.array_equal(places[first][inverse], places):  # two of them share a key
        distinct, inverse = np.unique(places, axis=0, return_inverse=True)
    else:
        distinct = places[first]
    order = np.lexsort(distinct.T[::-1])
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank[inverse.reshape(-1)], distinct[order]


@functools.cache
def _weights(count: int) -> NDArray[np.uint64]:
    """Return numbers by which rows of places are told apart."""
    return np.random.default_rng(1).integers(1, 2**62, count, dtype=np.uint64)


def runs_of(columns: Sequence[Integers] | Integers) -> Integers | None:
    """Return where the runs start in which each column of places stays or goes up by one, all along the run.

    >>> runs_of([np.array([5, 6, 7, 2, 3]), np.array([1, 1, 1, 1, 1])]).tolist()
    [0, 3]

    Returns:
        The starts, from 0; None if there are too many of them to be worth looking at.
    """
    count = len(columns[0])
    if count == 1:
        return np.zeros(1, np.int64)
    steps = np.diff(columns, axis=1)
    regular = ((steps == 0) | (steps == 1)).all(axis=0)
    changes = np.concatenate([[True], (steps[:, 1:] != steps[:, :-1]).any(axis=0)])
    candidates = np.flatnonzero(~regular | changes)
    if len(candidates) > 64 + count // 2:
        return None
    starts = [0]
    for step in candidates.tolist():  # the step from one member to the next
        if not regular[step] or step > starts[-1]:
            starts.append(step + 1)
    return np.array(starts, np.int64)


def _runs(columns: list[Integers] | Integers) -> Iterator[tuple[int, int]]:
    """Yield where the runs of members start and end; all members as one where runs would be short."""
    starts, count = runs_of(columns), len(columns[0])
    if starts is None or (len(starts) > 1 and count < LEAST_RUN * len(starts)):
        starts = np.zeros(1, np.int64)
    yield from zip(starts.tolist(), [*starts[1:].tolist(), count], strict=True)


def _has_row_step(ranks: Integers) -> bool:
    """Return whether ranks go up by one along the rows, and by the same step from row to row."""
    (count, length), first = ranks.shape, ranks[0, 0]
    step = ranks[1, 0] - first if count > 1 else length
    return bool(step >= length and np.array_equal(ranks, first + step * np.arange(count)[:, None] + np.arange(length)))


def _order(columns: list[Integers]) -> Integers:
    """Return an order of the members in which the operand that is shared least is read in order."""
    if len(columns) == 1:
        return np.argsort(columns[0], kind="stable")
    distinct = [np.count_nonzero(np.diff(np.sort(column))) for column in columns]
    ranked = sorted(range(len(columns)), key=lambda i: distinct[i])  # lexsort takes the last key first
    return np.lexsort([columns[i] for i in ranked])
