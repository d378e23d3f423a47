"""The pass that lets numbers share places in memory, where one is no longer read when the other is computed.

What a program reads and writes then stays in a nearer cache.

>>> from autograd import Value
>>> from autograd.programs.lowering import lower
>>> from autograd.programs.program import Program
>>> x = [Value(0.5) for _ in range(8)]
>>> y = [number.exp().sin().exp().sin() for number in x]
>>> program = Program.of(y, inputs=x)
>>> lower(program, shares_places=False).uniform_size, lower(program).uniform_size
(40, 24)
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from autograd.programs.groups import (
    CONTIGUOUS,
    Code,
    Dots,
    Map,
    Matrix,
    Operand,
    OuterTotals,
    Sum,
    Tape,
    Totals,
    blocks_of,
)

if TYPE_CHECKING:
    from autograd.programs.groups import Group, Integers, Total

MOST_BLOCKS = 5_000  # of places that are kept together; with more, the search for free ones would take long


def with_shared_places(code: Code) -> Code:
    """Give the results of groups the places of others that are not read any more.

    Inputs and outputs, constants and totals have places of their own. What is read as a contiguous range stays one.
    """
    moved = [_moved(code, varies) for varies in (False, True)]
    (uniform, uniform_size), (varying, varying_size) = moved
    places = uniform, varying
    totals: list[Total] = []
    for total in code.totals:
        if isinstance(total, OuterTotals):
            lefts, rights = varying[total.lefts], varying[total.rights]
            totals.append(replace(total, lefts=lefts, rights=rights, out=int(uniform[total.out])))
        else:
            totals.append(Totals(varying[total.places], uniform[total.outs]))
    does_vary = code.output_varies & (not code.totals)
    outputs = code.outputs.copy()
    outputs[does_vary], outputs[~does_vary] = varying[outputs[does_vary]], uniform[outputs[~does_vary]]
    return replace(
        code,
        uniform_size=uniform_size,
        varying_size=varying_size,
        constants={int(uniform[place]): number for place, number in code.constants.items()},
        groups=[_with_places(group, places) for group in code.groups],
        varying_groups=[_with_places(group, places) for group in code.varying_groups],
        totals=totals,
        outputs=outputs,
    )


def _with_places(group: Group, places: tuple[Integers, Integers]) -> Group:
    """The same group with other places."""

    def moved(operands: list[Operand]) -> list[Operand]:
        found = []
        for operand in operands:
            new = places[operand.varies]
            gathered = None if operand.gathered is None else new[operand.gathered]
            found.append(operand._replace(place=int(new[operand.place]), gathered=gathered))
        return found

    out = int(places[group.varies][group.out])
    if isinstance(group, Map):
        return replace(group, out=out, operands=moved(group.operands))
    if isinstance(group, Sum):
        return replace(group, out=out, terms=moved(group.terms))
    if isinstance(group, Dots):
        return replace(group, out=out, lefts=moved(group.lefts), rights=moved(group.rights))
    if isinstance(group, Matrix):
        rows, columns = places[group.rows_vary][group.rows], places[group.columns_vary][group.columns]
        return replace(group, out=out, rows=rows, columns=columns)
    return replace(group, out=out, operands=places[False][group.operands])


def _moved(code: Code, varies: bool) -> tuple[Integers, int]:
    """For each place of a memory the new one, and the new size."""
    size = code.varying_size if varies else code.uniform_size
    same = np.arange(size)
    groups = list(code.all_groups())
    if not size or len(groups) > MOST_BLOCKS:
        return same, size
    end = len(groups)  # after all of them
    first, last = np.full(size, -1), np.full(size, -1)  # the groups that write and read a place
    is_cut = np.zeros(size + 1, bool)  # where one block of places may end, and another start
    for time, group in enumerate(groups):
        if group.varies is varies:
            written = slice(group.out, group.out + group.count)
            first[written] = last[written] = time
            is_cut[[written.start, written.stop]] = True
        for does_vary, read in group.reads():
            if does_vary is varies:
                last[read] = end if group.varies is not varies else time
    is_fixed = first < 0
    is_cut[1:-1] |= is_fixed[1:] != is_fixed[:-1]
    is_cut[[0, -1]] = True
    for group in groups:
        for start, stop in _ranges(group, varies):
            is_cut[start + 1 : stop] = False
    for total in code.totals:
        for does_vary, read in total.reads():
            if does_vary is varies:
                last[read] = end
    last[code.outputs[(code.output_varies & (not code.totals)) == varies]] = end
    starts = np.flatnonzero(is_cut[:-1])
    sizes = np.diff([*starts, size])
    fixed = np.logical_or.reduceat(is_fixed, starts)
    births, deaths = np.minimum.reduceat(first, starts), np.maximum.reduceat(last, starts)
    births[fixed], deaths[fixed] = -1, end
    new, total_size = _placed(sizes.tolist(), births.tolist(), deaths.tolist())
    return np.repeat(np.array(new) - starts, sizes) + same, total_size


def _ranges(group: Group, varies: bool) -> list[tuple[int, int]]:
    """The ranges of places that are read as such."""
    if isinstance(group, Tape):
        return [(group.out, group.out + group.count)] * (not varies)
    if isinstance(group, Matrix):
        return [] if varies else _ranges_of_product(group)
    operands = group.operands if isinstance(group, Map) else group.terms if isinstance(group, Sum) else []
    if isinstance(group, Dots):
        operands = [*group.lefts, *group.rights]
    return [
        (operand.place, operand.place + group.count)
        for operand in operands
        if operand.varies is varies and operand.mode == CONTIGUOUS
    ]


def _ranges_of_product(group: Matrix) -> list[tuple[int, int]]:
    """The ranges of uniform places that a matrix product reads where they are."""
    found: list[tuple[int, int]] = []
    blocks = list(blocks_of(group.runs))
    if not group.rows_vary:
        for (start, count, _, _), step in zip(blocks, group.row_steps(), strict=True):
            if step is not None:
                rows = group.rows[group.runs[start : start + count, 0]]
                found += zip(rows.min(axis=1).tolist(), (rows.max(axis=1) + 1).tolist(), strict=True)
    if not group.columns_vary:
        for (_, _, first, length), is_in_place in zip(blocks, group.columns_in_place(), strict=True):
            if is_in_place:
                places = group.columns[first]
                found += zip(places.tolist(), (places + length).tolist(), strict=True)
    return found


def _placed(sizes: list[int], births: list[int], deaths: list[int]) -> tuple[list[int], int]:
    """Where each block of places comes to stand, and how many places there are.

    Args:
        sizes: of the blocks.
        births: for each block the first group that writes to it; those of -1 come first, in their order.
        deaths: the last group that reads from it. It is free after that.
    """
    new = [0] * len(sizes)
    order = sorted(range(len(sizes)), key=births.__getitem__)
    ends = sorted(range(len(sizes)), key=deaths.__getitem__)
    free: list[tuple[int, int]] = []  # where, and how many, in their order
    size = ended = 0
    for block in order:
        while deaths[ends[ended]] < births[block]:
            _release(free, new[ends[ended]], sizes[ends[ended]])
            ended += 1
        for at, (start, room) in enumerate(free):
            if room >= sizes[block]:
                new[block] = start
                free[at : at + 1] = [(start + sizes[block], room - sizes[block])] * (room > sizes[block])
                break
        else:
            new[block] = size
            size += sizes[block]
    return new, size


def _release(free: list[tuple[int, int]], start: int, count: int) -> None:
    """Add a range to those that are free."""
    at = next((i for i, (other, _) in enumerate(free) if other > start), len(free))
    if at < len(free) and free[at][0] == start + count:
        count += free.pop(at)[1]
    if at and sum(free[at - 1]) == start:
        at -= 1
        start, before = free.pop(at)
        count += before
    free.insert(at, (start, count))
