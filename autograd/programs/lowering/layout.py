"""The pass that puts instructions in groups, orders their members, and gives every number its place in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autograd.native import selection
from autograd.programs.groups import (
    Code,
    Dots,
    Group,
    Map,
    Matrix,
    OuterTotals,
    Sum,
    Tape,
    Total,
    Totals,
    blocks_of,
    operand_of,
    runs_of,
)
from autograd.programs.lowering.instructions import DOT, MULTIPLY, SUM, TABLE, Instructions
from autograd.programs.lowering.products import plan_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autograd.programs.groups import Integers, Truths

LEAST_RUN = 12  # members that a run must have on average, for a group to be split into runs
LONG_ROW = 64  # products side by side, with which vectors are full enough
FEW_TERMS = 4  # of dot products of lanes, below which a loop over the lanes is as fast as a matrix product
DEEP = 0.25  # groups for each instruction, above which a program is run as a tape


class Layout:
    """The places of a program's numbers, and its groups.

    Args:
        instructions: the instructions.
        varies: for each slot whether it is an input that varies over the examples of a batch.
        totals: whether what is wanted of outputs that vary is their sum over the examples.
        deep: how many groups for each instruction make the program a tape; 1 for none.
    """

    def __init__(self, instructions: Instructions, varies: Truths, totals: bool, deep: float = DEEP) -> None:
        self.instructions = instructions
        self.levels, self.varies, self.is_needed = selection.running().analyse(
            instructions.codes, instructions.starts, instructions.operands, instructions.outputs, varies
        )
        self.places = np.full(len(instructions), -1, np.int64)
        self.sizes = [0, 0]  # of the uniform and the varying memory
        self.groups: tuple[list[Group], list[Group]] = ([], [])
        self.totals: list[Total] = []
        self.copies: dict[int, int] = {}  # the varying place of a uniform slot
        is_input_that_varies = varies[instructions.inputs]
        self._put(instructions.inputs[~is_input_that_varies])
        self._put(instructions.inputs[is_input_that_varies])
        self.inputs = tuple(self.sizes)
        constants = np.flatnonzero(instructions.is_constant & self.is_needed)
        self._put(constants)
        self.constants = dict(
            zip(self.places[constants].tolist(), instructions.numbers[constants].tolist(), strict=True)
        )
        self.summed = self._products_to_total() if totals else np.zeros(len(instructions), bool)
        groups = self._members()
        if len(groups) > deep * sum(map(len, groups)) and self._fits_tape():
            self._add_tape()
        else:
            for members in groups:
                self._add(members)
        outputs = instructions.outputs
        self.output_varies = self.varies[outputs].copy()
        self.outputs = self.places[outputs].copy()
        if totals:
            self._add_totals()

    def code(self) -> Code:
        """The lowered program."""
        others = {len(TABLE) + 1 + i: primitive for i, primitive in enumerate(self.instructions.others)}
        (uniform_size, varying_size), (inputs, varying_inputs) = self.sizes, self.inputs
        groups, varying_groups = self.groups
        return Code(
            uniform_size, varying_size, inputs, varying_inputs, self.constants, groups, varying_groups, self.totals,
            self.outputs, self.output_varies, others,
        )  # fmt: skip

    def _put(self, slots: Integers) -> int:
        """Give slots of one kind the next places; the first of them."""
        if not len(slots):
            return 0
        varies = int(self.varies[slots[0]])
        first = self.sizes[varies]
        self.places[slots] = first + np.arange(len(slots))
        self.sizes[varies] += len(slots)
        return first

    def _members(self) -> list[Integers]:
        """The slots of each group, group after group: same level, primitive, count and memories of the operands."""
        instructions = self.instructions
        slots = np.flatnonzero(self.is_needed & (instructions.codes > 0) & ~self.summed)
        if not len(slots):
            return []
        counts = instructions.counts()
        pattern = np.zeros(len(instructions), np.int64)  # which operands vary; of sums and dot products it is left open
        is_open = (instructions.codes == SUM) | (instructions.codes == DOT)
        few = slots[(counts[slots] <= 3) & ~is_open[slots]]
        for place in range(3):
            has = few[counts[few] > place]
            pattern[has] |= (
                self.varies[instructions.operands[instructions.starts[has] + place]].astype(np.int64) << place
            )
        known: dict[bytes, int] = {}
        for slot in slots[(counts[slots] > 3) & ~is_open[slots]].tolist():  # long products
            vary = self.varies[instructions.operands_of(slot)]
            pattern[slot] = known.setdefault(vary.tobytes(), len(known))
        keys = np.stack([pattern, counts, instructions.codes, self.varies, self.levels])[:, slots]
        order = np.lexsort(keys)
        keys = keys[:, order]
        breaks = np.flatnonzero((keys[:, 1:] != keys[:, :-1]).any(axis=0)) + 1
        return np.split(slots[order], breaks)

    def _fits_tape(self) -> bool:
        """Whether every instruction has a step on a tape, and none varies."""
        codes = np.unique(self.instructions.codes[self.is_needed])
        return not self.varies.any() and all(selection.running().has_tape_step(code) for code in codes.tolist() if code)

    def _add_tape(self) -> None:
        """All instructions one after another."""
        instructions = self.instructions
        slots = np.flatnonzero(self.is_needed & (instructions.codes > 0))
        out = self._put(slots)
        counts = instructions.counts()[slots]
        ends = np.cumsum(counts)
        edges = np.repeat(instructions.starts[slots] - ends + counts, counts) + np.arange(int(counts.sum()))
        starts = np.concatenate([[0], ends])
        operands = self.places[instructions.operands[edges]]
        self.groups[0].append(Tape(instructions.codes[slots], starts, operands, out))

    def _operands(self, members: Integers) -> Integers:
        """The slots of the operands: a row for each member."""
        starts = self.instructions.starts
        count = starts[members[0] + 1] - starts[members[0]]
        return self.instructions.operands[starts[members][:, None] + np.arange(count)]

    def _add(self, members: Integers) -> None:
        slots = self._operands(members)
        code = int(self.instructions.codes[members[0]])
        if code == SUM:
            self._add_sums(members, slots)
        elif code == DOT:
            self._add_dots(members, slots)
        else:
            self._add_map(members, slots, code)

    def _add_map(self, members: Integers, slots: Integers, code: int) -> None:
        columns = [self.places[slots[:, i]] for i in range(slots.shape[1])]
        varies = [bool(self.varies[slots[0, i]]) for i in range(slots.shape[1])]
        order = _order(columns)
        members, columns = members[order], [column[order] for column in columns]
        out, result_varies = self._put(members), bool(self.varies[members[0]])
        primitive = self.instructions.primitive(code)
        starts = runs_of(columns)
        if starts is None or (len(starts) > 1 and len(members) < LEAST_RUN * len(starts)):
            starts = np.zeros(1, np.int64)
        for start, end in zip(starts, [*starts[1:], len(members)], strict=True):
            operands = [operand_of(column[start:end], v) for column, v in zip(columns, varies, strict=True)]
            group = Map(primitive, code, out + int(start), result_varies, int(end - start), operands)
            self.groups[result_varies].append(group)

    def _varying(self, slots: Integers) -> Integers:
        """The varying places of slots; uniform ones among them are copied to the lanes first."""
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
            is_uniform = ~self.varies[slots]
            copies = np.array([self.copies[slot] for slot in uniform.tolist()])
            places = np.where(is_uniform, copies[where], places)
        return places

    def _add_sums(self, members: Integers, slots: Integers) -> None:
        varies = bool(self.varies[members[0]])
        places = self._varying(slots) if varies else self.places[slots]
        order = _order(list(places[:, :3].T))
        members, places = members[order], places[order]
        out = self._put(members)
        starts = runs_of(list(places.T))
        if starts is None or len(members) < LEAST_RUN * len(starts):
            starts = np.zeros(1, np.int64)
        for start, end in zip(starts, [*starts[1:], len(members)], strict=True):
            terms = [operand_of(column, varies) for column in places[start:end].T]
            self.groups[varies].append(Sum(terms, out + int(start), varies, int(end - start)))

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
        plan = plan_of(a, b, may_swap, is_packed=not varies)
        if plan.is_worth_it() or (not may_swap and a.shape[1] >= FEW_TERMS):
            out = self._put(members[plan.order])
            matrix = Matrix(plan.rows, plan.columns, left_varies, varies, plan.runs, out, varies, len(members))
            self.groups[varies].append(matrix)
            return
        order = _order([a[:, 0], b[:, 0]])
        members, a, b = members[order], a[order], b[order]
        out = self._put(members)
        lefts = [operand_of(column, left_varies) for column in a.T]
        rights = [operand_of(column, varies) for column in b.T]
        self.groups[varies].append(Dots(lefts, rights, out, varies, len(members)))

    def _products_to_total(self) -> Truths:
        """The outputs that are products of two numbers that vary, and nothing else: they are only needed in total."""
        instructions = self.instructions
        found = np.zeros(len(instructions), bool)
        outputs = np.unique(instructions.outputs)
        uses = instructions.uses()
        is_output = np.bincount(instructions.outputs, minlength=len(instructions))
        products = outputs[(instructions.codes[outputs] == MULTIPLY) & (uses[outputs] == is_output[outputs])]
        if len(products):
            factors = instructions.operands[instructions.starts[products][:, None] + np.arange(2)]
            found[products[self.varies[factors].all(axis=1)]] = True
        return found

    def _add_totals(self) -> None:
        """Groups for the sums of outputs over the examples. The sums stand in the order of the outputs if they can."""
        instructions = self.instructions
        outputs = instructions.outputs[self.output_varies]
        wanted, first = np.unique(outputs, return_index=True)
        plain = wanted[~self.summed[wanted]]
        plain = plain[np.argsort(self.places[plain], kind="stable")]
        ranks = np.zeros(len(instructions), np.int64)  # of the slots that are summed up
        ranks[wanted[np.argsort(first)]] = np.arange(len(wanted))
        blocks = list(self._blocks_of_products(wanted[self.summed[wanted]], ranks))
        if not all(_has_row_step(ranks[members]) for _, _, members in blocks):
            ranks[np.concatenate([members.ravel() for _, _, members in blocks] + [plain])] = np.arange(len(wanted))
        places = self.sizes[0] + ranks
        self.sizes[0] += len(wanted)
        for lefts, rights, members in blocks:
            rows = places[members[:, 0]]
            row_step = int(rows[1] - rows[0]) if len(rows) > 1 else len(rights)
            self.totals.append(OuterTotals(lefts, rights, int(rows[0]), row_step))
        if len(plain):
            self.totals.append(Totals(self.places[plain], places[plain]))
        self.outputs[self.output_varies] = places[outputs]

    def _blocks_of_products(self, products: Integers, ranks: Integers) -> Iterator[tuple[Integers, Integers, Integers]]:
        """Products of each of some numbers with each of others: the places of both, and the slots, row after row.

        Args:
            products: the slots.
            ranks: of each slot; rows and columns are ordered by them.
        """
        if not len(products):
            return
        starts = self.instructions.starts[products]
        factors = self.places[self.instructions.operands[starts[:, None] + np.arange(2)]]
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


def _has_row_step(ranks: Integers) -> bool:
    """Whether ranks go up by one along the rows, and by the same step from row to row."""
    (count, length), first = ranks.shape, ranks[0, 0]
    step = ranks[1, 0] - first if count > 1 else length
    return bool(step >= length and np.array_equal(ranks, first + step * np.arange(count)[:, None] + np.arange(length)))


def _order(columns: list[Integers]) -> Integers:
    """An order of the members in which the operand that is shared least is read in order."""
    if len(columns) == 1:
        return np.argsort(columns[0], kind="stable")
    distinct = [np.count_nonzero(np.diff(np.sort(column))) for column in columns]
    ranked = sorted(range(len(columns)), key=lambda i: distinct[i])  # lexsort takes the last key first
    return np.lexsort([columns[i] for i in ranked])
