"""Which parts of a loop are needed, and how it becomes a group.

A loop is recorded with everything that it could compute. What nothing reads is left out: results, numbers of the state
on which nothing else depends, and the rows and constants that only those read. A loop that pulls gradients back needs
the states of another loop, which then keeps them; that loop is added if the program does not have it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.programs.groups import ADD, MULTIPLY, TRACED, Code, Loop
from autograd.programs.program import Program
from autograd.programs.recorded_loops import Body, RecordedLoop

if TYPE_CHECKING:
    from autograd.programs.groups import Integers, Truths

Lower = Callable[[Program, "Truths", bool, int], Code]
LEAST_TOTALS = 64  # sums over all rounds, from which on they are not computed round by round
LEAST_BESIDE = 8  # rounds side by side


@dataclass
class Part:
    """What is needed of a round.

    Attributes:
        state, kept, row, constants, results: which numbers of its state, of what was kept, and so on.
        costly: which of its other numbers are to be kept.
        program: the round.
        totals: which numbers of the state are sums over all rounds that are computed by themselves.
        traced: how many numbers the round computes for them.
        sums: the program of these sums.
    """

    state: Integers
    kept: Integers
    row: Integers
    constants: Integers
    results: Integers
    costly: Integers
    program: Program
    totals: Integers | None = None
    traced: int = 0
    sums: Program | None = None

    def with_totals(self, first: int) -> Part:
        """Take sums over all rounds, the gradients of constants, out of the state from one of its numbers on.

        In their place a round computes the terms of the sums, or the factors of the terms. Another program adds them up
        side by side, as for a batch, in the same order. This is done for `LEAST_TOTALS` sums or more, and for fewer if
        no other state is left then.
        """
        program, count = self.program, len(self.state)
        own, outputs, uses = program.inputs[:count], program.outputs[:count], program.uses()
        is_sum = (self.state >= first) & (program.codes[outputs] == ADD) & (uses[outputs] == 1) & (uses[own] == 1)
        chosen = np.flatnonzero(is_sum)
        sides = program.operands[program.starts[outputs[chosen]][:, None] + np.arange(2)]
        fits = sides[:, 0] == own[chosen]
        chosen, terms = chosen[fits], sides[fits, 1]
        if len(chosen) < (1 if len(chosen) == count else LEAST_TOTALS):
            return self
        is_product = (program.codes[terms] == MULTIPLY) & (uses[terms] == 1)
        pairs = program.operands[program.starts[terms[is_product]][:, None] + np.arange(2)]
        traced, which = np.unique(np.concatenate([pairs.ravel(), terms[~is_product]]), return_inverse=True)
        size, made = len(traced), len(pairs)
        outs = np.zeros(len(chosen), np.int64)
        outs[is_product], outs[~is_product] = size + np.arange(made), which.ravel()[2 * made :]
        sums = Program(
            np.repeat([0, MULTIPLY], [size, made]),
            np.concatenate([np.zeros(size, np.int64), 2 * np.arange(made + 1)]),
            which.ravel()[: 2 * made],
            np.zeros(size + made),
            np.arange(size),
            (),
            outs,
        )
        stays, end = np.setdiff1d(np.arange(count), chosen), count + len(self.results)
        parts = [outputs[stays], program.outputs[count:end], traced, program.outputs[end:]]
        inputs = np.concatenate([own[stays], program.inputs[count:]])
        rest = program.replaced(outputs=np.concatenate(parts), inputs=inputs)
        return replace(self, state=self.state[stays], program=rest, totals=self.state[chosen], traced=size, sums=sums)

    @classmethod
    def of(cls, body: Body, state: set[int], results: set[int], costly: set[int], kept: set[int]) -> Part:
        """Find what some numbers of the last state, and some results of each round, depend on.

        The numbers of `kept` are read in any case, since the other loop keeps them in one row.
        """
        program, size = body.program, len(body.state)
        outputs, inputs = program.outputs, program.inputs
        first = size + len(body.results)
        others = [size + place for place in sorted(results)] + [first + place for place in sorted(costly)]
        others += range(first + len(body.costly), len(outputs))  # whether there is a next round
        found, chosen = -1, sorted(state)
        while len(chosen) > found:
            found = len(chosen)
            wanted = outputs[[*chosen, *others]]
            needed = program.replaced(outputs=wanted).needed()[inputs]
            chosen = sorted({*chosen, *np.flatnonzero(needed[:size]).tolist()})
        needed[[*chosen, *(size + place for place in kept)]] = True
        cuts = np.cumsum([size, len(body.kept), len(body.row)])
        state_part, kept_part, row, constants = (np.flatnonzero(part) for part in np.split(needed, cuts))
        made = program.replaced(outputs=wanted, inputs=inputs[needed])
        chosen_results, chosen_costly = (np.array(sorted(each), np.int64) for each in (results, costly))
        return cls(state_part, kept_part, row, constants, chosen_results, chosen_costly, made)


@dataclass
class LoopPlan:
    """A loop of a program.

    Attributes:
        loop: its primitive.
        operands: the slots of its operands.
        wanted: the places of the results that are read.
        keeps: which numbers of the state, and then of what is costly, are to be kept for another loop.
        store: the number of the store that it keeps them in, or reads.
        forward: of a loop that pulls, the one that keeps the states.
        out: the place of the first result of its group; None before it is among the groups.
        results: then the place of each of the results that are read, from that one on.
        inputs_vary: then whether each number of its state, and of what is costly, varies.
        rounds_vary: then whether the count of its rounds does.
    """

    loop: RecordedLoop
    operands: Integers
    wanted: Integers
    keeps: set[int] = field(default_factory=set)
    store: int | None = None
    forward: LoopPlan | None = None
    out: int | None = None
    results: Any = None
    inputs_vary: Any = None
    rounds_vary: bool = False

    @property
    def part(self) -> Part:
        """What is needed of a round."""
        size, width = len(self.loop.body.state), max(len(self.loop.body.results), 1)
        state = set(self.wanted[self.wanted < size].tolist()) | {place for place in self.keeps if place < size}
        costly = {place - size for place in self.keeps if place >= size}
        results = set(((self.wanted[self.wanted >= size] - size) % width).tolist())
        return Part.of(self.loop.body, state, results, costly, set() if self.forward is None else self.forward.keeps)


def plans_of(
    loops: dict[int, RecordedLoop], operands: dict[int, Integers], wanted: dict[int, Integers]
) -> dict[int, LoopPlan]:
    """Return the plan of each loop of a program, by its slot, with the states that it keeps for another one.

    Args:
        loops: the primitives.
        operands: the slots of the operands.
        wanted: the places of the results that are read.
    """
    plans = {slot: LoopPlan(loop, operands[slot], wanted[slot]) for slot, loop in loops.items()}
    known = {(plan.loop, plan.operands.tobytes()): plan for plan in plans.values() if plan.loop.pulls is None}
    none = np.zeros(0, np.int64)
    for plan in plans.values():
        forward = plan.loop.pulls
        if forward is None:
            continue
        given = plan.operands[: forward.operand_count()]
        part = plan.part
        if not len(part.kept) and plan.loop.count is not None:
            continue
        key = forward, given.tobytes()
        plan.forward = known.setdefault(key, LoopPlan(forward, given, none))
        plan.forward.keeps.update(part.kept.tolist())
        if plan.forward.store is None:
            plan.forward.store = sum(each.store is not None for each in known.values())
        plan.store = plan.forward.store
    return plans


def group_of(plan: LoopPlan, given: Integers, given_vary: Truths, zero: int, lower: Lower) -> tuple[Loop, Integers]:
    """Return the group of a loop, and for each of the results that are read its place from the first one on.

    Args:
        plan: the loop.
        given: the places of its operands.
        given_vary: in which memory each is.
        zero: the uniform place of the number 0.
        lower: lowers the program of a round, by which of its inputs vary.
    """
    loop, body, part = plan.loop, plan.loop.body, plan.part
    varies = bool(given_vary.any())
    if loop.pulls is not None and not varies:
        part = part.with_totals(len(loop.pulls.body.state))
    head, state, constants, rows = _apart(loop.pulls or loop)
    size, head_vary = len(state), bool(given_vary[head].any())
    start, start_vary = given[state], given_vary[state]
    if loop.pulls is not None:  # the gradients of the constants start from 0
        own = np.arange(loop.pulls.operand_count(), len(plan.operands))
        start = np.concatenate([given[own[:size]], np.full(len(constants), zero)])
        start_vary = np.concatenate([given_vary[own[:size]], np.zeros(len(constants), bool)])
        if loop.has_results:
            rows = np.concatenate([rows, own[size:].reshape(len(rows), -1)], axis=1)
    rows, constants = rows[:, part.row], constants[part.constants]
    kept, kept_vary, rounds_vary = None, np.zeros(0, bool), head_vary
    if plan.forward is not None:
        kept_vary, rounds_vary = plan.forward.inputs_vary[part.kept], plan.forward.rounds_vary
    elif plan.store is not None:
        kept = np.searchsorted(part.state, [place for place in sorted(plan.keeps) if place < size])
    count = len(part.state)
    # Rounds that carry nothing are run side by side, as the examples of a batch: their rows vary.
    is_beside = (
        not (count or varies or plan.store is not None) and loop.count is not None and loop.count >= LEAST_BESIDE
    )
    of_state, of_rows = start_vary[part.state] | rounds_vary, given_vary[rows].any(axis=0) | is_beside
    vary = np.concatenate([of_state, kept_vary, of_rows, given_vary[constants]])
    while True:
        leaves = np.zeros(len(part.program), bool)
        leaves[part.program.inputs] = vary
        does_vary = part.program.analysed(leaves)[1][part.program.outputs]
        rounds_vary |= body.go_on is not None and bool(does_vary[-1])
        does_vary = does_vary[:count] | rounds_vary
        if not (does_vary & ~vary[:count]).any():
            break
        vary[:count] |= does_vary
    plan.rounds_vary = rounds_vary
    plan.inputs_vary = np.zeros(len(body.state) + len(body.costly), bool)
    plan.inputs_vary[part.state] = vary[:count]
    of_costly = count + len(part.results) + np.arange(len(part.costly))
    plan.inputs_vary[len(body.state) + part.costly] = part.program.analysed(leaves)[1][part.program.outputs[of_costly]]
    group = Loop(
        body=lower(part.program, vary, False, len(constants)),
        sizes=(count, len(part.kept), len(part.row), len(part.constants), len(part.results)),
        inputs_vary=vary,
        operands=np.concatenate([start[part.state], given[constants], given[rows].reshape(-1)]),
        operands_vary=np.concatenate([start_vary[part.state], given_vary[constants], given_vary[rows].reshape(-1)]),
        rounds=loop.count,
        head=None if loop.count is not None or loop.pulls is not None else (head_vary, int(given[head[0]])),
        rounds_vary=rounds_vary,
        has_condition=body.go_on is not None,
        is_backward=loop.pulls is not None,
        is_reversed=loop.is_reversed,
        store=plan.store,
        kept=kept,
        costly=len(part.costly),
        out=plan.out or 0,
        varies=varies,
    )
    if is_beside and loop.count is not None:
        group.beside = min(TRACED, loop.count + -loop.count % 8)
    if part.sums is not None:
        group.traced = part.traced
        group.totals = lower(part.sums, np.ones(part.traced, bool), True, 0)
    wanted, width = plan.wanted, max(len(body.results), 1)
    row, column = np.divmod(wanted - len(body.state), width)
    places = count + row * len(part.results) + np.searchsorted(part.results, column)
    is_state = wanted < len(body.state)
    places[is_state] = np.searchsorted(part.state, wanted[is_state])
    if part.totals is not None:
        is_total = np.isin(wanted, part.totals) & is_state
        end = count + (loop.count or 0) * len(part.results)
        places[is_total] = end + np.searchsorted(part.totals, wanted[is_total])
    return group, places


def _apart(loop: RecordedLoop) -> tuple[Integers, Integers, Integers, Integers]:
    """Return which operands of a loop that does not pull are the head, the state, the constants and the rows."""
    first, head, size = loop.rows_at(), loop.head, len(loop.body.state)
    rows = np.arange(first, loop.operand_count()).reshape(loop.count or 0, len(loop.body.row))
    return np.arange(head), np.arange(head, head + size), np.arange(head + size, first), rows
