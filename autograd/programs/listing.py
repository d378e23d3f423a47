"""Lowered programs described: their groups, what each stands for, how it is run, how long that takes; and as a table.

>>> from autograd import Value, dot, exp
>>> from autograd.programs.program import Program
>>> w, x = [Value(0.5) for _ in range(24)], [Value(2.0) for _ in range(3)]
>>> program = Program.of([exp(dot(w[i : i + 3], x)) for i in range(0, 24, 3)], inputs=w + x)
>>> [entry.title for entry in Profile(program, ()).entries]
['matrix product 1 × 3 · 3 × 8', 'exp of 8 numbers']
>>> print(program.listing(timed=False).splitlines()[0])
16 instructions in 2 groups: 27 inputs, 0 parameters, 8 outputs
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from autograd.native import selection
from autograd.programs.array_rules import ARRAYS
from autograd.programs.groups import CONTIGUOUS, GATHERED, SINGLE, Chain, Code, Group, Loop, Map, Matrix, Sum, Total
from autograd.programs.layout import Layout
from autograd.programs.passes import PASSES, followed, with_dot_products, with_sums, with_trees
from autograd.programs.program import Program

if TYPE_CHECKING:
    from autograd.programs.groups import Integers

MERGING = (with_sums, with_dot_products)  # the passes whose instructions go on as a part of others; else they are gone
SECONDS = 0.2  # to measure all groups of a program in
LANES = 16  # examples side by side, when a program for batches is measured
TYPICAL = 0.75  # a number in the domain of most functions, for groups to be measured with
MODES = {CONTIGUOUS: "contiguous", SINGLE: "one number", GATHERED: "gathered"}
COLUMNS = {"group": 44, "reads": 22, "run by": 13}  # and how wide they may be


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
        if isinstance(group, Sum):
            counted = Counter(MODES[operand.mode] for operand in group.all_operands())
            return ", ".join(f"{count} {mode}" for mode, count in counted.items())
        if isinstance(group, Matrix):
            rows = "lanes" if group.rows_vary else "in place" if None not in group.row_steps() else "gathered"
            columns = "lanes" if group.varies else "in place" if all(group.columns_in_place()) else "gathered"
            return f"{rows}, {columns}"
        if isinstance(group, Loop):
            return "backwards" if group.is_backward else "round by round"
        return "one by one" if isinstance(group, Chain) else "over the lanes"

    @property
    def run_by(self) -> str:
        """What runs it, in the engine that was chosen."""
        group, is_plain = self.group, selection.execution().instruction_set() == "numpy"
        if isinstance(group, Map) and group.primitive is not None:
            if is_plain:
                function = ARRAYS.function(group.primitive) if group.primitive.index else None
                is_python = not group.primitive.index or "by_element" in getattr(function, "__qualname__", "")
            else:
                is_python = len(group.operands) > 3 or not selection.execution().has_chain_step(group.code)
            if is_python:
                return "Python"
            if is_plain:
                return "NumPy"
            return "gather, loop" if any(operand.mode == GATHERED for operand in group.operands) else "loop"
        if is_plain:
            return "Python" if isinstance(group, Chain | Loop) else "NumPy"
        if isinstance(group, Sum):
            return "dot loop" if group.factors else "sum loop"
        return {Map: "copy", Matrix: "matrix kernel", Chain: "chain", Loop: "rounds", Total: "totals"}[type(group)]


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
        program = with_trees(program)
        self.recorded = int((program.codes > 0).sum())
        self.leaves = len(program.inputs), len(program.parameters)
        weights = (program.codes > 0).astype(np.int64)
        self.passes: list[tuple[str, int]] = []
        for change in PASSES:
            changed = change(program)
            is_there = changed.needed() & (changed.codes > 0)
            weights = np.append(weights, np.zeros(len(changed) - len(weights), np.int64))
            gone = np.flatnonzero(~is_there & (weights > 0))
            if change in MERGING:
                user = np.arange(len(changed))
                user[program.operands] = program.owners()
                user[is_there] = np.flatnonzero(is_there)
                user = followed(user)
                np.add.at(weights, user[gone], weights[gone])
            weights[gone] = 0
            program = changed
            self.passes.append((change.__name__.replace("_", " "), int(is_there.sum())))
        varies = np.zeros(len(program), bool)
        varies[program.inputs[list(varying)]] = True
        layout = Layout(program, varies, bool(len(varying)))
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
            vary, made = group.varies, group.results()
            is_product = isinstance(group, Total) and group.factors is not None
            count = group.count if is_product else int(weight_at[vary][made].sum())
            sources = {int(i) for memory, places in group.reads() for i in np.unique(made_by[memory][places])} - {-1}
            level = 1 + max((entries[i].level for i in sources), default=0)
            made_by[vary][made] = len(entries)
            entries.append(Entry(group, count, level, sorted(sources)))
        in_lanes = self.code.outputs_in_lanes()
        makers = [made_by[vary][self.code.outputs[in_lanes == vary]] for vary in (False, True)]
        self.results = sorted({int(i) for i in np.concatenate(makers)} - {-1})
        return entries

    @property
    def lanes(self) -> int:
        """For how many examples groups are measured; 0 for a call, if nothing varies."""
        return LANES if self.code.varying_inputs else 0

    def seconds(self) -> list[float | None]:
        """Measure how long each group takes by itself; None for one that could not be run."""
        none = slice(0)
        empty = replace(
            self.code,
            groups=[],
            varying_groups=[],
            totals=[],
            outputs=self.code.outputs[none],
            output_varies=self.code.output_varies[none],
        )
        each = SECONDS / max(len(self.entries), 1)
        base = fastest(empty, self.lanes, 0.01)
        return [self._seconds_of(entry, empty, each, base) for entry in self.entries]

    def _seconds_of(self, entry: Entry, empty: Code, limit: float, base: float) -> float | None:
        """Measure a group by running it several times in a row, without anything else."""
        group = entry.group
        lists = [places for _, places in group.reads()]
        again = max(1, min(32, 400 // max(len(lists), 1), 20_000 // max(sum(map(len, lists)), 1)))
        if isinstance(group, Total):
            again, code = 1, replace(empty, totals=[group])
        elif group.varies:
            code = replace(empty, varying_groups=[group] * again)
        else:
            code = replace(empty, groups=[group] * again)
            if isinstance(group, Map):  # of 0 many functions are faster, or slower, than of other numbers
                places = np.unique(np.concatenate(lists))
                code.constants = dict.fromkeys(places[places >= code.inputs].tolist(), TYPICAL)
        try:
            return max(0.0, fastest(code, self.lanes, limit) - base) / again
        except Exception:  # a primitive of the user's own may not take these numbers
            return None

    def whole(self) -> float:
        """Measure how long a run takes: of a block of examples, if inputs vary."""
        return fastest(self.code, self.lanes, 0.05)


def title_of(group: Group | Total) -> str:
    """Return what a group computes, in words."""
    if isinstance(group, Map):
        if group.primitive is None:
            return f"copies of {counted(group.count, 'number')} to the lanes"
        arity = len(group.operands)
        noun = {1: "number", 2: "pair", 3: "triple"}.get(arity)
        return (
            f"{group.primitive.name} of {counted(group.count, noun) if noun else f'{arity} operands, {group.count:,}'}"
        )
    if isinstance(group, Sum):
        kind = "dot product" if group.factors else "sum"
        of_terms = f"of {counted(len(group.terms), 'term')}"
        return f"{kind} {of_terms}" if group.count == 1 else f"{kind}s {of_terms}, {group.count:,}"
    if isinstance(group, Matrix):
        rows, terms, columns = len(group.rows), int(group.rows.shape[1]), len(group.columns)
        part = "" if rows * columns == group.count else f", {group.count:,} of it"
        return f"matrix product {rows:,} × {terms:,} · {terms:,} × {columns:,}{part}"
    if isinstance(group, Chain):
        return f"chain of {counted(group.count, 'instruction')}"
    if isinstance(group, Loop):
        rounds = "rounds" if group.rounds is None else counted(group.rounds, "round")
        return f"loop of {rounds} of {counted(len(list(group.body.all_groups())), 'group')}"
    if group.factors is not None:
        return f"totals of {len(group.terms):,} × {len(group.factors):,} products"
    return f"totals of {counted(group.count, 'number')}"


def fastest(code: Code, lanes: int, limit: float) -> float:
    """Measure the shortest time that a run takes, of those within so many seconds; of at least three."""
    schedule = selection.execution().Schedule(code, lanes)
    count = lanes or 1
    inputs, tables = np.full(code.inputs, TYPICAL), [np.full((count, code.varying_inputs), TYPICAL)]
    results = [np.empty((1 if code.totals else count, len(code.outputs)))]
    best, runs, end = float("inf"), 0, time.perf_counter() + limit
    while runs < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        schedule.run(count, inputs, tables, results)
        best, runs = min(best, time.perf_counter() - start), runs + 1
    return best


def counted(count: int, noun: str) -> str:
    """Return a count with its noun.

    >>> counted(1, "group"), counted(1234, "group")
    ('1 group', '1,234 groups')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def listing(program: Program, varying: Sequence[int], timed: bool, most: int | None) -> str:
    """Write the text of `Program.listing`."""
    profile = Profile(program, varying)
    entries = profile.entries
    before, (inputs, parameters) = profile.recorded, profile.leaves
    summary = f"{counted(before, 'instruction')} in {counted(len(entries), 'group')}: {counted(inputs, 'input')}, "
    summary += f"{counted(parameters, 'parameter')}, {counted(len(profile.code.outputs), 'output')}"
    lines = [summary, ""]
    lines.append(f"{'pass':<28}{'instructions':>14}{'after it':>12}")
    for name, after in profile.passes:
        lines.append(f"{name:<28}{before:>14,}{after:>12,}")
        before = after
    lines += [f"{'in groups':<28}{before:>14,}{len(entries):>12,}", ""]
    shares: list[float | None] = [None] * len(entries)
    order = list(range(len(entries)))
    if timed:
        times = profile.seconds()
        total = sum(seconds or 0.0 for seconds in times)
        shares = [None if seconds is None else seconds / (total or 1.0) for seconds in times]
        order.sort(key=lambda i: -(shares[i] or 0.0))
        what = f"a block of {LANES} examples" if profile.code.varying_inputs else "a run"
        lines[0] += (
            f"\n{what} takes {_time(profile.whole())}, its groups by themselves {_time(total)} "
            f"({selection.execution().instruction_set()})"
        )
    rows = [(entries[i].title, entries[i].reads, entries[i].run_by) for i in order[:most]]
    widths = [
        min(limit, max(len(name), *[len(row[place]) for row in rows])) if rows else len(name)
        for place, (name, limit) in enumerate(COLUMNS.items())
    ]
    start = "  share" if timed else "  level"
    lines.append(f"{start}  instructions  {_row(list(COLUMNS), widths)}".rstrip())
    for i, row in zip(order, rows, strict=False):
        first = _percent(shares[i]) if timed else str(entries[i].level)
        lines.append(f"{first:>7}{entries[i].instructions:>14,}  {_row(row, widths)}")
    rest = order[len(rows) :]
    if rest:
        instructions = sum(entries[i].instructions for i in rest)
        share = _percent(sum(shares[i] or 0.0 for i in rest)) if timed else ""
        lines.append(f"{share:>7}{instructions:>14,}  {len(rest):,} more groups")
    return "\n".join(line.rstrip() for line in lines)


def _row(texts: Sequence[str], widths: Sequence[int]) -> str:
    shown = [text if len(text) <= width else f"{text[: width - 1]}…" for text, width in zip(texts, widths, strict=True)]
    return "  ".join(f"{text:<{width}}" for text, width in zip(shown, widths, strict=True))


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}".replace("%", " %")


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:,.1f} µs" if seconds < 1e-3 else f"{seconds * 1e3:,.1f} ms"
