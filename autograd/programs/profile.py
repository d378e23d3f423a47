"""A lowered program, described: its groups, what each stands for, how it is run, and how long that takes.

>>> from autograd import Value, dot, exp
>>> from autograd.programs.program import Program
>>> w, x = [Value(0.5) for _ in range(24)], [Value(2.0) for _ in range(3)]
>>> outputs = [exp(dot(w[i : i + 3], x)) for i in range(0, 24, 3)]
>>> found = Profile(Program.of(outputs, inputs=w + x), ())
>>> [entry.title for entry in found.entries]
['matrix product 1 × 3 · 3 × 8', 'exp of 8 numbers']
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from autograd.native import selection
from autograd.programs.array_rules import Arrays
from autograd.programs.groups import (
    CONTIGUOUS,
    GATHERED,
    SINGLE,
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
)
from autograd.programs.lowering import PASSES
from autograd.programs.lowering.instructions import Instructions
from autograd.programs.lowering.layout import Layout
from autograd.programs.lowering.sums import with_dot_products, with_sums
from autograd.programs.program import Program

if TYPE_CHECKING:
    from autograd.programs.groups import Integers

MERGING = (with_sums, with_dot_products)  # the passes whose instructions go on as a part of others; else they are gone
SECONDS = 0.2  # to measure all groups of a program in
LANES = 16  # examples side by side, when a program for batches is measured
TYPICAL = 0.75  # a number in the domain of most functions, for groups to be measured with
MODES = {CONTIGUOUS: "contiguous", SINGLE: "one number", GATHERED: "gathered"}
ARRAYS = Arrays(np)


@dataclass
class Entry:
    """A group of a lowered program.

    Attributes:
        group: the group.
        instructions: how many instructions of the program it stands for.
        level: 1 if it reads leaves alone, else one more than the highest level that it reads.
        sources: the numbers of the entries that it reads.
    """

    group: Group | Total
    instructions: int
    level: int
    sources: list[int]

    @property
    def title(self) -> str:
        """What it computes."""
        return title_of(self.group)

    @property
    def reads(self) -> str:
        """How it reads its operands."""
        group = self.group
        if isinstance(group, Map):
            return ", ".join(MODES[operand.mode] for operand in group.operands)
        if isinstance(group, Sum | Dots):
            operands = group.terms if isinstance(group, Sum) else [*group.lefts, *group.rights]
            counted = Counter(MODES[operand.mode] for operand in operands)
            return ", ".join(f"{count} {mode}" for mode, count in counted.items())
        if isinstance(group, Matrix):
            rows = "lanes" if group.rows_vary else "in place" if None not in group.row_steps() else "gathered"
            columns = "lanes" if group.varies else "in place" if all(group.columns_in_place()) else "gathered"
            return f"{rows}, {columns}"
        return "one by one" if isinstance(group, Tape) else "over the lanes"

    @property
    def run_by(self) -> str:
        """What runs it, in the engine that was chosen."""
        group, is_plain = self.group, selection.running().instruction_set() == "numpy"
        if isinstance(group, Map) and group.primitive is not None:
            if is_plain:
                function = ARRAYS.function(group.primitive) if group.primitive.index else None
                is_python = not group.primitive.index or "by_element" in getattr(function, "__qualname__", "")
            else:
                is_python = len(group.operands) > 3 or not selection.running().has_tape_step(group.code)
            if is_python:
                return "Python"
            if is_plain:
                return "NumPy"
            return "gather, loop" if any(operand.mode == GATHERED for operand in group.operands) else "loop"
        if is_plain:
            return "Python" if isinstance(group, Tape) else "NumPy"
        kinds: dict[type, str] = {Map: "copy", Sum: "sum loop", Dots: "dot loop", Matrix: "matrix kernel", Tape: "tape"}
        return kinds.get(type(group), "totals")


class Profile:
    """A program, lowered and described.

    Args:
        program: the program.
        varying: the numbers of the inputs that differ from example to example of a batch.

    Attributes:
        code: the lowered program.
        passes: of each pass its name, and how many instructions there are after it.
        entries: its groups, in the order in which they run.
    """

    def __init__(self, program: Program, varying: Sequence[int]) -> None:
        instructions = Instructions.of(program)
        self.recorded = int((instructions.codes > 0).sum())
        self.leaves = len(program.inputs), len(program.parameters)
        weights = (instructions.codes > 0).astype(np.int64)
        self.passes: list[tuple[str, int]] = []
        for change in PASSES:
            changed = change(instructions)
            is_there = changed.needed() & (changed.codes > 0)
            weights = np.append(weights, np.zeros(len(changed) - len(weights), np.int64))
            gone = np.flatnonzero(~is_there & (weights > 0))
            if change in MERGING:
                user = np.arange(len(changed))
                user[instructions.operands] = instructions.owners()
                user[is_there] = np.flatnonzero(is_there)
                while not np.array_equal(further := user[user], user):
                    user = further
                np.add.at(weights, user[gone], weights[gone])
            weights[gone] = 0
            instructions = changed
            self.passes.append((change.__name__.replace("_", " "), int(is_there.sum())))
        varies = np.zeros(len(instructions), bool)
        varies[instructions.inputs[list(varying)]] = True
        layout = Layout(instructions, varies, bool(len(varying)))
        self.code = layout.code()
        self.entries = self._entries(layout, weights)

    def _entries(self, layout: Layout, weights: Integers) -> list[Entry]:
        sizes = self.code.uniform_size, self.code.varying_size
        weight_at = [np.zeros(size, np.int64) for size in sizes]
        for vary in (False, True):
            slots = np.flatnonzero((layout.varies == vary) & (layout.places >= 0) & (weights > 0))
            weight_at[vary][layout.places[slots]] = weights[slots]
        made_by = [np.full(size, -1) for size in sizes]
        entries: list[Entry] = []
        for group in (*self.code.all_groups(), *self.code.totals):
            if isinstance(group, Totals | OuterTotals):
                vary, made = False, group.outs
            else:
                vary, made = group.varies, np.arange(group.out, group.out + group.count)
            count = group.count if isinstance(group, OuterTotals) else int(weight_at[vary][made].sum())
            sources = {int(i) for memory, places in group.reads() for i in np.unique(made_by[memory][places])} - {-1}
            level = 1 + max((entries[i].level for i in sources), default=0)
            made_by[vary][made] = len(entries)
            entries.append(Entry(group, count, level, sorted(sources)))
        self.results = sorted({int(i) for i in self._makers(made_by)} - {-1})
        return entries

    def _makers(self, made_by: list[Integers]) -> Iterator[int]:
        """The entries that outputs come from."""
        for place, vary in zip(self.code.outputs.tolist(), self.code.output_varies.tolist(), strict=True):
            yield made_by[vary and not self.code.totals][place]

    @cached_property
    def seconds(self) -> list[float | None]:
        """How long each group takes by itself; None if it could not be run."""
        outputs, output_varies = self.code.outputs[:0], self.code.output_varies[:0]
        empty = replace(
            self.code, groups=[], varying_groups=[], totals=[], outputs=outputs, output_varies=output_varies
        )
        each = SECONDS / max(len(self.entries), 1)
        base = {vary: fastest(empty, LANES if vary else 0, 0.01) for vary in (False, bool(self.code.varying_inputs))}
        return [self._seconds_of(entry, empty, each, base) for entry in self.entries]

    def _seconds_of(self, entry: Entry, empty: Code, limit: float, base: dict[bool, float]) -> float | None:
        """The time of a group that is run several times in a row, without anything else."""
        group = entry.group
        lists = [places for _, places in group.reads()]
        again = max(1, min(32, 400 // max(len(lists), 1), 20_000 // max(sum(map(len, lists)), 1)))
        if isinstance(group, Totals | OuterTotals):
            again, code = 1, replace(empty, totals=[group])
        elif group.varies:
            code = replace(empty, varying_groups=[group] * again)
        else:
            code = replace(empty, groups=[group] * again)
            if isinstance(group, Map):  # of 0 many functions are faster, or slower, than of other numbers
                places = np.unique(np.concatenate(lists))
                code.constants = dict.fromkeys(places[places >= code.inputs].tolist(), TYPICAL)
        vary = bool(code.varying_groups or code.totals)
        try:
            return max(0.0, fastest(code, LANES if vary else 0, limit) - base[vary]) / again
        except Exception:  # a primitive of the user's own may not take these numbers
            return None

    def whole(self) -> float:
        """How long a run takes: of a block of examples, if inputs vary."""
        return fastest(self.code, LANES if self.code.varying_inputs else 0, 0.05)


def title_of(group: Group | Total) -> str:
    """What a group computes, in words."""
    if isinstance(group, Map):
        if group.primitive is None:
            return f"copies of {counted(group.count, 'number')} to the lanes"
        arity = len(group.operands)
        noun = {1: "number", 2: "pair", 3: "triple"}.get(arity)
        return (
            f"{group.primitive.name} of {counted(group.count, noun) if noun else f'{arity} operands, {group.count:,}'}"
        )
    if isinstance(group, Sum):
        return _repeated("sum", len(group.terms), group.count)
    if isinstance(group, Dots):
        return _repeated("dot product", len(group.lefts), group.count)
    if isinstance(group, Matrix):
        rows, terms, columns = len(group.rows), int(group.rows.shape[1]), len(group.columns)
        part = "" if rows * columns == group.count else f", {group.count:,} of it"
        return f"matrix product {rows:,} × {terms:,} · {terms:,} × {columns:,}{part}"
    if isinstance(group, Tape):
        return f"tape of {counted(group.count, 'instruction')}"
    if isinstance(group, OuterTotals):
        return f"totals of {len(group.lefts):,} × {len(group.rights):,} products"
    return f"totals of {counted(group.count, 'number')}"


def fastest(code: Code, lanes: int, limit: float) -> float:
    """The shortest time that a run takes, of those within so many seconds; of at least three."""
    runner = selection.running().Runner(code, lanes)
    inputs = np.full(code.inputs, TYPICAL)
    rows = [np.full((lanes, code.varying_inputs), TYPICAL)]
    outputs = np.empty((1 if code.totals or not code.output_varies.any() else lanes, len(code.outputs)))
    best, runs, end = float("inf"), 0, time.perf_counter() + limit
    while runs < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        if lanes:
            runner.batch(inputs, rows, None, outputs)
        else:
            runner.call(inputs, outputs[0])
        best, runs = min(best, time.perf_counter() - start), runs + 1
    return best


def counted(count: int, noun: str) -> str:
    """A count with its noun.

    >>> counted(1, "group"), counted(1234, "group")
    ('1 group', '1,234 groups')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _repeated(noun: str, terms: int, count: int) -> str:
    what = f"of {counted(terms, 'term')}"
    return f"{noun} {what}" if count == 1 else f"{noun}s {what}, {count:,}"
